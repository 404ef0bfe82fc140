# %% [markdown]
# # Sleepstudy: one analysis from first look to predictive check
#
# Eighteen drivers slept three hours a night. Their mean reaction time in milliseconds was measured on ten days
# (Belenky et al., 2003). Two questions: by how much do reactions slow per day, and how much do people differ in it?
#
# Days 0 and 1 were adaptation and training and day 2 the baseline, all three after a normal night; sleep was restricted
# from then on. Most textbooks fit a line to all ten days, and so do the examples of this package, to have numbers that
# can be compared; [below](#from-the-baseline) is the line from the baseline.
#
# The same model in lme4, glmmTMB and bambi, with what each prints, is on [a page of its own](../from/sleepstudy.md).

# %%
import numpy as np
import pandas as pd

import bayesmixed as bm

sleep = bm.load_data("sleepstudy")
print(sleep.groupby("Days")["Reaction"].agg(["count", "mean", "std"]).round(1).T)

# %% [markdown]
# The mean rises, and so does the spread between people: a first sign that people differ in their slopes.

# %%
bm.plot.data("Reaction ~ Days + (Days | Subject)", sleep)

# %% [markdown]
# People differ in level, and far more in how much they vary over the ten days: 309 hardly does, 308 does by more
# than 200 ms.
#
# ## Everyone alike, everyone alone, or something between
#
# A regression that ignores who was measured treats 180 rows as independent. A regression per person uses ten rows
# each and says nothing of people in general. A mixed model lies between the two: people have their own lines, and
# the lines come from one population. `bm.pooling` shows all three.

# %%
model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep)
pooled = bm.pooling(model)
print(pooled)

# %% [markdown]
# The three agree on the slope, about 10.5 ms per day, since everyone was measured on the same days. They differ in its
# standard error: 1.24 if the rows are taken as independent, 1.55 if people are what was sampled.
# Below, each person's own slope (none) stands beside the one that the model gives (partial): 335's own slope is -2.9,
# the model's -0.3, because one person's ten rows say less than ten rows and seventeen other people.

# %% [markdown]
# ## Random intercepts, random slopes

# %%
intercepts = bm.Model("Reaction ~ Days + (1 | Subject)", sleep).fit("reml")
slopes = model.fit("reml")
print(bm.side_by_side(intercepts, slopes))

# %% [markdown]
# Both find 10.47 ms per day. With intercepts alone people may differ in level only, and the slope's standard error is
# 0.80; once slopes may differ too it is 1.55. The first is too small: it takes the slope to be the same in everyone,
# and the second model estimates that it varies with a standard deviation of 5.9 ms per day.

# %%
print(slopes)

# %% [markdown]
# How to read it: the average person reacts in 251 ms on day 0 and slows by 10.5 ms per day. People's levels vary around
# this with a standard deviation of 24.7 ms, their slopes with 5.9 ms per day; slow starters do not get worse faster
# (correlation 0.07). Single measurements scatter by 25.6 ms around a person's line.

# %%
bm.plot.curves(slopes)

# %% [markdown]
# A panel per person: the measurements, the person's line with its 95 % band, and the average line dashed.
#
# ## Shrinkage

# %%
bm.plot.shrinkage(slopes)

# %% [markdown]
# Each arrow runs from a person's own least-squares line to the line that the model gives: towards the population, most
# where a person's own line is far out in a direction that the spread between people makes unlikely. 308's own slope of
# 21.8 becomes 19.7; 369, in the middle, hardly moves.

# %%
bm.plot.caterpillar(slopes)

# %% [markdown]
# The same as deviations from the population, with 95 % limits: those of each effect by itself, the coefficients and
# variances taken as known. Slopes of 308, 350 and 337 are steeper than average, those of 309, 310 and 335 flatter.
#
# ## From the baseline

# %%
restricted = sleep[sleep["Days"] >= 2].assign(nights=lambda table: table["Days"] - 2)
from_baseline = bm.Model("Reaction ~ nights + (nights | Subject)", restricted).fit("reml")
print(from_baseline.coefficients.round(2))
print(from_baseline.varcorr().round(2))

# %% [markdown]
# Per night of restricted sleep reactions slow by 11.44 ms (standard error 1.85), a millisecond more than the line
# through the days of training says, and people differ by 6.8 ms per night. The slope that answers the study's question
# is this one; 10.47 mixes two days of getting used to the task with seven of lost sleep.
#
# ## Maximum likelihood against the posterior

# %%
post = model.fit("nuts", seed=1)
print(bm.side_by_side(model.fit("ml"), slopes, post))

# %% [markdown]
# The fixed effects agree. ML's standard deviations are smaller than REML's, and the posterior's means are larger than
# both: their posterior is skewed to the right, since data of eighteen people exclude small spreads better than large
# ones. What the posterior adds is a standard deviation, in brackets, for every parameter.
#
# The correlation's mean has another sign, for a reason. The default priors are stated for people's lines at the
# average day, 4.5, where level and slope go together (a correlation of 0.75 by REML: who slows more has slowed more by
# then), and the prior draws that one towards zero. With priors stated at day 0, as in brms (`priors="brms"`), its mean
# is near 0.08 and that of the intercepts' sd near 27: eighteen people leave much of the correlation to the prior.

# %%
print(model.prior_summary())

# %% [markdown]
# The priors were set from the response's own scale and hold nothing else. They are part of the model, and with eighteen
# people those of the standard deviations are felt: see the [tutorial on priors](priors.md).

# %%
draws = post.idata.posterior["Days"].to_numpy()
print(f"P(slope > 5 ms/day) = {np.mean(draws > 5):.3f}")

# %% [markdown]
# The posterior answers such questions directly: under this model and its priors.
#
# ## Does the model give data like these?

# %%
print(bm.pp_check(post, ["min", "max", "sd"], seed=1))

# %%
bm.plot.pp_check(post, seed=1)

# %% [markdown]
# The distribution of the response beside those of data that the model generates.

# %%
print(bm.residual_checks(slopes, seed=1))

# %% [markdown]
# The largest reaction time and the spread are like those of data that the model generates. The smallest is outside
# what the model predicts: the fastest responses are less fast than in normal data. The residuals are not normal
# either: most rows lie closer to the lines than normal residuals would, and three (labels 7, 56 and 59) lie beyond all
# of a thousand replicates. `family="student"` is the remedy that the page names; [comparing
# models](comparing_models.md) shows that it predicts far better, with the same average slope.
#
# ## Prediction

# %%
tomorrow = pd.DataFrame({"Days": [10, 10], "Subject": ["308", "someone else"]})
print(slopes.predict(tomorrow, new_levels="sample", interval="prediction", seed=1).round(0))

# %% [markdown]
# The interval of person 308, who was measured ten times, has half the width of the interval of a person of whom nothing
# is known: that one holds the spread between people as well. `interval="confidence"` gives the uncertainty of the mean,
# without the scatter of single measurements.
#
# ## The paragraph for the paper

# %%
print(bm.report(slopes))
