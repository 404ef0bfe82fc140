# %% [markdown]
# # Subjects and items: an experiment in which two things are sampled
#
# People name printed words; a related or an unrelated word was shown just before. Both the people and the words are
# samples, and a conclusion is meant for other people *and* other words. The two are crossed: every person sees every
# word. The experiment is simulated, so that what should come out is known.

# %%
import numpy as np
import pandas as pd
from scipy import stats

import bayesmixed as bm


def experiment(subjects, items):
    """Everyone names every word once, half of them after a related one; which half alternates (a Latin square)."""
    trials = pd.DataFrame([(s, i) for s in range(subjects) for i in range(items)], columns=["s", "i"])
    trials["prime"] = pd.Categorical(np.where((trials["s"] + trials["i"] // 2) % 2, "unrelated", "related"))
    trials["word"] = pd.Categorical(np.where(trials["i"] % 2, "rare", "frequent"))
    trials["subject"], trials["item"] = "s" + trials["s"].astype(str), "w" + trials["i"].astype(str)
    return trials.drop(columns=["s", "i"])


trials = experiment(30, 24)
coding = {
    "prime": pd.DataFrame({"cost": [-0.5, 0.5]}, index=["related", "unrelated"]),
    "word": pd.DataFrame({"cost": [-0.5, 0.5]}, index=["frequent", "rare"]),
}
formula = "log_rt ~ prime * word + (prime * word | subject) + (prime | item)"
print(trials.groupby(["prime", "word"], observed=True)["item"].agg(["size", "nunique"]))

# %% [markdown]
# ## Which effects may vary?
#
# A fixed effect may vary between subjects if it varies *within* subjects, and between items if it varies within items:
#
# | | within subjects | within items |
# |---|---|---|
# | intercept | yes: `1` | yes: `1` |
# | `prime` (related or unrelated) | yes: everyone sees both | yes: every word follows both |
# | `word` (frequent or rare) | yes: everyone sees both | **no**: a word is one or the other |
# | `prime:word` | yes | no |
#
# Hence `(prime * word | subject) + (prime | item)`, the *maximal* model of this design. `(prime * word | item)` would
# ask how much a word's frequency affects that same word.
#
# ## Contrast coding
#
# Both factors are coded -0.5 and 0.5. Then the intercept is the mean of the four cells, each main effect is the average
# difference, and `prime:word` is the difference of the two differences. With the default treatment contrasts (0 and 1),
# `prime` is the effect *for frequent words*, and `word` the effect after a related prime: "simple effects", which are
# often reported as main effects by mistake. Codes of -1 and 1 would give half of each difference.
#
# The coding also decides what the standard deviations of the random effects are of. With -0.5 and 0.5, `1|subject` is
# how much people differ on average over conditions; with treatment contrasts it is how much they differ in the
# reference cell, and its correlation with the other effects is partly made by that choice. The full covariance is the
# same model either way; `(prime || subject)` and every model without some correlations is not.

# %%
truth = {
    "Intercept": 6.4,
    "prime[cost]": 0.06,
    "word[cost]": 0.08,
    "prime[cost]:word[cost]": 0.0,
    "1|subject_sigma": 0.15,
    "prime[cost]|subject_sigma": 0.04,
    "word[cost]|subject_sigma": 0.04,
    "prime[cost]:word[cost]|subject_sigma": 0.02,
    "subject_corr": np.eye(4),
    "1|item_sigma": 0.08,
    "prime[cost]|item_sigma": 0.06,
    "item_corr": np.eye(2),
    "sigma": 0.22,
}
trials["log_rt"] = bm.simulate(formula, trials, truth, contrasts=coding, seed=6)[0]
maximal = bm.Model(formula, trials, contrasts=coding).fit("reml")
treatment = bm.Model(formula, trials).fit("reml")
print(maximal.coefficients.round(3), treatment.coefficients.round(3), sep="\n\n")
print(f"REML log-likelihoods: {maximal.loglik:.2f} and {treatment.loglik:.2f}")

# %% [markdown]
# The same log-likelihood, twice the same model. The second `prime` is the effect for frequent words alone.
#
# Reaction times are skewed; their logarithms are analysed here, so that an effect of 0.06 is 6 % of the time. For raw
# milliseconds: `family="lognormal"`, the same model fitted by ML.
#
# ## Maximal, and then?

# %%
for problem in maximal.status.problems or ["no problems"]:
    print("-", problem)
for name, components in maximal.repca().items():
    print(name)
    print(components[["sd", "cumulative"]].round(3))

# %% [markdown]
# Thirty people do not determine four standard deviations and six correlations: as so often with a maximal model, the
# maximum is on the boundary. What is known to vary (the principal components that are not zero) fits into fewer
# dimensions. A *parsimonious* model keeps what the tested effects need and gives up what the data cannot show: first
# correlations, then the variance of the interaction, which is small and badly determined. MAP keeps everything and ends
# off the boundary.

# %%
parsimonious = bm.Model("log_rt ~ prime * word + (prime + word || subject) + (prime || item)", trials, contrasts=coding)
intercepts = bm.Model("log_rt ~ prime * word + (1 | subject) + (1 | item)", trials, contrasts=coding)
rivals = {
    "maximal, REML": maximal,
    "maximal, MAP": maximal.model.fit(bm.MAP(criterion="reml")),
    "parsimonious": parsimonious.fit("reml"),
    "intercepts": intercepts.fit("reml"),
}
table = {
    name: {"prime": f.fixef()["prime[cost]"], "se": np.sqrt(f.vcov().loc["prime[cost]", "prime[cost]"])}
    for name, f in rivals.items()
}
print(pd.DataFrame(table).T.round(4))

# %% [markdown]
# The first three agree on the effect, and its error is 0.021 to 0.025. The last leaves out that words and people
# differ in their priming, and its error of 0.016 is too small.
#
# How much words differ in level and in priming, by MAP:

# %%
bm.plot.caterpillar(rivals["maximal, MAP"], "item")

# %% [markdown]
# AIC should not make this choice: it may drop a slope that belongs in the design because one sample shows little of
# it, and the error of exactly the tested effect pays. Drop correlations and slopes of untested effects first, keep the
# slope of what is tested, and report what was dropped.
#
# ## What goes wrong when words are forgotten
#
# The traditional analysis averages over words and tests subjects' means (F1). Here is its rate of false positives when
# *no* effect exists in the population of words, for priming (within words) and for frequency (between words).

# %%
null = truth | {"prime[cost]": 0.0, "word[cost]": 0.0}
tested = bm.Model("log_rt ~ prime + word + (prime + word | subject) + (prime | item)", trials, contrasts=coding)


def by_subjects(trials, y, factor):
    """p of a paired t test of subjects' means."""
    means = trials.assign(y=y).groupby(["subject", factor], observed=True)["y"].mean().unstack()
    return stats.ttest_rel(means.iloc[:, 0], means.iloc[:, 1]).pvalue


def by_mixed_model(fit, name, df):
    """p of a coefficient by t."""
    return 2 * stats.t.sf(abs(fit.fixef()[name]) / np.sqrt(fit.vcov().loc[name, name]), df)


found = []
for y in bm.simulate(formula, trials, null, contrasts=coding, n=120, seed=1):
    fit = tested.with_response(y).fit("reml")
    found.append(
        {
            ("prime", "F1"): by_subjects(trials, y, "prime"),
            ("prime", "mixed"): by_mixed_model(fit, "prime[cost]", 24 - 1),
            ("word", "F1"): by_subjects(trials, y, "word"),
            ("word", "mixed"): by_mixed_model(fit, "word[cost]", 24 - 2),
        }
    )
rates = (pd.DataFrame(found) < 0.05).mean()
rates.index = pd.MultiIndex.from_tuples(rates.index)
print(rates.unstack().round(3))

# %% [markdown]
# F1 finds an effect of frequency in more than a quarter of the experiments in which there is none: twelve rare words
# differ from twelve frequent ones by chance, everyone sees the same words, and no number of people averages that out.
# For priming, which varies within words, the damage is smaller. The mixed model is near 5 % (the error of 120
# experiments is 2 %). Its t has as many degrees of freedom as there are words less what is estimated of them, the
# smaller of the two samples; averaging over people (F2) and asking for both F1 and F2 to be significant is no test
# with a known error.
#
# ## Why not an analysis of variance of proportions?
#
# Was the word named correctly? Traditionally the proportions of each person's correct answers in the four cells are
# analysed. A proportion cannot pass 1, so that the same step on the scale of the logit is a small one near the ceiling.
# Priming and frequency are *additive* here, on that scale:

# %%
accuracy = "correct ~ prime * word + (1 | subject) + (1 | item)"
additive = {
    "Intercept": 2.6,
    "prime[cost]": -1.2,
    "word[cost]": -1.6,
    "prime[cost]:word[cost]": 0.0,
    "1|subject_sigma": 0.6,
    "1|item_sigma": 0.3,
}
answers = bm.simulate(accuracy, trials, additive, family="bernoulli", contrasts=coding, n=60, seed=2)
logistic = bm.Model(accuracy, trials.assign(correct=answers[0]), family="bernoulli", contrasts=coding)
print(trials.assign(correct=answers.mean(axis=0)).groupby(["prime", "word"], observed=True)["correct"].mean().round(3))

found = []
for y in answers:
    cells = trials.assign(y=y).groupby(["subject", "prime", "word"], observed=True)["y"].mean().unstack([1, 2])
    cost = cells["unrelated"] - cells["related"]
    anova = stats.ttest_rel(cost["rare"], cost["frequent"]).pvalue  # F of the interaction is this t squared
    fit = logistic.with_response(y).fit("ml")
    logit = by_mixed_model(fit, "prime[cost]:word[cost]", np.inf)
    found.append({"ANOVA of proportions": anova, "logistic mixed model": logit})
print("interaction found (p < 0.05), of 60 experiments without one")
print((pd.DataFrame(found) < 0.05).sum())

# %% [markdown]
# The analysis of proportions sees an interaction in two of three experiments: priming costs more of rare words in
# percentage points, because frequent words are near the ceiling. That is a fact about percentages. Whether it is one
# about priming depends on the scale on which effects add, and the scale of proportions has no claim to be it: it
# predicts accuracies above 1 and has another variance in each cell. If percentage points are what matters, ask the
# logistic model for them:

# %%
print(bm.comparisons(logistic.fit("ml"), "prime", by="word", newdata="data", average=True, kind="population"))

# %% [markdown]
# ## In short
#
# - Both samples get random effects; a slope for every tested effect that varies within their levels.
# - Code factors -0.5 and 0.5 where main effects are meant, and say so in the paper.
# - Singular maximal fits are simplified from the untested end, or kept with `fit("map")`.
# - Count degrees of freedom by the smaller sample, and add words as well as people: neither replaces the other.
