"""Effects, predictions, shares of variance and pictures."""

from __future__ import annotations

from ..topic import note, refusal, warning

TOPICS = (
    refusal(
        "values-of-a-column",
        "Values that a column cannot have",
        "`at=` and `variables=` name columns of the formula with values of their kind: numbers, or levels.",
        '`at={"Days": [0, 5, 10]}`, `variables={"f": ["a", "b"]}`.',
    ),
    refusal(
        "grid-too-large",
        "Too many combinations of values",
        "A grid has a row for each combination of all columns' values.",
        'Fix some, `at={"x": 0}`, or average over the rows of the data, `newdata="data"`.',
    ),
    refusal(
        "by-levels",
        "Groups that this answer cannot be split by",
        "Within a level of such a factor nothing differs that is asked for, or it has too many values.",
        "Name another factor, or cut numbers into classes: `pd.cut(x, 4)`.",
    ),
    refusal(
        "contrasts-of-means",
        "Contrasts of means",
        "A contrast compares two means or more: by a method's name, or by weights, one per mean as printed.",
        'emmeans(fit, "f").contrast("pairwise"), `"trt.vs.ctrl"`, or `{"a - b": [1, -1, 0]}`.',
    ),
    refusal(
        "adjust",
        "A correction for many tests",
        "Corrections are of p-values: draws have none, and Tukey's is for all pairs.",
        '`adjust="holm"`, `"bonferroni"`, `"mvt"` or `"none"`.',
    ),
    refusal(
        "ratio-of-means",
        "Ratios that make no sense here",
        "Ratios are of positive means, odds of probabilities, and coefficients are logarithms of ratios under log and "
        "logit links only.",
        '`bm.comparisons(fit, "x")` gives differences.',
    ),
    refusal(
        "inverse-prediction",
        "A response that no value gives",
        "The curve never reaches it, or the column is no number.",
        "Ask for a response between the asymptotes of the link.",
    ),
    refusal(
        "mean-of-the-response",
        "A mean that cannot be computed",
        "The population mean is infinite under this link, or depends on something that differs between rows.",
        '`scale="link"`, `kind="conditional"`, or predictions of rows: `fit.predict(newdata)`.',
    ),
    refusal(
        "share-of-variance",
        "A share of variance that this model does not have",
        "Shares add variances on the scale of the link, which needs one of the residual there.",
        "The message says for which links and means it is defined.",
    ),
    warning(
        "end-of-the-link",
        "Predictors outside of what the inverse link takes",
        "Some links (inverse, square root, identity of a positive mean) do not take every number: the mean at the end "
        "of the range was used.",
        "Use a link without such an end, as log.",
    ),
    refusal(
        "picture-of-a-result",
        "A picture of something else",
        "These pictures draw what a function returned, which takes its time; so they do not compute it.",
        "Compute first, then draw: `bm.plot.profile(bm.profile(fit))`.",
    ),
    refusal(
        "nothing-to-draw",
        "Nothing to draw",
        "Such a picture of this model, or with these options, has no content.",
        "The message says what to name or to leave out.",
    ),
    refusal(
        "too-much-to-see",
        "More than can be told apart",
        "Colours, panels and names have a number beyond which nobody reads them.",
        "Choose fewer levels, or cut numbers into classes.",
    ),
    refusal(
        "axes",
        "Axes that do not fit the picture",
        "A picture with several panels takes as many axes.",
        "`plt.subplots(1, 2)[1]`, or leave `ax=` out.",
    ),
    note(
        "held-values",
        "Values at which columns are held",
        "What is not varied stands at its mean, at given values, or at each level's own.",
        '`at={"x": 0}` gives others; `newdata="data"` averages over the rows.',
    ),
    note(
        "averaged-over",
        "What is averaged over",
        "Means over the levels of other factors, with equal or proportional weights, or over rows of the data.",
        '`weights="proportional"`, or name the factor to see its levels apart.',
    ),
    note(
        "random-effects-in-means",
        "Random effects in a mean",
        "A mean of a typical group (effects zero), of the population (averaged over their distribution), or of "
        "groups named.",
        '`kind="conditional"` or `"population"`; `by=` a grouping factor for its own levels.',
    ),
    note(
        "interactions",
        "Means that depend on something else",
        "An interaction is in the model: these numbers differ between levels, or values, of the other variable.",
        "Ask by that variable too, or at other values, `at=`.",
    ),
    note(
        "steps",
        "A column that enters by a step",
        "Rounding, cutting and comparing make steps: there is no slope, and a change depends on where it starts.",
        'Compare two values: `bm.comparisons(fit, {"x": (0, 10)})`.',
    ),
    note(
        "blank-cells",
        "Blank cells",
        "The data do not determine these values: combinations without rows, or a function without a finite "
        "derivative there.",
        "Ask for combinations that the data have.",
    ),
    note(
        "not-reached",
        "Values of a predictor that a response is read from",
        "The curve never reaches the response, reaches it several times, or outside of the data.",
        "Look at the curve: `bm.plot.effects(fit)`.",
    ),
    note(
        "reading-of-ratios",
        "What exponentiated coefficients are ratios of",
        "Of odds, rates or means, given the random effects.",
        '`bm.comparisons(fit, "x")` gives changes of the response itself.',
    ),
    note(
        "reading-of-contrasts",
        "The scale of contrasts",
        "Under a log or logit link differences on the link are ratios, or odds ratios; tests and limits are made on "
        "the link.",
        '`scale="response"` gives differences of means.',
    ),
    note(
        "shares-of-variance",
        "What a share of variance is of",
        "Nakagawa's shares count random effects and the residual on the scale of the link, averaged over rows where "
        "they differ.",
        '`bm.icc(fit, at="x")` gives shares at values of a slope.',
    ),
    note(
        "residual-variance",
        "The residual variance on the scale of the link",
        "It has a formula for each family and link, by an approximation where there is no exact one.",
        "`approximation=` and `mean=` choose.",
    ),
    note(
        "approximations",
        "What other approximations give",
        "Where responses are small the approximations of the residual variance differ.",
        "`approximation=` chooses; report which.",
    ),
    note(
        "pooled-estimates",
        "Estimates level by level",
        "Without pooling, each level is fitted by itself where its rows allow that; coefficients are on the scale of "
        "the link.",
        "`bm.plot.pooling(...)` draws them.",
    ),
    note(
        "ranks",
        "What levels are ranked by",
        "By their effects in one column, at the values named, alone or with those of levels around them.",
        "`column=` ranks by another combination.",
    ),
    note(
        "shortened",
        "A table that is cut",
        "Pages show the ends, or the first rows, of long tables.",
        "`.frame` has all rows.",
    ),
    note(
        "scale-of-effects",
        "The scale of means and effects",
        "Means are of the response, or of the linear predictor before the link.",
        '`scale="response"` or `scale="link"`.',
    ),
    warning(
        "missing-fonts",
        "Letters that no installed font has",
        "Pictures draw names by the fonts that are installed; letters of other scripts are boxes.",
        "Install a font that has them, such as Noto Sans.",
    ),
)
