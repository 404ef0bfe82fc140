# %% [markdown]
# # Comparing models: what a likelihood ratio answers, and what leave-one-out does
#
# "Which model is better" is two questions. A likelihood ratio asks whether the data are surprising under the smaller of
# two nested models. Leave-one-out asks which model predicts better, nested or not, and then what is to be predicted has
# to be said: a further response of someone known, or of someone new.

# %%
import numpy as np
import pandas as pd
from scipy import stats

import bayesmixed as bm

sleep = bm.load_data("sleepstudy")
formulas = {
    "intercepts": "Reaction ~ Days + (1 | Subject)",
    "uncorrelated": "Reaction ~ Days + (Days || Subject)",
    "slopes": "Reaction ~ Days + (Days | Subject)",
    "no average slope": "Reaction ~ 1 + (Days | Subject)",
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


print(likelihood_ratio("intercepts", "uncorrelated"))
print(likelihood_ratio("uncorrelated", "slopes"))
print(likelihood_ratio("no average slope", "slopes"))

# %% [markdown]
# Slopes vary, nothing speaks for a correlation of intercepts and slopes, and people slow down on average.
#
# **The order matters.** The random effects are settled first, and the average slope is tested in a model that lets
# slopes vary. In models with intercepts alone the same test has a statistic of 116 in place of 23.5, because there
# every person's slope is taken to be the average one. What that is worth shows in data whose slopes vary about an
# average of *zero*:


# %%
def replicated(small, large, truth, n, seed):
    """The statistic of `small` in `large` in `n` data sets of the model `truth` as it was estimated."""
    return np.array(
        [
            2 * (large.with_response(y).fit("ml").loglik - small.with_response(y).fit("ml").loglik)
            for y in truth.simulate(n, seed=seed)
        ]
    )


flat = bm.Model("Reaction ~ 1 + (1 | Subject)", sleep)
wrong = replicated(flat, models["intercepts"], ml["no average slope"], n=300, seed=1)
right = replicated(models["no average slope"], models["slopes"], ml["no average slope"], n=300, seed=1)
limit = stats.chi2.ppf(0.95, 1)
print(f"p < 0.05 without an average slope: {np.mean(wrong > limit):.0%} by intercepts, {np.mean(right > limit):.0%}")
print(f"95 % of the right statistics are below {np.quantile(right, 0.95):.1f}; chi2(1) says {limit:.2f}")

# %% [markdown]
# The test without slopes finds an effect that is not there in half of the data sets; the right one in one of twenty, as
# it should. Its statistic is nearly chi-squared with 18 people; with fewer it is often larger, which a simulation like
# this one shows. The observed 23.5 is far beyond either.
#
# **At the boundary.** The p-value of "intercepts in uncorrelated" is too large, since a standard deviation cannot be
# negative: under the smaller model the extra variance is often estimated as exactly zero. The textbook reference is an
# even mixture of chi-squared with 0 and 1 degrees of freedom, whose 95 % point is 2.71. That is for many groups; with
# 18 people:

# %%
boundary = replicated(models["intercepts"], models["uncorrelated"], ml["intercepts"], n=500, seed=1)
print(f"{np.mean(boundary < 1e-6):.0%} of the statistics are zero, {np.mean(boundary > 2.71):.1%} are above 2.71")
statistic = 2 * (ml["uncorrelated"].loglik - ml["intercepts"].loglik)
print(f"observed {statistic:.1f}; p = {0.5 * stats.chi2.sf(statistic, 1):.1g} by the even mixture")

# %% [markdown]
# More than half are zero and fewer than 5 % pass 2.71: with few groups the even mixture is still a cautious test, and
# the plain chi-squared one more so. Here it makes no difference; where it does, simulate, as above.
#
# ## AIC and BIC

# %%
for name, fit in ml.items():
    print(f"{name:17s} {fit.n_parameters} parameters  AIC {fit.aic:7.1f}  BIC {fit.bic:7.1f}")

# %% [markdown]
# Both prefer the model without a correlation, AIC by 2 units over the full one and by 40 over the model without slopes.
# The random effects are integrated out of this likelihood, so that AIC speaks of predictions for *new* subjects. Like
# the chi-squared test, it pays one unit per parameter for a variance that cannot be negative, which is too much there.
#
# ### What is the n of BIC?
#
# BIC is -2 log-likelihood + parameters x log(n), and in a mixed model n has no single meaning. `fit.bic` takes the 180
# rows, as lme4 and glmmTMB do. SAS takes the 18 subjects, since they are what is independent. Information about
# variances and about what differs between subjects grows with subjects, about what differs within them with rows:

# %%
n_subjects = sleep["Subject"].nunique()
bic = pd.DataFrame({name: {"n = 180 rows": fit.bic} for name, fit in ml.items()}).T
bic["n = 18 subjects"] = [-2 * fit.loglik + fit.n_parameters * np.log(n_subjects) for fit in ml.values()]
print(bic.round(1))

# %% [markdown]
# A parameter costs 5.2 with the rows and 2.9 with the subjects. The order is the same here; where it is not, the
# difference is one of n and not of evidence. Say which n was used, and compare only values that use the same.
#
# ## Leave-one-out
#
# Leave-one-out uses draws. By default it leaves out one measurement at a time; the person's other nine stay. Models
# with other *distributions* compare too, and the residuals asked for one: three rows lay far outside a normal
# distribution ([sleepstudy](sleepstudy.md)). So Student's t is tried before anything is concluded.

# %%
post = {name: models[name].fit("nuts", seed=1) for name in ("intercepts", "slopes")}
post["student"] = models["slopes"].replace(family="student").fit("nuts", seed=1)
print(bm.loo_compare(*post.values()))

# %% [markdown]
# Tails matter more than anything else: with slopes, Student's t predicts better than the normal distribution by 32
# units of log predictive density, with a standard error of 13; better than normal intercepts by 57, with one of 11.
# The two normal models alone differ by 24 with an error of 12, two errors. That is not much, because few rows decide:

# %%
gain = bm.loo(post["slopes"]).frame["elpd"] - bm.loo(post["intercepts"]).frame["elpd"]
by_person = gain.groupby(sleep["Subject"], observed=True).sum().sort_values()
print(by_person.round(1).iloc[[0, 1, 2, -3, -2, -1]])

# %% [markdown]
# Slopes predict 335 and 309, whose lines are flat, and 337, whose line is steep, better, and 332 worse by 10 units:
# this person's last measurements are 454, 347, 330 and 254 ms, and no line foresees them. Student's t lets one such
# measurement be an outlier:

# %%
print(bm.side_by_side(post["slopes"], post["student"]))

# %% [markdown]
# With 3 degrees of freedom and a scale of 15 ms, most measurements lie closer to the lines than a normal sigma of 26 ms
# says, and a few lie far away. The average slope is the same.
#
# For a person we do not know all ten measurements are left out together, and the effects are integrated out:

# %%
print(bm.loo_compare(*post.values(), by="Subject"))

# %% [markdown]
# The same order. These are answers to another question: *what is left out* follows from what is to be predicted, and
# leaving out whole groups is no remedy for rows that are hard to leave out one by one.
#
# ### Which numbers to trust

# %%
print(bm.loo(post["slopes"]))

# %% [markdown]
# Pareto's k says for which rows importance sampling is unreliable: the posterior without such a row is too far from
# the one at hand. The rows named here are measurements that no line foresees; refit without them to know what the rest
# predicts, or take a distribution that does not bend to them: Student's t has no such rows, or one, depending on the
# seed.
#
# `p_loo` is an effective number of parameters. Two coefficients, 36 effects of people, three parameters of their
# spread and sigma are 42, and shrinkage makes them fewer. A `p_loo` well above the number of parameters, effects
# included, means that the model is misspecified: responses surprise it.
#
# ## Which to use
#
# | Question | Answer |
# |---|---|
# | Is there an effect at all? | likelihood ratio by ML, beside the random effects of the design; or the posterior |
# | Does a variance belong in the model? | the design decides; or the halved p, which is cautious; or simulate |
# | Which distribution? | `bm.residual_checks(fit)` first, then `bm.loo_compare(...)` |
# | Which model predicts new responses of known groups? | `bm.loo_compare(...)` |
# | Which model predicts new groups? | `bm.loo_compare(..., by="group")`, or AIC |
