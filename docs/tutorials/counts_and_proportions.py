# %% [markdown]
# # Counts and proportions: three generalized mixed models
#
# Fruits of 625 plants (counts), cases of a disease in 15 herds (proportions), and an experiment in which one treatment
# never fails (separation). In the first two the obvious model is *overdispersed*: responses vary more than it lets
# them. Looking for that is [routine](overdispersion.md).
#
# ## Arabidopsis: counts that vary too much
#
# Plants of 24 genotypes from 9 populations grew with little or much nutrient, clipped (as by a herbivore) or not, in
# two racks of a greenhouse (Banta et al., 2010). Do plants compensate for clipping when nutrient is plentiful?

# %%
import numpy as np
import pandas as pd

import bayesmixed as bm

plants = bm.load_data("Arabidopsis").rename(columns={"total.fruits": "fruits"})
plants["nutrient"] = plants["nutrient"].map({1: "low", 8: "high"}).astype(pd.CategoricalDtype(["low", "high"]))
plants["amd"] = plants["amd"].cat.reorder_categories(["unclipped", "clipped"])
look = plants.groupby(["nutrient", "amd"], observed=True)["fruits"]
print(look.agg(["size", "mean", "var"]).round(1).assign(zeros=look.apply(lambda y: (y == 0).mean()).round(2)))

# %% [markdown]
# The variance is forty times the mean. A Poisson distribution has them equal. (`rack` is numbered 1 and 2, but it is a
# label: `factor(rack)`.)

# %%
right = "fruits ~ nutrient * amd + factor(rack) + status + (1 | popu) + (1 | gen)"
poisson = bm.Model(right, plants, family="poisson").fit("ml")
print(bm.residual_checks(poisson, seed=1))

# %% [markdown]
# All four tests say so, and the page says what to do: a negative binomial, or an effect for every row.

# %%
negbinomial = bm.Model(right, plants, family="negbinomial").fit("ml")
plants["row"] = np.arange(len(plants))
per_row = bm.Model(right + " + (1 | row)", plants, family="poisson").fit("ml")
print(bm.side_by_side(poisson, per_row, negbinomial))
print(f"AIC: Poisson {poisson.aic:.0f}, an effect per row {per_row.aic:.0f}, negative binomial {negbinomial.aic:.0f}")

# %% [markdown]
# The Poisson model's standard errors of the treatments are about a sixth of the others': it takes every fruit for an
# independent event. By AIC the negative binomial is best.

# %%
print(bm.residual_checks(negbinomial, seed=1))

# %%
bm.plot.residuals(negbinomial, seed=1)

# %% [markdown]
# One fault is left: 20 % of plants have no fruit, where 14 % are expected. A model with a part for zeros would be the
# next step; this package has none yet ([limitations](../trust/limitations.md)).
#
# ### What may differ between genotypes?
#
# Every genotype grew under all four treatments, and the question is about genotypes and populations in general. So the
# effects of the treatments may differ between genotypes too, as in the published analysis. Leaving that out would be to
# assume that all genotypes compensate alike, and to judge the average compensation by plants instead of genotypes.

# %%
slopes = "fruits ~ nutrient * amd + factor(rack) + status + (1 | popu) + (nutrient * amd | gen)"
maximal = bm.Model(slopes, plants, family="negbinomial").fit("ml")
print(maximal.varcorr().round(2).to_string(index=False))
for problem in maximal.status.problems:
    print("-", problem)

# %% [markdown]
# That fit is singular: 24 genotypes do not determine four standard deviations and six correlations. `bm.diagnose`
# lists simpler formulas; by AIC they win, with up to nine fewer parameters. That is no reason to take them: AIC does
# not ask whether the standard error of a tested treatment is right, and a variance that cannot be told from zero is
# not one that is zero. MAP keeps what the design asks for and ends off the boundary:

# %%
penalised = maximal.model.fit("map")
fits = {"no slopes": negbinomial, "slopes, ML": maximal, "slopes, MAP": penalised}
last = {name: bm.odds_ratios(fit).frame.set_index("coefficient").iloc[-1] for name, fit in fits.items()}
print(pd.DataFrame(last).T[["estimate", "lower", "upper", "p"]].astype(float).round(3))
print("AIC without slopes", round(negbinomial.aic, 1), "with", round(maximal.aic, 1))

# %% [markdown]
# The interaction as a ratio of ratios: nutrient makes up for clipping by a factor of 1.6. Without slopes its limits
# (1.10 to 2.52) are clear of 1; with slopes by ML, singular, they are 1.02 to 2.44, and by MAP 0.99 to 2.68, which
# includes 1. The data speak for compensation, at the edge of what 24 genotypes can say, and a model that leaves slopes
# out makes them sound surer than they are.
#
# ### What it says

# %%
print(bm.emmeans(penalised, "amd | nutrient", scale="response").contrast("pairwise"))

# %% [markdown]
# With little nutrient an unclipped plant has 1.8 times as many fruits as a clipped one; with much 1.1 times, with
# limits on both sides of 1.

# %%
bm.plot.effects(penalised, "nutrient", by="amd")

# %% [markdown]
# Means for a typical genotype with their 95 % limits. The limits hold what is common to both treatments too (how
# fertile a typical population is), so that they overlap more than the ratios above.
#
# ### How much genotypes and populations differ

# %%
bm.plot.caterpillar(penalised, "popu")

# %% [markdown]
# Population 7.SW has few fruits, 8.SP many. With nine populations their standard deviation is hardly known, and so is
# the share of variance that they make up; which also depends on how the variance of a count on the log scale is
# approximated ([ICC and R2](icc_and_r2.md)).
#
# ## cbpp: Laplace's approximation, quadrature, and a model that is too small
#
# New cases among the animals at risk in 15 herds, in four periods. The integral over a herd's effect has no formula:
# Laplace's approximation puts a normal curve in its place, quadrature sums it at several nodes.
# ([The same model](../from/cbpp.md) in lme4, glmmTMB and bambi, with what each prints.)

# %%
cbpp = bm.load_data("cbpp")
disease = bm.Model("prop(incidence, size) ~ period + (1 | herd)", cbpp, family="binomial")
laplace, exact = disease.fit("ml"), disease.fit(bm.ML(quadrature=25))
print(bm.side_by_side(laplace, disease.fit(bm.ML(quadrature=5)), exact))

# %% [markdown]
# Five nodes and 25 agree to three digits, and Laplace's approximation is off by 0.05 in the log-likelihood and by less
# than a hundredth of a standard error in the fixed effects. This is the textbook model, and its *integral* is known as
# well as one may wish. The model itself is another matter: within a herd and a period it takes animals for
# independent. The disease is contagious.

# %%
cbpp["obs"] = np.arange(len(cbpp))
per_row = bm.Model("prop(incidence, size) ~ period + (1 | herd) + (1 | obs)", cbpp, family="binomial").fit("ml")
beta = disease.replace(family="betabinomial").fit("ml")
print(bm.side_by_side(laplace, per_row, beta))
print(f"AIC: binomial {laplace.aic:.1f}, an effect per row {per_row.aic:.1f}, beta-binomial {beta.aic:.1f}")
print(bm.residual_checks(laplace, seed=1).frame.round(2).to_string(index=False))

# %% [markdown]
# Cases vary 1.5 times as much about the herds' effects as a binomial distribution lets them. The test of dispersion
# alone does not reject it: 56 rows of few animals have little power, and residuals about estimated effects are too
# narrow. The likelihood decides: AIC falls by 7 with an effect for every row (herd and period), and by 6 with a
# beta-binomial.
#
# With it goes what the binomial model took for lasting differences between herds. Their standard deviation is 0.64
# there, 0.18 with an effect per row, and exactly 0 in the beta-binomial: outbreaks come and go, and four periods of 15
# herds cannot tell a herd that is worse from one that was unlucky. With an effect per row the standard errors of the
# periods are half as large again.

# %%
post = {"binomial": disease.fit("nuts", seed=1), "an effect per row": per_row.model.fit("nuts", seed=1)}
above = {name: (fit.idata.posterior["1|herd"] > 0).mean(("chain", "draw")).to_series() for name, fit in post.items()}
print("P(herd is above average)")
print(pd.DataFrame(above).round(2).T.to_string())

# %%
bm.plot.densities(post["an effect per row"], "herd")

# %% [markdown]
# By the binomial model herds 7 and 14 are above average with probabilities of 0.99. With an effect per row that is
# three quarters and two thirds: no herd can be singled out, and to rank them would be pointless. Nothing in the first
# table warned of it.

# %%
print(bm.odds_ratios(per_row))
print(bm.emmeans(per_row, "period", scale="response", kind="population"))

# %% [markdown]
# In the last period the odds of a case are 0.16 of those in the first (0.05 to 0.5), in a given herd. The second table
# is averaged over herds and outbreaks: a fifth of the animals at risk fall ill in the first period, 5 % in the last.
#
# ## Separation: when one treatment never fails
#
# McKeon et al. (2012) put corals with no symbionts, crabs, shrimp or both into ten blocks, two of each per block, and
# saw which were eaten by a sea star. These data are a twin drawn from the published estimates, with a seed for which
# all twenty corals without symbionts are eaten (18 of 20 in the real ones).

# %%
treatments = ["none", "crabs", "shrimp", "both"]
corals = pd.DataFrame(
    [(f"b{b}", t) for b in range(10) for t in treatments for _ in range(2)], columns=["block", "symbionts"]
)
corals["symbionts"] = pd.Categorical(corals["symbionts"], categories=treatments)
params = {"Intercept": 5.1, "symbionts": [-3.8, -4.4, -5.6], "1|block_sigma": 3.4}
predation = "eaten ~ symbionts + (1 | block)"
corals["eaten"] = bm.simulate(predation, corals, params, family="bernoulli", seed=7)[0].astype(int)
print(corals.groupby("symbionts", observed=True)["eaten"].agg(["size", "sum"]).T)

# %%
model = bm.Model(predation, corals, family="bernoulli")
ml = model.fit("ml")
print(ml.coefficients.round(1))
for problem in ml.status.problems:
    print("-", problem)

# %% [markdown]
# The more certain the model makes it that a coral without symbionts is eaten, the better it fits: the maximum is at
# infinity, and the numbers are where the search stopped. A prior that holds effects of more than a few logits unlikely
# brings them back. On the logit scale 2.5 is a large effect: from 50 % to 92 %.

# %%
prior = {"symbionts": bm.priors.Normal(0, 2.5), "Intercept_centered": bm.priors.Normal(0, 2.5)}
penalised = model.fit(bm.MAP(priors={**prior, "covariance": "boundary_avoiding"}))
post = model.replace(priors=prior).fit("nuts", seed=1)
print(bm.side_by_side(ml, penalised, post))

# %% [markdown]
# MAP finds the mode under these priors, NUTS the whole distribution. Both are finite, with standard errors near one,
# and the values behind the twin (-3.8, -4.4, -5.6) lie within two of these.

# %%
print(bm.emmeans(post, "symbionts", scale="response", kind="population"))

# %%
bm.plot.forest(penalised, post)

# %% [markdown]
# Averaged over blocks, 88 % of corals without symbionts are expected to be eaten (68 to 98 %), and 39 % of those with
# both (17 to 63 %). The ranking of shrimp and both is open: their intervals overlap nearly whole.
