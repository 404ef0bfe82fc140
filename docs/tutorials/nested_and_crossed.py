# %% [markdown]
# # Nested and crossed: what `/`, `:` and `||` mean
#
# Whether two grouping factors are nested or crossed is a fact about how data were collected, not a choice. Three
# classic data sets and one from a laboratory show what to write for each.
#
# ## Nested: casks within batches
#
# Ten batches of a chemical paste were delivered in casks; three casks of each batch were tested, each twice.

# %%
import pandas as pd

import bayesmixed as bm

pastes = bm.load_data("Pastes")
print(pastes.head(6))

# %% [markdown]
# Cask `a` of batch A has nothing to do with cask `a` of batch B: casks are nested in batches. `(1 | batch/cask)` says
# so. It is short for an effect per batch and one per cask *within its batch*, which `:` names:

# %%
slash = bm.Model("strength ~ 1 + (1 | batch/cask)", pastes).fit("reml")
colon = bm.Model("strength ~ 1 + (1 | batch) + (1 | batch:cask)", pastes).fit("reml")
unique = bm.Model("strength ~ 1 + (1 | batch) + (1 | sample)", pastes).fit("reml")
wrong = bm.Model("strength ~ 1 + (1 | batch) + (1 | cask)", pastes).fit("reml")
print(bm.side_by_side(slash, colon, unique, wrong))

# %% [markdown]
# The first three are the same model: `sample` holds labels that are unique already (`A:a`, `A:b`, ...), so that nesting
# is visible in the data. The fourth is another model and a mistake here: it has three casks instead of thirty, and its
# log-likelihood is 27 lower. With labels that repeat between groups, write `/`, or make the labels unique.

# %%
print(bm.icc(slash))

# %% [markdown]
# What these shares mean, and what they become with slopes or counts, is a page of its own: [ICC and
# R2](icc_and_r2.md). Here 78 % of the variance is between casks of one batch, 15 % between batches, and the rest, 6 %,
# between two tests of one cask. To learn more about a batch, test more casks rather than the same cask again.
#
# ## Crossed: plates and samples of penicillin
#
# Six samples of penicillin were tested on each of 24 plates: every sample meets every plate, neither is within the
# other.

# %%
penicillin = bm.load_data("Penicillin")
print(pd.crosstab(penicillin["sample"], penicillin["plate"]).iloc[:, :8])

# %%
crossed = bm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", penicillin).fit("reml")
print(crossed)

# %% [markdown]
# Samples differ by 1.93 mm, plates by 0.85, and a single reading scatters by 0.55. A sample's effect is the same on all
# plates. If it could differ by plate, one would add `(1 | plate:sample)`, which needs more than one reading per pair.

# %%
bm.plot.caterpillar(crossed, "sample")

# %% [markdown]
# Samples A and C lie two millimetres above the average, F three below, with limits of less than half a millimetre: of a
# sample's effect by itself, the average taken as known. That average is known to 0.81 mm only, since six samples were
# drawn.
#
# ## An experiment that is both: workers and machines
#
# Six workers used each of three machines three times. Machines are what we ask about (fixed), workers are sampled
# (random), and the two are crossed. How may workers differ?

# %%
machines = bm.load_data("Machines")
formulas = {
    "level": "score ~ Machine + (1 | Worker)",
    "nested": "score ~ Machine + (1 | Worker/Machine)",
    "diagonal": "score ~ Machine + (Machine || Worker)",
    "full": "score ~ Machine + (Machine | Worker)",
}
fits = {name: bm.Model(formula, machines).fit("reml") for name, formula in formulas.items()}
print(bm.side_by_side(*fits.values()))

# %% [markdown]
# In this order of columns:
#
# - `(1 | Worker)`: workers differ in level, machines suit all of them alike.
# - `(1 | Worker/Machine)`: a worker also has a deviation for each machine, all with one standard deviation.
# - `(Machine || Worker)`: an effect per column (intercept, B - A, C - A), each with its own standard deviation, no
#   correlations. Factors are split into their columns here; lme4's `||` leaves factors correlated.
# - `(Machine | Worker)`: the same with all correlations.
#
# The residual standard deviation falls from 3.2 to 1.0 once workers may differ by machine, and the standard error of
# B - A rises from 1.05 to 2.4: with six workers, how much machines differ *for workers in general* is less sure than 54
# rows suggest. The first model would have called it surer than it is.
#
# `||` depends on coding: with other contrasts `(Machine || Worker)` is another model. The nested form and the full one
# do not depend on it.

# %%
print(bm.emmeans(fits["full"], "Machine").contrast("pairwise", adjust="none"))

# %% [markdown]
# Machine C is ahead of A by 13.9 points; by how much it is ahead of B, six points, is less sure. The `df` matter: every
# worker used every machine, so that a difference of two machines is a mean of six workers' differences, and its error
# has 5 degrees of freedom whatever the number of rows. Limits of the normal distribution, as if the variances were
# known, would be a quarter narrower and exclude zero for B - C. A posterior carries that uncertainty by itself:

# %%
post = bm.Model(formulas["full"], machines).fit("nuts", seed=1)
print(bm.emmeans(post, "Machine").contrast("pairwise"))

# %% [markdown]
# The differences and their intervals are about the same. With six workers the priors of their spread have a part in
# these widths. (`adjust="tukey"`, the default for point fits, would widen the limits for three comparisons at once;
# intervals of draws are not adjusted.)
#
# ## Cells within mice, each measured several times
#
# Labels of cells restart in every mouse, as they do in most laboratories. Values are simulated from stated parameters,
# so that we know what should come out: standard deviations of 0.5 between mice, 0.3 between cells of a mouse, and 0.2
# between measurements of a cell.

# %%
cells = pd.DataFrame(
    [(f"m{m}", f"c{c}", t) for m in range(8) for c in range(12) for t in range(4)], columns=["mouse", "cell", "time"]
)
params = {"Intercept": 1.0, "1|mouse_sigma": 0.5, "1|mouse:cell_sigma": 0.3, "sigma": 0.2}
cells["signal"] = bm.simulate("signal ~ 1 + (1 | mouse/cell)", cells, params, seed=4)[0]

right = bm.Model("signal ~ 1 + (1 | mouse/cell)", cells).fit("reml")
only_mice = bm.Model("signal ~ 1 + (1 | mouse)", cells).fit("reml")
only_cells = bm.Model("signal ~ 1 + (1 | mouse:cell)", cells).fit("reml")
print(bm.side_by_side(right, only_mice, only_cells))

# %% [markdown]
# With both levels the three standard deviations are found again. Without cells, their variance is counted as
# measurement error. Without mice, 96 cells count as independent and the standard error of the mean is a third of what
# it should be. Whatever was sampled in steps (clinics, patients, visits; colonies, nests, eggs) gets an effect per
# step.
