"""Effects, predictions, shares of variance and pictures."""

from __future__ import annotations

from ..topic import refusal, warning

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
)
