# %% [markdown]
# # A psychophysics experiment: thresholds, maximal random effects, and a singular fit
#
# Ten people say which of four positions held a target. The target varies in size and is shown alone or crowded by
# others. Guessing gives 25 % correct. Two questions: how large must a target be to be seen half of the time beyond
# guessing (62.5 % correct), and how much does crowding cost?
#
# ## Data from stated values
#
# The experiment is simulated, so that the answers are known. Condition is deviation coded (-0.5, 0.5): the intercept
# and the slope of size then are averages over conditions, and `condition[crowded]` is the difference. Random effects
# are maximal: everyone has their own intercept, slope, effect of crowding and interaction, all correlated.

# %%
import pandas as pd

import bayesmixed as bm

trials = pd.DataFrame(
    [
        (f"s{s}", condition, size, 30)
        for s in range(10)
        for condition in ("alone", "crowded")
        for size in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ],
    columns=["subject", "condition", "size", "trials"],
)
formula = "prop(correct, trials) ~ size * condition + (size * condition | subject)"
setting = {
    "family": "binomial",
    "link": bm.links.logit(guess=0.25),
    "contrasts": {"condition": pd.DataFrame({"crowded": [-0.5, 0.5]}, index=["alone", "crowded"])},
}
truth = {
    "Intercept": 0.84,
    "size": 1.85,
    "condition[crowded]": -0.93,
    "size:condition[crowded]": -0.10,
    "1|subject_sigma": 0.52,
    "size|subject_sigma": 0.52,
    "condition[crowded]|subject_sigma": 0.33,
    "size:condition[crowded]|subject_sigma": 0.28,
    "subject_corr": [[1, 0.66, -0.08, -0.48], [0.66, 1, -0.14, 0.11], [-0.08, -0.14, 1, 0.63], [-0.48, 0.11, 0.63, 1]],
}
trials["correct"] = bm.simulate(formula, trials, truth, seed=1, **setting)[0].astype(int)
print(trials.groupby(["condition", "size"])[["correct", "trials"]].sum().T)

# %% [markdown]
# 300 responses per size and condition, 3,000 in all. Performance rises from not far above guessing to near perfect.
#
# ## Maximum likelihood is singular

# %%
model = bm.Model(formula, trials, **setting)
ml = model.fit("ml")
print(ml.varcorr().round(2))
for components in ml.repca().values():
    print(components[["sd", "cumulative"]].round(3))

# %% [markdown]
# Four effects per person, and the fourth principal component is exactly zero: the estimated covariance has three
# dimensions. Ten people do not determine four standard deviations and six correlations; the maximum of the likelihood
# is on the boundary although the truth is not. `bm.diagnose(ml)` names the combination and lists simpler formulas:

# %%
print(bm.diagnose(ml).table[["severity", "what"]].to_string(index=False))

# %% [markdown]
# Simplify, or keep what the design asks for and add what is missing: a little prior knowledge.
#
# ## MAP and the posterior are interior

# %%
penalised = model.fit("map")
post = model.fit("nuts", seed=1)
print(bm.side_by_side(ml, penalised, post))
print("problems:", post.status.problems or "none")

# %% [markdown]
# The fixed effects agree, and lie within two standard errors of the stated 0.84, 1.85, -0.93 and -0.10. MAP adds a
# penalty that keeps standard deviations off zero and correlations off one; it is as fast as ML. The posterior says
# how uncertain they are: standard deviations have errors of a third to three quarters of their size, and correlations
# are hardly known. That, and not a correlation of 0.88, is what ten people tell.
#
# ## Psychometric curves

# %%
bm.plot.curves(penalised, "size", by="condition")

# %% [markdown]
# A panel per person: shares of correct answers and the curve of each condition with its band; dashed, that of a person
# whose effects are zero.
#
# ## Thresholds
#
# The size at which 62.5 % are correct, half way between guessing and perfection:

# %%
population = bm.inverse_predict(post, 0.625, "size", by="condition")
print(population)
print(population.contrast("pairwise"))

# %% [markdown]
# The stated values put these thresholds at -0.69 (alone) and -0.21 (crowded): a crowded target has to be larger by
# 0.48. The intervals hold all three.

# %%
persons = bm.inverse_predict(post, 0.625, "size", by=["subject", "condition"]).frame
wide = persons.pivot(index="subject", columns="condition", values=["estimate", "lower", "upper"]).round(2)
print(wide.swaplevel(axis=1).sort_index(axis=1, level=0, sort_remaining=False))

# %% [markdown]
# Each person's thresholds, partially pooled: a person's own 300 responses and what the other nine say. The same from
# the point fit takes a fraction of a second, with limits from the errors of coefficients and effects together:

# %%
print(bm.inverse_predict(penalised, 0.625, "size", by=["subject", "condition"]).frame.head(4).round(2))

# %% [markdown]
# ## Does the model fit?

# %%
print(bm.pp_check(post, ["sd", "min", "max"], by="condition", seed=1))

# %% [markdown]
# Cells of 30 responses vary as much, and their best and worst are as good and as bad, as the model predicts.
#
# ## The written report

# %%
print(bm.report(post))
