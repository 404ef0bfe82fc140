# %% [markdown]
# # Random or fixed, when there are few levels?
#
# Four sites, five judges, three years: is `site` a factor among the fixed effects or a grouping factor? Two questions
# are mixed up in this, and they have different answers.
#
# 1. *What is the conclusion about?* These four sites, or sites in general? If levels are a sample, the uncertainty
#    about other levels belongs in the answer, and a random effect is what puts it there.
# 2. *Can the spread be estimated?* From four levels, hardly, whatever the model is called.
#
# ## How much do four levels say about their spread?

# %%
import numpy as np
import pandas as pd
from scipy import stats

import bayesmixed as bm


def sites(levels):
    """Ten rows of each site, half of them treated (-0.5 and 0.5, so that the intercept is the mean)."""
    rows = [(f"site {s}", t) for s in range(levels) for t in 5 * [-0.5, 0.5]]
    return pd.DataFrame(rows, columns=["site", "treated"])


truth = {"Intercept": 0.0, "treated": 0.5, "1|site_sigma": 1.0, "sigma": 1.0}
formula = "y ~ treated + (1 | site)"
found = {}
for levels in (3, 5, 10, 30):
    draws = bm.simulate(formula, sites(levels), truth, n=300, seed=levels)
    model = bm.Model(formula, sites(levels).assign(y=draws[0]))
    sds = [model.with_response(y).fit("reml").varcorr()["sd"].iloc[0] for y in draws]
    found[levels] = dict(zip(["5 %", "50 %", "95 %"], np.quantile(sds, [0.05, 0.5, 0.95]), strict=True))
print(pd.DataFrame(found).T.rename_axis("levels").round(2))

# %% [markdown]
# The true standard deviation is 1. With three levels nine of ten estimates lie anywhere from zero to 1.7; it takes
# thirty levels to know it within a quarter. More rows per level do not help much: the spread is that of levels.
#
# ## What does not depend on the choice
#
# Effects that vary *within* levels hardly notice. The treatment is given within every site here:

# %%
table = sites(4)
table["y"] = bm.simulate(formula, table, truth, seed=3)[0]
random, fixed = bm.Model(formula, table).fit("reml"), bm.Model("y ~ treated + site", table).fit("reml")
print(bm.side_by_side(random, fixed))

# %% [markdown]
# The treatment's effect and its error are the same: balanced data compare every site with itself. The *intercept* is
# the difference. As fixed effects it is the mean of site 0, with the error of ten rows; as a random effect it is the
# mean of sites in general, with the error of four sites. A conclusion about other sites cannot have the smaller one.
#
# (An effect that varies between sites, or a treatment whose effect differs between sites, `(treated | site)`, is about
# sites as much as the intercept is: see [subjects and items](subjects_and_items.md).)
#
# ## Intervals with four sites
#
# Limits of the normal distribution are too narrow for the intercept: four sites leave about 3 degrees of freedom. How
# often do they contain the true mean, where 95 % is asked for?

# %%
distances = []
for y in bm.simulate(formula, sites(4), truth, n=1000, seed=1):
    row = random.model.with_response(y).fit("reml").coefficients.loc["Intercept"]
    distances.append(abs(row["estimate"]) / row["se"])  # from the true mean, 0, in standard errors
for name, limit in {"normal": stats.norm.ppf(0.975), "t with 3 degrees of freedom": stats.t.ppf(0.975, 3)}.items():
    print(f"{name}: {np.mean(np.array(distances) < limit):.1%}")

# %% [markdown]
# 87 % instead of 95; t with one degree of freedom less than there are sites has the 95.
#
# ## A posterior is not a way around it
#
# With four levels the prior of their spread decides the width of everything that depends on it:

# %%
priors = {"half": 0.5, "default": None, "four times": 4.0}
fits = {}
for name, scale in priors.items():
    prior = "default" if scale is None else {"1|site_sigma": bm.priors.HalfNormal(scale)}
    fits[name] = bm.Model(formula, table, priors=prior).fit("nuts", seed=1)
intercepts = {name: fit.coefficients.loc["Intercept", ["mean", "lower", "upper"]] for name, fit in fits.items()}
print(pd.DataFrame(intercepts).T.astype(float).round(2))
print(bm.side_by_side(*fits.values()))

# %% [markdown]
# Prior scales of 0.5, the default's and 4 give a spread of 1.2, 2.1 and 2.6, and intervals for the mean that differ by
# a factor of two. (The first conflicts with the data: REML's 1.9 is almost four of its standard deviations away from
# zero.) An interval of this kind is as honest as its prior: it says what four sites *and* stated beliefs about the
# spread say. The prior has to be reported, and a second one tried.
#
# ## What to do
#
# | Levels | Conclusion about | Do |
# |---|---|---|
# | 2 or 3 | these, or within them | fixed effects; say that other levels are not covered |
# | 2 or 3 | levels in general | the data cannot tell; an informed prior for the spread, and say so |
# | 4 to 8 | these, or within them | either; within-level effects agree |
# | 4 to 8 | levels in general | random effects; t with few degrees of freedom, or a posterior |
# | more | either | random effects |
#
# The levels that a random effect has are not the rows that a table has: ten thousand rows from four sites are four
# sites. `bm.diagnose` notes grouping factors with fewer than five levels.
#
# A random effect has a second use that needs no population: it *pools*. With hundreds of small districts or many items
# whose own estimates are noisy, `(1 | district)` gives better estimates of each than separate means, "fixed" or not
# (`bm.pooling(model)`).
#
# [Six blocks in four programs](../from/singular.md) shows what lme4, glmmTMB, bambi and bayesmixed print when so few
# levels leave a fit on the boundary.
