# %% [markdown]
# # Overdispersion, as a matter of routine
#
# A Poisson or binomial distribution has no parameter for its spread: the mean decides the variance. Real counts
# usually vary more, because rows differ in ways that no column holds. The estimates then are often fine and their
# standard errors too small, or, worse, variation between rows is taken for variation between groups. So after *every*
# Poisson or binomial fit:
#
# 1. `bm.diagnose(fit)`: how much more do responses vary than the family says?
# 2. Fit what allows for it: `negbinomial` or `betabinomial`, or an effect for every row, `(1 | obs)`.
# 3. Compare by AIC, check the residuals again, and look at what happened to the *groups*.
#
# ## Ticks on grouse chicks
#
# Ticks counted on 403 chicks of 118 broods at 63 places (Elston et al., 2001). Chicks of one brood are alike; is that
# all?

# %%
import numpy as np
import pandas as pd

import bayesmixed as bm

ticks = bm.load_data("grouseticks")
formula = "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | LOCATION)"
poisson = bm.Model(formula, ticks, family="poisson").fit("ml")
print(bm.diagnose(poisson))

# %% [markdown]
# Chicks vary twice as much about the effects of broods and places as a Poisson distribution lets them. Two remedies:

# %%
ticks["obs"] = np.arange(len(ticks))
negbinomial = poisson.model.replace(family="negbinomial").fit("ml")
per_row = bm.Model(formula + " + (1 | obs)", ticks, family="poisson").fit("ml")
print(bm.side_by_side(poisson, negbinomial, per_row))
print(f"AIC: Poisson {poisson.aic:.1f}, negative binomial {negbinomial.aic:.1f}, an effect per row {per_row.aic:.1f}")

# %% [markdown]
# AIC falls by almost 200. The coefficients hardly move, and here neither do their standard errors: years and heights
# vary between broods, and the effects of broods had taken care of that. (The factor in the diagnosis is that of what
# varies from row to row.) What moves is the *division*: broods' standard deviation falls a little, because part of
# what broods seemed to differ by were chicks.
#
# ## Where the standard errors pay
#
# Predictors that vary within groups, row by row, have nothing to protect them:

# %%
seizures = bm.load_data("epil")
formula = "y ~ lbase * trt + lage + V4 + (1 | subject)"
counts = bm.Model(formula, seizures, family="poisson").fit("ml")
wider = counts.model.replace(family="negbinomial").fit("ml")
print(bm.side_by_side(counts, wider))

# %% [markdown]
# V4 marks the last of four visits. As a Poisson count the drop in seizures at that visit is 2.9 of its standard errors;
# as a negative binomial it is 1.3 of them. The treatment, which differs between patients, has the same error in both.
#
# ## Which of the remedies?
#
# | | variance of a count with mean mu | what it says |
# |---|---|---|
# | `negbinomial` | mu + mu^2 / alpha | every row's mean is multiplied by a gamma variable |
# | `negbinomial1` | mu (1 + alpha) | events come in clusters |
# | `(1 \| obs)` with `poisson` | mu + mu^2 (exp(sd^2) - 1) | every row's mean is multiplied by a log-normal variable |
# | `betabinomial` | of n trials, up to n times that of the binomial | every row has a probability of its own |
# | `(1 \| obs)` with `binomial` | the same, the logit being normal | so, with a sd on the scale of the other effects |
#
# They mostly agree about everything but the last digits; AIC compares them. An effect per row has its standard
# deviation on the scale of the other random effects, so that the two can be compared. Two cautions: Laplace's
# approximation is at its worst where a row's effect has a single small count to go by (`fit.status.quadrature_shift`
# says how far off it is), and 0/1 rows cannot be overdispersed: a row of its own has nothing to repeat.
#
# ## When the test says nothing
#
# Absence of evidence is weak with few rows of small counts. Cases of a disease in 15 herds, four periods:

# %%
cbpp = bm.load_data("cbpp")
binomial = bm.Model("prop(incidence, size) ~ period + (1 | herd)", cbpp, family="binomial").fit("ml")
tests = bm.residual_checks(binomial, seed=1).frame
print(tests[tests["test"] == "dispersion"].round(2).to_string(index=False))
cbpp["obs"] = np.arange(len(cbpp))
animals = bm.Model("prop(incidence, size) ~ period + (1 | herd) + (1 | obs)", cbpp, family="binomial").fit("ml")
beta = binomial.model.replace(family="betabinomial").fit("ml")
print(bm.side_by_side(binomial, animals, beta))
print(f"AIC: binomial {binomial.aic:.1f}, an effect per row {animals.aic:.1f}, beta-binomial {beta.aic:.1f}")

# %% [markdown]
# The test is not significant, and the likelihood prefers both remedies by six units of AIC and more. The standard
# deviation of herds was 0.64; it is 0.18 or 0. A ranking of herds by the first model is a ranking of outbreaks
# ([counts and proportions](counts_and_proportions.md)). Fit the wider model whether the test rejects or not: it costs
# a parameter, and where nothing is overdispersed it says so:

# %%
table = pd.DataFrame({"group": np.repeat([f"g{i}" for i in range(20)], 10), "x": np.tile(np.arange(10.0), 20)})
params = {"Intercept": 1.0, "x": 0.05, "1|group_sigma": 0.4}
table["n"] = bm.simulate("n ~ x + (1 | group)", table, params, family="poisson", seed=1)[0]
clean = bm.Model("n ~ x + (1 | group)", table, family="poisson")
print(bm.side_by_side(clean.fit("ml"), clean.replace(family="negbinomial").fit("ml")))

# %% [markdown]
# These counts are Poisson. The negative binomial's alpha is large (the larger, the less overdispersion), its
# log-likelihood is higher by 0.2, less than its parameter costs, and estimates and errors are nearly those of the
# Poisson fit.
#
# ## Underdispersion, and too many zeros
#
# Responses that vary *less* than the family says are rarer: counts with an upper limit, or effects that follow single
# rows. Too many zeros are another fault: `bm.residual_checks` tests for them apart, after the wider family has been
# fitted, since overdispersion brings zeros of its own.
