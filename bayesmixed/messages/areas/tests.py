"""Tests, comparisons, intervals, replicates and power."""

from __future__ import annotations

from ..topic import note, refusal, warning

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
        "Doubtful degrees of freedom",
        "The method takes a variance as known or free although it is at its bound, lost its digits, or does not see "
        "how effects vary; the line says which.",
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
    note(
        "standard-errors",
        "What standard errors are of",
        "Standard errors of a mean or coefficient take the variance parameters as known, as estimated, or correct "
        "for that; of a robust kind they rest on the spread between clusters.",
        "`ddf=` and `vcov=` choose; draws hold everything uncertain together.",
    ),
    note(
        "limits",
        "How limits were made",
        "By standard errors and a reference distribution (Wald), where the likelihood falls by a set amount "
        "(profile), by replicates (bootstrap), or as quantiles of draws.",
        '`level=0.9` for others; `bm.confint(fit, "profile")` for sds, whose distribution is skewed.',
    ),
    note(
        "normal-reference",
        "Reference to the normal distribution",
        "Variances count as known, or there are no degrees of freedom: with few groups p is too small and limits too "
        "narrow.",
        'For linear mixed models ask `ddf="satterthwaite"` or `"kenward-roger"`; else `bm.bootstrap_test(large, '
        "small)`.",
    ),
    note(
        "bend",
        "Where limits by standard errors are off",
        "The likelihood of the parameter is skewed, or an end of a symmetric interval lies outside of what is "
        "possible.",
        "Report profile limits: `bm.confint(fit)`. A parameter that is straight as a logarithm has a symmetric "
        "interval there.",
    ),
    note(
        "refitted",
        "Refitted by the other criterion",
        "REML criteria of different fixed parts do not compare, and Kenward-Roger's method needs REML: the same "
        "model was fitted again for this answer. The fit that you gave is as it was.",
        'Fit by `model.fit("ml")` (or "reml") yourself to see it.',
    ),
    note(
        "law-of-the-ratio",
        "The law that a likelihood ratio follows",
        "Where the smaller model has a variance of zero, the ratio is not chi-squared distributed: p is of a "
        "mixture, of the exact law of one variance, or an upper bound.",
        "`bm.bootstrap_test(large, small, seed=1)` simulates it.",
    ),
    note(
        "reading-of-p",
        "What a p-value or a probability here says",
        "Inequalities are tested with their claim as the alternative; among draws an equality has probability 0, so "
        "that probabilities are of inequalities.",
        'Write what is claimed: `"x > 0"`.',
    ),
    note(
        "joint-test",
        "Several hypotheses at once",
        "They are tested together by F or chi-squared; those that follow from others count once. Draws give the "
        "share in which all hold.",
        "Rows above are the single ones.",
    ),
    note(
        "not-tested",
        "Terms or coefficients without a test here",
        "The table tests terms of the mean that no other contains and that the data can tell from others.",
        "`bm.hypothesis(fit)` tests coefficients, `bm.anova(fit, type=1)` terms in their order.",
    ),
    note(
        "after-a-search",
        "Inference after a search",
        "p-values and intervals of a chosen model are those of a model fixed beforehand: they know nothing of the "
        "choice.",
        "Report how the model was chosen, and what the full model says.",
    ),
    note(
        "end-of-the-path",
        "Why a path of models ended",
        "The next smaller model would be worse by the rule, could not be fitted, or nothing was left.",
        '`bm.simplify(model, by="aic")` uses another rule.',
    ),
    note(
        "maximal-structure",
        "What a maximal structure leaves open",
        "The design says which effects can vary; whether data can estimate as many is another question.",
        "Fit it, then `fit.repca()`, `bm.diagnose(fit)`, `bm.simplify(model)`.",
    ),
    note(
        "monte-carlo",
        "The error of simulation",
        "Shares of replicates have an error of their own, and quantiles need replicates beyond them.",
        "Ask for more: a larger `n`.",
    ),
    note(
        "interrupted",
        "Interrupted",
        "Not all replicates were made; the answer is of those that were.",
        "Ask again, with a smaller `n` or more processes, `n_jobs=4`.",
    ),
    note(
        "failed-replicates",
        "Replicates that failed",
        "They do not count. Those that fail are no random choice, so that more than 5 % of them make the answer "
        "doubtful.",
        "Simplify the model, or look at one: fit the response of that replicate.",
    ),
    note(
        "boundary-replicates",
        "Replicates on the boundary",
        "In some replicates an sd is 0 (the fit is singular); they are kept, since they belong to the distribution.",
        "Nothing, but know that standard errors and chi-squared laws mean little there.",
    ),
    note(
        "wild-bootstrap",
        "Limits of the wild bootstrap",
        "It turns signs of residuals, which leaves their squares as they are: limits of sds are far too narrow.",
        '`kind="parametric"` or `"residual"` for sds.',
    ),
    note(
        "exchanged-labels",
        "Which labels were exchanged",
        "Exact where exchanging could not have changed anything else; what makes it approximate is said.",
        "Say within what labels may be exchanged: `by=`, `within=`.",
    ),
    note(
        "smallest-size",
        "The size that a power needs",
        "Interpolated between the sizes that were simulated.",
        "Ask `bm.power` for sizes around it.",
    ),
    note(
        "influence-by-one-step",
        "Influence without refits",
        "Variances were held, or one Newton step was taken, in place of a fit without each level.",
        '`bm.influence(fit, "g", refit=True)` fits each.',
    ),
    note(
        "reading-of-influence",
        "Measures of influence",
        "Cook's distance is how far all coefficients move together, dfbetas how far each does in standard errors.",
        "Look at the rows named; `bm.plot.influence(...)` draws them.",
    ),
    note(
        "several-maxima",
        "Several searches, their ends",
        "Searches from other starts agree, or the likelihood has several maxima, of which the highest counts.",
        "`bm.multi_start(fit).best` is the best fit.",
    ),
    note(
        "types-of-hypotheses",
        "What hypotheses of type I, II and III are",
        "Type I adjusts each term for those before it, type II for all that do not contain it, type III for all "
        "others (SAS).",
        "`bm.anova(fit, type=2)` chooses.",
    ),
    note(
        "models-apart",
        "What differs between the models",
        "Formulas, families, constants, weights and priors in which the fits of a table differ.",
        "Nothing: it says what is compared.",
    ),
)
