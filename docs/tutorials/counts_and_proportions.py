# %% [markdown]
# # Counts and proportions: three generalized mixed models
#
# Fruits of 625 plants (counts), cases of a disease in 15 herds (proportions), and an experiment in which one treatment
# never fails (separation).
#
# ## Arabidopsis: counts that vary too much
#
# Plants of 24 genotypes from 9 populations grew with little or much nutrient, clipped (as by a herbivore) or not
# (Banta et al., 2010). Do plants compensate for clipping when nutrient is plentiful?

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
# The variance is forty times the mean. A Poisson distribution has them equal.

# %%
right = "fruits ~ nutrient * amd + rack + status + (1 | popu) + (1 | gen)"
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
# independent event. By AIC
# the negative binomial is best.

# %%
print(bm.residual_checks(negbinomial, seed=1))

# %%
bm.plot.residuals(negbinomial, seed=1);

# %% [markdown]
# One fault is left: 20 % of plants have no fruit, where 14 % are expected. A model with a part for zeros would be the
# next step; this package has none yet ([limitations](../limitations.md)).
#
# ### What it says

# %%
print(bm.emmeans(negbinomial, "amd | nutrient", scale="response").contrast("pairwise"))

# %% [markdown]
# With little nutrient an unclipped plant has 1.8 times as many fruits as a clipped one; with much 1.1 times, with
# limits on both sides of 1. The ratio of the two ratios is the interaction, in the last line:

# %%
print(bm.odds_ratios(negbinomial))

# %% [markdown]
# Nutrient makes up for clipping by a factor of 1.66 (1.10 to 2.52).

# %%
bm.plot.effects(negbinomial, "nutrient", by="amd");

# %% [markdown]
# Means for a typical genotype with their 95 % limits. The limits hold what is common to both treatments too (how
# fertile a typical population is), so that they overlap more than the ratios above.
#
# ### How much genotypes and populations differ

# %%
bm.plot.caterpillar(negbinomial, "popu");

# %% [markdown]
# Population 7.SW has few fruits, 8.SP many. The standard deviation is 0.55 on the log scale: one of it is a factor of
# 1.7. Genotypes within them add 0.16. The published analysis lets genotypes differ in their responses too:

# %%
slopes = "fruits ~ nutrient * amd + rack + status + (1 | popu) + (nutrient * amd | gen)"
maximal = bm.Model(slopes, plants, family="negbinomial").fit("ml")
print(bm.diagnose(maximal))

# %% [markdown]
# That fit is singular: 24 genotypes do not determine four standard deviations and six correlations. The table of
# simpler formulas says what it costs to leave some out: with an effect of genotype at either level of nutrient, `(0 +
# nutrient | gen)`, 0.27 in log-likelihood for seven parameters less.
#
# ## cbpp: Laplace's approximation, quadrature, and the posterior
#
# New cases among the animals at risk in 15 herds, in four periods. The integral over a herd's effect has no formula:
# Laplace's approximation puts a normal curve in its place, quadrature sums it at several nodes.

# %%
cbpp = bm.load_data("cbpp")
disease = bm.Model("prop(incidence, size) ~ period + (1 | herd)", cbpp, family="binomial")
laplace, exact, post = disease.fit("ml"), disease.fit(bm.ML(quadrature=25)), disease.fit("nuts", seed=1)
print(bm.side_by_side(laplace, disease.fit(bm.ML(quadrature=5)), exact, post))

# %% [markdown]
# Five nodes and 25 agree to three digits, and Laplace's approximation is off by 0.05 in the log-likelihood and by
# less than a hundredth of a standard error in the fixed effects. The posterior's mean of the herds' standard
# deviation is larger, with fifteen herds and a distribution skewed to the right.

# %%
print(bm.odds_ratios(exact))
print(bm.emmeans(exact, "period", scale="response", kind="population"))

# %% [markdown]
# In the last period the odds of a case are a fifth of those in the first, in a given herd. The second table is averaged
# over herds: 22 % of the animals at risk in the first period, 6 % in the last.

# %%
bm.plot.densities(post);

# %% [markdown]
# Posterior of every herd's effect. Herd 14 is above the average herd nearly surely, herd 13 below it; those between
# overlap so much that ranking them would be idle.
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
bm.plot.forest(penalised, post);

# %% [markdown]
# Averaged over blocks, 88 % of corals without symbionts are expected to be eaten (71 to 98 %), and 39 % of those with
# both (17 to 63 %). The ranking of shrimp and both is open: their intervals overlap nearly whole.
