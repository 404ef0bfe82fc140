# %% [markdown]
# # 1,200 neurons from 24 mice
#
# Neuroscientists record hundreds of cells from a few animals. Cells of one animal are alike, so that hundreds of cells
# are not hundreds of independent observations. This page follows Yu et al. (2022, *Neuron* 110, 21-35), who show what
# goes wrong when that is ignored, on examples that are close to theirs.
#
# **The data here are simulated or built to match.** Where the authors' data are not ours to ship, a twin is drawn from
# the numbers that they published. A test of this package runs the steps below on the public data of example 1 and meets
# the published numbers to the digits printed.
#
# ## Example 1: one treatment per mouse
#
# 24 mice in five groups (before a treatment, and 24 h, 48 h, 72 h and a week after it), about 50 cells each. Published
# are the groups' means, the standard deviations between mice (0.455) and within mice (0.600), and the share of variance
# between mice in each group (0.62, 0.33, 0.02, 0.63, 0.54). The twin has these, each group's total variance being that
# of the two standard deviations.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

import bayesmixed as bm

groups = pd.DataFrame(
    {
        "mice": [7, 6, 3, 3, 5],
        "cells": [357, 309, 139, 150, 245],
        "mean": 1.0009 + np.array([0.0, 0.8192, 0.8427, 0.1897, -0.3203]),
        "icc": [0.62, 0.33, 0.02, 0.63, 0.54],
    },
    index=pd.CategoricalIndex(["before", "24h", "48h", "72h", "1wk"], ordered=False, name="time"),
)
total = 0.455**2 + 0.600**2

parts = []
for number, (time, group) in enumerate(groups.iterrows()):
    mice = [f"{time}-{1 + i % group.mice:.0f}" for i in range(int(group.cells))]
    part = pd.DataFrame({"time": time, "mouse": mice})
    params = {
        "Intercept": group["mean"],
        "1|mouse_sigma": np.sqrt(total * group.icc),
        "sigma": np.sqrt(total * (1 - group.icc)),
    }
    parts.append(part.assign(signal=bm.simulate("signal ~ 1 + (1 | mouse)", part, params, seed=number)[0]))
neurons = pd.concat(parts, ignore_index=True)
neurons["time"] = pd.Categorical(neurons["time"], categories=list(groups.index))
look = neurons.groupby("time", observed=True)
print(look.agg(cells=("signal", "size"), mice=("mouse", "nunique"), mean=("signal", "mean")).round(2))
bm.plot.data("signal ~ time + (1 | mouse)", neurons, by="time")

# %% [markdown]
# A row per mouse, a colour per group. Cells of one mouse lie together, and mice of one group can lie far apart.

# %% [markdown]
# ### The linear model, and why it fails

# %%
linear = bm.Model("signal ~ time", neurons).fit("reml")
mixed = bm.Model("signal ~ time + (1 | mouse)", neurons).fit("reml")
print(bm.side_by_side(linear, mixed))

# %% [markdown]
# The estimates agree. Their standard errors do not: the mixed model's are five to six times as large, because it knows
# that a treatment was given to mice, of which there are 24, and not to 1,200 cells.

# %%
print(bm.icc(mixed))
print(bm.icc(mixed, "time", method="anova"))

# %% [markdown]
# The intraclass correlation is the share of variance that lies between mice; it is also the correlation of two cells of
# one mouse. With 50 cells per mouse and 0.56, a mouse's mean is worth 50 / (1 + 49 * 0.56) = 1.8 independent cells. The
# second table has one share per group, by the analysis of variance that the authors used. With three to seven mice per
# group its limits are wide; they all include the published shares from which the twin was drawn, except for 72h, where
# three simulated mice happen to differ by more.
#
# ### 1,000 data sets in which nothing happens
#
# Shuffle the labels of the groups among the mice, each mouse keeping its cells: no treatment has an effect any more,
# and a right test gives p < 0.05 in 5 % of such data sets. Each is tested by a linear model (analysis of variance of
# all cells) and by the mixed model (an F test with 24 mice - 5 means = 19 degrees of freedom).


# %%
def mixed_p(fit, df=24 - 5):
    """p of "all groups have the same mean", by F with as many degrees of freedom as mice are left."""
    difference, covariance = fit.fixef().to_numpy()[1:], fit.vcov().to_numpy()[1:, 1:]
    F = difference @ np.linalg.solve(covariance, difference) / len(difference)
    return stats.f.sf(F, len(difference), df)


rng = np.random.default_rng(1)
time_of = neurons.groupby("mouse")["time"].first()
null = []
for _ in range(1000):
    labels = pd.Series(rng.permutation(time_of.to_numpy()), index=time_of.index)
    shuffled = neurons.assign(time=neurons["mouse"].map(labels))
    lm = stats.f_oneway(*[cells for _, cells in shuffled.groupby("time", observed=True)["signal"]]).pvalue
    lme = mixed_p(bm.Model("signal ~ time + (1 | mouse)", shuffled).fit("reml"))
    null.append((lm, lme))
null = pd.DataFrame(null, columns=["LM", "LME"])
print((null < 0.05).mean().round(3))

# %%
figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
for ax, name in zip(axes, null, strict=True):
    ax.hist(null[name], bins=np.linspace(0, 1, 21), color="0.6", edgecolor="white")
    ax.axhline(50, color="black", linewidth=1)
    ax.set(title=name, xlabel="p-value", ylabel="data sets of 1,000")
plt.show()

# %% [markdown]
# p-values of a right test are uniform: 50 in each bar (the line). Those of the linear model pile up at zero: nearly
# every data set without an effect would be published as one with. The mixed model rejects in 3.3 %, fewer than the 5 %
# that were asked for (the standard error of 1,000 data sets is 0.7 %): the test is conservative here, which costs power
# and invents no effects.
#
# ### The analysis

# %%
print(f"LM p = {stats.f_oneway(*[cells for _, cells in look['signal']]).pvalue:.1e}, LME p = {mixed_p(mixed):.3f}")
print(bm.emmeans(mixed, "time").contrast("trt.vs.ctrl"))

# %% [markdown]
# The linear model calls differences between groups certain. By the mixed model groups differ somewhere (p = 0.035), and
# for no single group does the difference from "before" stand out, once four comparisons are adjusted for.
#
# One mean per mouse, analysed by ordinary regression, would have done as well here, since treatments vary between mice
# only and numbers of cells are about equal:

# %%
bm.plot.pooling(bm.pooling(mixed), "time[24h]")

# %% [markdown]
# Complete pooling (the linear model) has a narrow interval around the same estimate; the mixed model and the analyses
# of means agree. What the mixed model adds are unequal numbers of cells, predictors that vary within mice, and an
# estimate of how much mice differ.

# %%
post = bm.Model("signal ~ time + (1 | mouse)", neurons).fit("nuts", seed=1)
print(bm.emmeans(post, "time"))
later = post.idata.posterior["time"].sel(time_dim="24h").to_numpy()
print(f"P(24h is above before) = {np.mean(later > 0):.2f}")
print(f"t with 19 degrees of freedom, one comparison, one side: {stats.t.cdf(2.130, 19):.2f}")
print(f"the same, two sides: p = {2 * stats.t.sf(2.130, 19):.3f}")

# %% [markdown]
# The probability that the mean at 24 h is above the first one is 0.97, where the table above has p = 0.15. The two do
# not contradict each other. A probability of one side of one comparison is a one-sided matter without adjustment: by t
# it is 0.98, a two-sided p of 0.046, as the last two lines say. The table's 0.15 is that of the largest of four
# comparisons, any of which might have stood out. A probability near one for *one* of four groups, picked because it
# was the largest, deserves the same caution; it is not adjusted for having been picked.
#
# ## Example 2: every mouse in every session
#
# Four mice in four sessions, 18 to 254 cells each. The data are a stand-in built to have the published linear and mixed
# results; nothing else in them is the authors'.

# %%
sessions = bm.load_data("yu_example2_SURROGATE")
print(pd.crosstab(sessions["midx"], sessions["treatment_idx"]))

# %%
lm = bm.Model("res ~ treatment_idx", sessions).fit("ml")
lme = bm.Model("res ~ treatment_idx + (1 | midx)", sessions).fit("ml")
print(bm.side_by_side(lm, lme))

# %% [markdown]
# The linear model finds session 2 lower by 0.078 (4.6 standard errors), the mixed model by 0.017 (one standard error).
# Mice differ in level and contribute unequal numbers of cells: mouse 1 has 254 of the 425 cells of session 2, and the
# linear model takes its level for an effect of the session.

# %%
print(sessions.pivot_table(index="midx", columns="treatment_idx", values="res", observed=True).round(2))

# %% [markdown]
# In the stand-in the means of the sessions reverse from mouse to mouse, by far more than a common effect. A model that
# lets each mouse have its own effect of each session says how little four mice tell then:

# %%
own = bm.Model("res ~ treatment_idx + (1 | midx) + (1 | midx:treatment_idx)", sessions).fit("reml")
print(bm.side_by_side(lme, own))

# %% [markdown]
# The standard errors are 13 times as large. (A sigma of 0.005 shows how the stand-in was made: nearly all its variation
# lies between mouse and session pairs.) Which random effects a model has is not a detail: look at the means per mouse
# before choosing them.
#
# ## Example 3: two measures of every cell
#
# Eleven mice, two measures per cell (before and after). Published are only the p-values of the treatment: 0.0036 by a
# linear model, 0.0001 by a mixed one. This twin has values of our own: cells differ more than treatments do.

# %%
paired = pd.DataFrame(
    [(f"m{m}", f"m{m}c{c}", t) for m in range(11) for c in range(20) for t in ("after", "before")],
    columns=["midx", "cidx", "treatment"],
)
paired["treatment"] = pd.Categorical(paired["treatment"], categories=["before", "after"])
params = {"Intercept": 1.0, "treatment": 0.1, "1|midx_sigma": 0.2, "1|midx:cidx_sigma": 0.4, "sigma": 0.25}
paired["res"] = bm.simulate("res ~ treatment + (1 | midx/cidx)", paired, params, seed=3)[0]

lm = bm.Model("res ~ treatment", paired).fit("reml")
lme = bm.Model("res ~ treatment + (1 | midx/cidx)", paired).fit("reml")
print(bm.side_by_side(lm, lme))

# %% [markdown]
# Here ignoring the pairs makes the standard error too *large*: a cell is compared with itself, and what cells have in
# common falls out of the difference. Clustering does not always make intervals wider; it depends on whether what is
# compared lies between groups or within them.
#
# Could each cell also have its own effect of the treatment, `(treatment | cidx)`? Then there are as many effects as
# rows, and nothing tells a cell's own effect from the error of its two measures. That is refused unless you insist:

# %%
maximal = "res ~ treatment + (1 | midx) + (treatment | cidx)"
try:
    bm.Model(maximal, paired).fit("reml")
except bm.errors.ModelError as error:
    print(error)

# %%
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    excess = bm.Model(maximal, paired, check="warn").fit("reml")
print(said[0].message)
print(bm.side_by_side(lme, excess))

# %% [markdown]
# The fixed effects are those of the smaller model. Two measures per cell determine two variances and a covariance; the
# larger model has four parameters for these three, so that its split into effects of cells and sigma is arbitrary. Use
# the smaller model.
#
# ## Example 4: does activity predict licking?
#
# 512 trials of eight mice: did the mouse lick, given the fluorescence of its neurons (dff)? Again a stand-in, built to
# have the published slope and standard error.

# %%
trials = bm.load_data("waterlick_SURROGATE")
lick = bm.Model("lick ~ dff + (1 | mouseID)", trials, family="bernoulli").fit("ml")
print(lick)

# %%
print(bm.odds_ratios(lick))

# %% [markdown]
# Each unit of dff multiplies the odds of licking by 1.064 (95 %: 1.024 to 1.107), the published 6.4 % (2.4 to 10.7 %).
# That is for one mouse. Averaged over mice and trials, as a change of probability:

# %%
print(bm.comparisons(lick, {"dff": 10}, newdata="data", average=True, kind="population"))
print(f"log-likelihood would move by {lick.status.quadrature_shift:.3f} with more quadrature nodes")

# %% [markdown]
# Ten units more raise the probability of licking by about 15 percentage points. The last line says that Laplace's
# approximation is good enough here: the log-likelihood is within 0.02 of the exact one.
