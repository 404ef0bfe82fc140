# %% [markdown]
# # What ICC and R2 mean, and what has to be said with them
#
# Both are shares of variance: the intraclass correlation (ICC) is the share that lies between groups, R2 the share
# that a model explains. In a model with one normal error and random intercepts both are simple. With slopes, counts or
# proportions each needs a definition, and the number changes with it.
#
# ## The plain case

# %%
import numpy as np
import pandas as pd
from scipy.special import polygamma

import bayesmixed as bm

dyestuff = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
between, within = dyestuff.varcorr()["sd"] ** 2
print(f"{between:.0f} / ({between:.0f} + {within:.0f}) = {between / (between + within):.2f}")
print(bm.icc(dyestuff))

# %% [markdown]
# Two readings of 0.42: it is the share of the variance that lies between batches, and the correlation of two samples
# from one batch. *Adjusted* is the share of what the fixed effects leave (random and residual variance), *conditional*
# that of all variance, the fixed effects' included; without predictors they are the same.
#
# It is an estimate from six batches. A posterior says how uncertain it is:

# %%
print(bm.icc(dyestuff.model.fit("nuts", seed=1)))

# %% [markdown]
# ## With random slopes it depends on x
#
# Where slopes vary, the variance between groups is z' Sigma z, with z = (1, Days): another number for every day. What
# `bm.icc` prints is the *average over the rows* (Johnson, 2014).

# %%
sleep = bm.load_data("sleepstudy")
slopes = bm.Model("Reaction ~ Days + (Days | Subject)", sleep).fit("reml")
print(bm.icc(slopes))
sds = slopes.varcorr().set_index("name")
covariance = np.diag(sds["sd"][["Intercept", "Days"]] ** 2)
covariance[0, 1] = covariance[1, 0] = sds.loc["Days", "Intercept"] * np.sqrt(covariance[0, 0] * covariance[1, 1])
days = np.arange(10)
z = np.column_stack([np.ones(10), days])
between = np.einsum("ij,jk,ik->i", z, covariance, z)
print(pd.Series(between / (between + slopes.sigma**2), index=pd.Index(days, name="Days")).round(2).to_frame("share").T)

# %% [markdown]
# People make up 0.48 of the variance on day 0, 0.85 on day 9, and 0.72 of its average. So 0.72 is a fact about *these
# days*: a study of the first three days with the same people would report less. It is the correlation of no two
# measurements in particular either. Report the standard deviations; they do not depend on which days were measured.
#
# ## R2: marginal and conditional

# %%
print(bm.r2(slopes))

# %% [markdown]
# The *marginal* R2 is the share of the fixed effects, 0.28: what days explain in a person of whom nothing is known. The
# *conditional* one is that of fixed and random effects together, 0.80 (Nakagawa, Johnson and Schielzeth, 2017). It says
# how well people's own lines fit, not that the model explains why they differ. Both grow with the spread of the
# predictors: measure more days and the same slope has a larger share.
#
# For draws there is a second definition, Gelman's: per draw the variance of the fitted means over the rows, divided by
# itself plus the residual variance. It describes the rows at hand; Nakagawa's, the population:

# %%
post = slopes.model.fit("nuts", seed=1)
print(bm.r2(post))

# %% [markdown]
# ## Counts: the residual variance is an approximation
#
# On the logarithmic scale a count has no residual variance; one is assigned to it. Three approximations are common, for
# Var(y) / mu^2 = v: `log(1 + v)` ("lognormal"), `1 / v` put through the trigamma function ("trigamma"), and v itself
# ("delta"). They agree while v is small. A negative binomial with much overdispersion is another matter:

# %%
plants = bm.load_data("Arabidopsis").rename(columns={"total.fruits": "fruits"})
formula = "fruits ~ factor(nutrient) * amd + factor(rack) + status + (1 | popu) + (1 | gen)"
fruits = bm.Model(formula, plants, family="negbinomial").fit("ml")
names = ("lognormal", "delta", "trigamma")
shares = {name: bm.icc(fruits, approximation=name).frame["adjusted"] for name in names}
print(pd.DataFrame(shares).round(3))
v = 1 / plants["fruits"].mean() + 1 / fruits.dispersion["alpha"]
print(f"v = {v:.2f}: lognormal {np.log1p(v):.2f}, delta {v:.2f}, trigamma {polygamma(1, 1 / v):.2f}")

# %% [markdown]
# The same fit has an ICC of 0.25 or 0.08. The trigamma value is the exact variance of the logarithm of a gamma variable
# with this v, and a negative binomial is a Poisson count of which the mean is multiplied by such a variable; prefer it
# where v is not small. And v depends on the mean, so
# that the level at which it is taken has to be said too: `mean=` chooses, and the line below each table says what was
# chosen. A number without approximation and level cannot be compared with another paper's.
#
# ## Proportions: a variance of the scale
#
# Of a logit model the residual variance is pi^2 / 3 = 3.29, that of the logistic distribution: the variance of an
# unobserved response of which only the sign is seen. With a probit link it is 1. The share then is that of *this
# variable*, not of cases and not of probabilities.

# %%
cbpp = bm.load_data("cbpp")
herds = bm.Model("prop(incidence, size) ~ period + (1 | herd)", cbpp, family="binomial").fit("ml")
print(bm.icc(herds))

# %% [markdown]
# 0.11 is the share for *one animal's* outcome. For a herd's proportion among n animals the between-herd share is
# larger, as the mean of n is less variable, and a model that allows for [overdispersion](overdispersion.md) has
# another value altogether. With a guessing rate the shares are those of the latent scale, guesses apart.
#
# ## What to report
#
# - Standard deviations with their units, always. They have one definition.
# - An ICC with its definition (adjusted or conditional), and the values of x for which it holds if slopes vary.
# - Of generalized models the scale, the approximation and the mean at which it was taken.
# - An interval: with few groups the point is nearly arbitrary. Point fits give none here; draws do.
# - R2 for description. It does not compare models ([leave-one-out does](comparing_models.md)), and a high conditional
#   R2 says that groups differ, not that the model is right.
