# %% [markdown]
# # Priors, and how to see what they say before any data
#
# A posterior is prior times likelihood. With many rows the likelihood speaks alone; with few groups, or in the tails
# of a logit, the prior speaks too, and more rows of the same groups add little to what is known about how much groups
# differ. This page shows how to read the priors of a model, how to see what they imply, and how to tell where they
# matter.

# %%
import matplotlib.pyplot as plt
import numpy as np

import bayesmixed as bm

sleep = bm.load_data("sleepstudy")
model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep)
print(model.prior_summary())

# %% [markdown]
# Every parameter has a prior with a width in the response's own units: before the data, the slope lies between -96 and
# 96 ms per day with 95 % probability, which excludes nothing that anyone would measure. The location and scale of the
# response were taken from the data, which are so used twice; weakly, since 140 ms are many standard errors of its mean.
#
# The standard deviations and the correlation are those of people's lines *at the average day*, as a line below the
# table says. Counting days from another origin, or in another unit, gives the same posterior. The two columns of
# Subject share one spread: half-Normal with the response's standard deviation over the square root of two, per unit of
# the column.
#
# The second table says what the priors imply *together*, which single lines do not show: how much people may differ (12
# to 97 ms, where the response has a standard deviation of 56), which share of the variance that would be (anything from
# 0.02 to 0.99), and how much responses would vary: by 140 ms in the median, because nothing is held about the slope.
#
# ## Simulate from the priors


# %%
def simulated_curves(model, seed=1):
    """Fifty data sets from the priors alone: the first person of each."""
    prior = model.prior_predictive(50, seed=seed)
    reactions = prior.prior_predictive["Reaction"].to_numpy()[0]
    figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
    ax.plot(np.arange(10), reactions[:, :10].T, color="0.6", linewidth=0.8)
    ax.plot(np.arange(10), sleep["Reaction"].to_numpy()[:10], color="black", linewidth=2)
    ax.axhline(0, color="red", linewidth=0.8)
    ax.set(xlabel="Days", ylabel="Reaction (ms)", ylim=(-500, 1500))
    plt.show()
    return reactions


default = simulated_curves(model)
print(f"below zero: {np.mean(default < 0):.0%}, above a second: {np.mean(default > 1000):.0%}")

# %% [markdown]
# Grey lines are people that the priors hold possible, the black one is a real one. Some react before the stimulus
# (below the red line). The default is wide on purpose: it holds the location and the scale of the response, and nothing
# of what is known about reactions.
#
# If you know more, say so. Reaction times lie around 300 ms; lack of sleep slows by some tens of milliseconds a day at
# most; people differ by tens of milliseconds.

# %%
import numpyro.distributions as dist

informed = model.replace(
    priors={
        "Intercept_centered": dist.Normal(300, 50),
        "Days": dist.Normal(0, 15),
        "1|Subject_sigma": dist.HalfNormal(50),
        "Days|Subject_sigma": dist.HalfNormal(15),
        "sigma": dist.HalfNormal(50),
    }
)
told = simulated_curves(informed)
print(f"below zero: {np.mean(told < 0):.1%}, above a second: {np.mean(told > 1000):.1%}")

# %% [markdown]
# Hardly any impossible person is left. A prior need not be right, it should not put its weight on the impossible.
#
# ## Does it matter?

# %%
post = model.fit("nuts", seed=1)
at_day_0 = model.replace(priors=bm.priors.as_typed("default")).fit("nuts", seed=1)
print(bm.side_by_side(post, informed.fit("nuts", seed=1), at_day_0))

# %% [markdown]
# The fixed effects and sigma do not care: nothing moves by more than a tenth of its posterior standard deviation. How
# *wide* the priors are hardly matters for the rest either: the second column, informed, and the third, which has the
# default's numbers, agree. What matters is *where* they are stated. Priors that you name are those of the columns as
# typed, of people's lines at day 0, and so are those of the third column (as in brms and rstanarm); the default's are
# of lines at the average day. Between the first column and the others the intercepts' standard deviation and the
# correlation differ by more than half of a posterior standard deviation. Where an answer depends on the prior, a
# report has to say so; `bm.priors.centered({...})` states yours at the average day.

# %%
bm.plot.prior_posterior(post)

# %% [markdown]
# Where the posterior is much narrower than the prior the data have spoken: the fixed effects and sigma. The standard
# deviations are narrowed less, and the correlation least.
#
# ## Where priors decide: few groups
#
# Keep four people only.

# %%
four = sleep[sleep["Subject"].isin(["308", "309", "330", "335"])]
few = bm.Model("Reaction ~ Days + (1 | Subject)", four)
reml = few.fit("reml")
wide = few.replace(priors={"1|Subject_sigma": dist.HalfCauchy(100)}).fit("nuts", seed=1)
narrow = few.replace(priors={"1|Subject_sigma": dist.HalfNormal(25)}).fit("nuts", seed=1)
print(bm.side_by_side(reml, wide, narrow))

# %% [markdown]
# With four people the prior of their spread decides how large it is found to be (74 or 43 ms), and with it the
# uncertainty of the intercept (41 or 25); the slope does not care.
#
# The second prior *conflicts* with the data. REML's estimate, 55 ms, is more than two standard deviations of
# HalfNormal(25) away from zero, a place to which that prior gives a probability of 3 %; the posterior lies between the
# two, and the intercept's error of 25 is below REML's 30, which is already too small with four people. Such a prior
# needs a reason from outside the data. Without one, widen it: the default, half-Normal(0, 64) here, gives 63 ms with an
# error of the intercept of 35. The width of a posterior with few groups comes largely from its prior; a report has to
# say which was used, and `bm.report` does.
#
# ## Presets
#
# | `priors=` | What |
# |---|---|
# | `"default"` | weakly informative, in units of the response, as above |
# | `"cautious"` | the default with longer tails, half-Student-t(3), for standard deviations |
# | `"brms"`, `"rstanarm"`, `"bambi"` | the conventions of those programs, origin of columns included, for comparison |
# | `bm.priors.centered("brms")` | its numbers, stated at columns' means; `bm.priors.as_typed("default")` the reverse |
# | `"boundary_avoiding"` | keeps standard deviations off zero (also what `"map"` uses) |
# | `"flat"` | none, where that is possible |
# | `{name: distribution}` | yours, laid over the default |
# | a function of design and family | a preset of yours |
#
# ## On the scale of a logit wide is not vague

# %%
cbpp = bm.load_data("cbpp")
usual = bm.Model("prop(incidence, size) ~ 1 + (1 | herd)", cbpp, family="binomial")
vague = usual.replace(priors={"Intercept_centered": dist.Normal(0, 10)})
figure, axes = plt.subplots(1, 2, figsize=(7, 2.6), sharey=True, layout="constrained")
for ax, name, of in zip(axes, ["Normal(0, 10)", "default"], [vague, usual], strict=True):
    intercept = of.prior_predictive(4000, seed=1).prior["Intercept"].to_numpy().ravel()
    ax.hist(1 / (1 + np.exp(-intercept)), bins=25, color="0.6")
    ax.set(title=name, xlabel="prior of a typical herd's probability")
plt.show()

# %% [markdown]
# A standard deviation of 10 on the logit scale says that a herd has either no case or nothing but cases: wide on one
# scale is extreme on another. The default, centred on the proportion in the data, holds all probabilities possible. It
# is wide too: of whole data sets like this one, one in five would have an incidence below 5 or above 95 %
# ([decision 17](../decisions/0017-default-priors-know-no-origin.md)).
