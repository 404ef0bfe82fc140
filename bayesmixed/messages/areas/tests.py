"""Tests, comparisons, intervals, replicates and power."""

from __future__ import annotations

from ..topic import refusal, warning

TOPICS = (
    refusal(
        "needs-a-maximum",
        "A maximised likelihood is needed",
        "Likelihood ratios, profiles and F tests are of fits by maximum likelihood (or REML); draws have no maximum, "
        "and penalised fits another.",
        'Fit by `model.fit("ml")`; draws are compared by `bm.loo_compare(one, other)`.',
    ),
    refusal(
        "degrees-of-freedom",
        "Degrees of freedom that this fit does not have",
        "Each method of `ddf=` is for certain models and fits: Satterthwaite's and Kenward-Roger's for linear mixed "
        "models by ML or REML.",
        '`ddf="asymptotic"` refers to the normal distribution, `ddf=10` to a number of your own.',
    ),
    warning(
        "degrees-in-doubt",
        "Degrees of freedom of few digits",
        "Kenward and Roger's formulas gave something that cannot be, or lost their digits; the test says what it took "
        "instead.",
        'Compare with `ddf="satterthwaite"` and with `bm.bootstrap_test`.',
    ),
    refusal(
        "robust-errors",
        "Cluster-robust standard errors",
        '`vcov="CR2"` or `"CR0"` needs clusters that share no effects, estimates that maximise a likelihood, and for '
        "CR2 a linear mixed model and clusters of moderate size.",
        '`bm.hypothesis(fit, "x = 0", vcov="CR2", cluster="g")`.',
    ),
    refusal(
        "no-standard-errors",
        "No standard errors",
        "The fit, or this parameter, has none.",
        "`fit.status.problems` says why; draws have spreads of everything.",
    ),
    refusal(
        "hypothesis-text",
        "A hypothesis that cannot be read",
        "Hypotheses are linear in the coefficients: sums of numbers times names, equal to a number or to another such "
        "sum.",
        '`bm.hypothesis(fit, "Days = 10")`, `"a - b > 0"`; names with spaces go between backticks.',
    ),
    refusal(
        "no-such-coefficient",
        "A coefficient that is not there",
        "The name is none of the coefficients: perhaps a term with several, or the level that others are compared "
        "with.",
        "`fit.fixef().index` lists them; `bm.anova(fit)` tests whole terms.",
    ),
    refusal(
        "contrast-weights",
        "Weights that are no contrast",
        "A weight for each of what is combined, numbers, not all zero.",
        "The message says how many there must be, in which order.",
    ),
    refusal(
        "contradiction",
        "Hypotheses that cannot hold together",
        "One of them follows from the others with another value.",
        "Test them in calls of their own.",
    ),
    refusal(
        "not-estimable",
        "What the data do not determine",
        "It depends on columns that were dropped because others determine them: any value would fit as well.",
        "Ask for something that the data have: combinations that occur, or a model without that term.",
    ),
    refusal(
        "nothing-to-test",
        "Nothing to test",
        "The model has no such term, or no coefficient at all.",
        "`bm.anova(small, large)` compares any two fits.",
    ),
    refusal(
        "no-test",
        "A comparison without a test",
        "The smaller model could not be fitted, is the same in another form, or has as many parameters.",
        "The message says which; compare by AIC, `bm.anova(a, b)`.",
    ),
    refusal(
        "not-nested",
        "Models that are not nested",
        "A likelihood ratio has a law only where the smaller model is a case of the larger one.",
        "Compare by AIC: `bm.anova(full, other)`.",
    ),
    refusal(
        "different-data",
        "Models of different data",
        "Likelihoods are of the same rows, responses and weights, or they do not compare.",
        "Fit all models to one table without missing values: `data.dropna(subset=[...])`. A model of log(y) is "
        'comparable as `family="lognormal"`.',
    ),
    refusal(
        "not-comparable",
        "Likelihoods of different kinds",
        "Densities and probabilities do not compare, nor do integrals by different numbers of nodes.",
        "Take families of one kind, and one `quadrature=` for all.",
    ),
    refusal(
        "bootstrap-kind",
        "A bootstrap that this model does not have",
        "Residual and wild bootstraps are for linear models with one sigma, case bootstraps draw whole levels of an "
        "outermost factor.",
        '`bm.bootstrap(fit, kind="parametric")` works for every model.',
    ),
    refusal(
        "resample",
        "Which levels a case bootstrap draws",
        "`resample=` is a dict of grouping factors and True or False.",
        '`resample={"Subject": True}`.',
    ),
    refusal(
        "bootstrap-limits",
        "An interval that these replicates do not give",
        "BCa limits need refits without each level, and replicates on both sides of the estimate.",
        '`kind="percentile"`.',
    ),
    refusal(
        "exchangeable",
        "Labels that cannot be exchanged",
        "A permutation test gives a variable's labels to other rows; that is a test only where nothing else of the "
        "model changes with it.",
        "Test the whole variable, or use `bm.bootstrap_test(fit, smaller)`.",
    ),
    refusal(
        "too-many-refits",
        "Too many refits",
        "Leaving out every level would fit the model that often.",
        "Say that it may, `most=...`, or take one step from the estimates (`refit=False`).",
    ),
    refusal(
        "rounding",
        "Terms that rounding makes one",
        "Columns with means far from zero are nearly the same to a computer, so that terms cannot be told apart.",
        "Centre numeric columns: `scale(x)`.",
    ),
    refusal(
        "not-profiled",
        "A parameter without a profile",
        "It is no free parameter of this fit, or has no likelihood of its own.",
        'The message says what has limits in its place; `bm.confint(fit, "wald")` has limits by standard errors.',
    ),
    refusal(
        "profile-too-short",
        "A profile that does not reach so far",
        "Limits of a higher level lie farther out than the curves were followed.",
        "`bm.profile(fit, level=0.99)`.",
    ),
    warning(
        "profile-in-doubt",
        "A profile with doubtful points",
        "Searches beside the estimate did not end, or the likelihood rises again farther out, or the curve broke off.",
        "`bm.plot.profile(...)` shows where; simplify the model, or use `bm.bootstrap(fit)`.",
    ),
    warning(
        "empty-cells",
        "Combinations of factors without rows",
        "Hypotheses of type III then depend on which cells are empty.",
        "Use `bm.anova(fit, type=2)`, or compare means of cells that have rows: `bm.emmeans`.",
    ),
    warning(
        "arbitrary-origin",
        "No correlation with an arbitrary intercept",
        "Whether slopes and intercepts are uncorrelated depends on where zero is, and on the contrasts.",
        "Centre first, `(center(x) || g)`, or use sum contrasts.",
    ),
    refusal(
        "sizes-of-a-design",
        "A design of other sizes",
        "`bm.power` makes designs with more or fewer levels from a template, where these leave something to estimate "
        "from.",
        '`levels={"Subject": [10, 20, 40]}`, whole numbers large enough.',
    ),
)
