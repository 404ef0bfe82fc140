"""What checks find: separation, columns, levels, dispersion, residuals."""

from __future__ import annotations

from ..topic import finding, note, refusal

TOPICS = (
    finding(
        "sd-reaches-zero",
        "A posterior of an sd that reaches zero",
        "The draws do not exclude that levels do not differ. Where data say little the prior decides.",
        "Report the interval; the term can stay, since the posterior averages over it. `model.prior_summary()` shows "
        "the prior.",
    ),
    finding(
        "separation",
        "Predictors that foretell the response",
        "A combination of columns separates successes from failures (or zero from positive counts): its coefficients "
        "have no finite maximum likelihood estimate.",
        'Use weak priors, `model.fit(bm.MAP(priors="model"))`, or `model.fit("nuts", seed=1)`.',
    ),
    finding(
        "separation-within-levels",
        "Responses foretold within every level",
        "Coefficients and the spread between levels can grow together without limit, since within each level the "
        "responses are predicted without error.",
        'Proper priors of the sds make it finite: `model.fit(bm.MAP(priors="model"))` or `model.fit("nuts", seed=1)`.',
    ),
    finding(
        "constant-levels",
        "Levels whose responses are all the same",
        "Nothing limits how far such levels lie from the others: their sd may have no maximum.",
        '`model.fit(bm.MAP(priors="model"))` or `model.fit("nuts", seed=1)`.',
    ),
    finding(
        "mistaken-column",
        "A column that may not be what it was taken for",
        "Whole numbers with few values may be labels of groups; text may be numbers with a stray letter; two numbers "
        "may be a yes and a no.",
        "Say what it is: `factor(x)` in the formula makes groups of numbers, `data['x'].astype(float)` numbers of "
        "texts. Using the column inside a call tells that it is meant so, and ends the warning.",
    ),
    finding(
        "dropped-columns",
        "Columns that other columns determine",
        "The fixed effects are not all determined (rank deficient): combinations of factors without data, or a column "
        "that is a sum of others. The later ones were dropped, as in R.",
        "Leave the term out, or make a factor of the combinations that occur. What depends on a dropped column is "
        "answered by NaN or refused, never by zero.",
    ),
    finding(
        "nearly-collinear",
        "Columns that nearly follow from others",
        "Single coefficients are poorly determined, since their variances are inflated; predictions are not harmed.",
        "Centre what is in an interaction, `scale(x)`, use `poly(x, 2)` instead of powers, or leave one out.",
    ),
    finding(
        "different-scales",
        "Columns of very different sizes",
        "The fit scales columns by itself; but coefficients of such different sizes are hard to read and to give "
        "priors.",
        "Write `scale(x)` in the formula, or change the unit.",
    ),
    finding(
        "few-levels",
        "A grouping factor with few levels",
        "Four levels or fewer say little about how levels vary: the sd is imprecise, and often estimated as 0.",
        'Make the factor a fixed effect, or give the sd a prior: `model.fit("nuts", seed=1)`.',
    ),
    finding(
        "few-rows-per-level",
        "Levels with fewer rows than effects",
        "Such levels say nothing of their own slopes; the variances rest on the others.",
        "Consider `(1 | g)`, or `bm.simplify(model)`.",
    ),
    finding(
        "overdispersion",
        "More, or less, variation than the family implies",
        "Standard errors of what varies within levels are too small where responses vary more than the family says, "
        "too large where they vary less.",
        'A wider family, `model.replace(family="negbinomial")`, or an effect of every row: `+ (1 | obs)` with a column '
        "of row numbers.",
    ),
    finding(
        "effects-follow-the-rows",
        "Effects that take up the rows",
        "With few rows per level the estimated effects fit the noise, and residuals around them are too narrow to "
        "test well.",
        'Compare with levels drawn anew: `bm.residual_checks(fit, re="new")`.',
    ),
    finding(
        "residual-distribution",
        "Residuals of another distribution",
        "Randomised quantile residuals should be uniform; they are not, so that the shape of the family, or of the "
        "mean, is off.",
        "Look at `bm.plot.residuals(fit)` and `bm.plot.pp_check(fit)`: a curved trend asks for another mean, a skewed "
        "distribution for another family.",
    ),
    finding(
        "zeros",
        "Too many or too few zeros",
        "The share of zeros differs from that of the model's own replicates.",
        "A wider family of counts, or a predictor of what makes zeros.",
    ),
    finding(
        "outlying-rows",
        "Rows beyond all replicates",
        "More rows than expected lie outside of everything that the model produced.",
        'Look at these rows (`.outliers`); where they are right, use a family with wider tails, `family="student"`.',
    ),
    refusal(
        "own-statistic",
        "A function of yours that does not answer as it must",
        "Statistics, tests and transformations given as functions must return what the message says (a number, a "
        "Series, True or False) for every data set.",
        "Try the function on one data set, or one fit, first.",
    ),
    refusal(
        "replicates-failed",
        "No replicate could be used",
        "Every data set that was drawn failed to be fitted, or gave no answer; the message has the first reason.",
        'Fit one of them by hand, `model.with_response(fit.simulate(seed=1)[0]).fit("ml")`, and see what is wrong.',
    ),
    note(
        "leave-one-out",
        "Comparisons by leaving out",
        "elpd is the sum of log predictive densities of what was left out: higher predicts better. Differences below "
        "two of their standard errors, or below 4, decide nothing.",
        "`bm.loo_compare(one, other)`.",
    ),
    note(
        "effective-parameters",
        "More effective parameters than there are",
        "p_loo above the number of parameters suggests that the model is misspecified.",
        "`bm.pp_check(fit)`, a wider family, a missing predictor.",
    ),
    note(
        "importance-sampling",
        "Rows whose importance sampling is unreliable",
        "A Pareto k above 0.7 says that the draws know too little of the posterior without that row or group.",
        "Look at these data; then refit without them and see what the rest predicts.",
    ),
    note(
        "predictive-checks",
        "How a predictive check is read",
        "p is the share of replicates at or above the observed value; near 0 or 1 the model does not produce such "
        "data.",
        "`bm.plot.pp_check(fit)` shows the whole distribution.",
    ),
    note(
        "outside-the-prediction",
        "Statistics outside of what the model predicts",
        "Of many statistics some are outside by chance; those named are candidates for what the model misses.",
        "`bm.plot.pp_check(fit)`, `bm.residual_checks(fit)`.",
    ),
    note(
        "residual-checks",
        "What residual checks can see",
        "With few rows departures pass unseen: that nothing contradicts the model does not prove it right.",
        "`bm.plot.residuals(fit)`.",
    ),
    note(
        "calibration",
        "Simulation-based calibration",
        "Ranks of true values among draws are uniform where the engine samples the right posterior.",
        "`bm.plot.calibration(result)` shows how they depart.",
    ),
)
