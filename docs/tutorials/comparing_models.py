# %% [markdown]
# # Comparing models: what a likelihood ratio answers, and what leave-one-out does
#
# "Which model is better" is two questions. A likelihood ratio asks whether the data are surprising under the smaller of
# two nested models. Leave-one-out asks which model predicts better, nested or not, and then what is to be predicted has
# to be said: a further response of someone known, or of someone new.

# %%
import numpy as np
from scipy import stats

import bayesmixed as bm

sleep = bm.load_data("sleepstudy")
formulas = {
    "no effect": "Reaction ~ 1 + (1 | Subject)",
    "intercepts": "Reaction ~ Days + (1 | Subject)",
    "uncorrelated": "Reaction ~ Days + (Days || Subject)",
    "slopes": "Reaction ~ Days + (Days | Subject)",
}
models = {name: bm.Model(formula, sleep) for name, formula in formulas.items()}

# %% [markdown]
# ## Likelihood ratios
#
# Models that differ in fixed effects are compared by ML; REML log-likelihoods of different fixed effects do not
# compare.

# %%
ml = {name: model.fit("ml") for name, model in models.items()}
print(bm.side_by_side(*ml.values()))


# %%
def likelihood_ratio(small, large):
    """Twice the difference of log-likelihoods, the difference of parameters, and p by their chi-squared."""
    statistic = 2 * (ml[large].loglik - ml[small].loglik)
    df = ml[large].n_parameters - ml[small].n_parameters
    return f"{small} in {large}: chi2({df}) = {statistic:.2f}, p = {stats.chi2.sf(statistic, df):.2g}"


print(likelihood_ratio("no effect", "intercepts"))
print(likelihood_ratio("intercepts", "uncorrelated"))
print(likelihood_ratio("uncorrelated", "slopes"))

# %% [markdown]
# Days matter, slopes vary, and nothing speaks for a correlation of intercepts and slopes.
#
# The second p-value is too large, since a standard deviation cannot be negative: under the smaller model half of the
# data sets put the extra variance at zero, and the right reference is an even mixture of chi-squared with 0 and 1
# degrees of freedom. Here that halves a p-value that is tiny already:

# %%
statistic = 2 * (ml["uncorrelated"].loglik - ml["intercepts"].loglik)
print(f"p = {0.5 * stats.chi2.sf(statistic, 1):.2g}")

# %% [markdown]
# With few groups the chi-squared reference is rough for fixed effects too. Then simulate what the statistic does when
# the smaller model is true:

# %%
null, alternative = models["no effect"], models["intercepts"]
replicates = ml["no effect"].simulate(200, seed=1)
simulated = [
    2 * (alternative.with_response(y).fit("ml").loglik - null.with_response(y).fit("ml").loglik) for y in replicates
]
print(f"95 % are below {np.quantile(simulated, 0.95):.2f}; chi2(1) says {stats.chi2.ppf(0.95, 1):.2f}")

# %% [markdown]
# With 18 people the two nearly agree, and the observed 116 for Days is far beyond either.
#
# ## AIC and BIC

# %%
for name, fit in ml.items():
    print(f"{name:13s} {fit.n_parameters} parameters  AIC {fit.aic:7.1f}  BIC {fit.bic:7.1f}")

# %% [markdown]
# Both prefer the model without a correlation, AIC by 2 units over the full one and by 40 over the model without slopes.
# AIC estimates how well new data of *new* subjects
# would be predicted, since the random effects are integrated out of the likelihood.
#
# ## Leave-one-out
#
# Leave-one-out uses draws. By default it leaves out one measurement at a time; the person's other nine stay.

# %%
posts = [models[name].fit("nuts", seed=1) for name in ("intercepts", "slopes")]
print(bm.loo_compare(*posts))

# %% [markdown]
# A further measurement of a person we know is predicted better when the model knows that person's slope: by 23 units of
# log predictive density, with a standard error of 12. That is two of its errors and called too close to tell, since few
# people decide:

# %%
gain = bm.loo(posts[1]).frame["elpd"] - bm.loo(posts[0]).frame["elpd"]
by_person = gain.groupby(sleep["Subject"], observed=True).sum().sort_values()
print(by_person.round(1).iloc[[0, 1, 2, -3, -2, -1]])

# %% [markdown]
# Slopes predict 335 and 309 better, whose lines are flat, and 332 worse by 11 units: this person's last measurements
# are 454, 347, 330 and 254 ms, and no line foresees them.
#
# For a person we do not know all ten measurements are left out together, and the effects are integrated out:

# %%
print(bm.loo_compare(*posts, by="Subject"))

# %% [markdown]
# The same order, and again less than two standard errors: 18 people are few to say how well new ones are predicted.
# Half the difference in AIC is 19.1, close to this difference of elpd: both integrate the effects out.

# %%
print(bm.loo(posts[1]))

# %% [markdown]
# Pareto's k says which rows the draws cannot leave out: the posterior would be another one without them. Four of 180
# here; the last lines say what to do.
#
# ## Which to use
#
# | Question | Answer |
# |---|---|
# | Is there an effect at all? | likelihood ratio by ML, simulated with few groups; or the posterior |
# | Does a variance belong into the model? | the design decides: what was sampled gets an effect; or the halved p |
# | Which model predicts new responses of known groups? | `bm.loo_compare(...)` |
# | Which model predicts new groups? | `bm.loo_compare(..., by="group")`, or AIC |
