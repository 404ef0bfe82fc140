"""How searches end, what data cannot determine, integrals over effects, and what engines cannot fit."""

from __future__ import annotations

from ..topic import finding, problem, refusal

TOPICS = (
    problem(
        "boundary",
        "A variance of zero, or a correlation of 1 or -1",
        "The best estimate lies at the edge of what is possible (lme4: *singular fit*): the data are explained as well "
        "without that spread, or with effects that move together exactly. The fit itself is right; what it says of the "
        "term at its edge is an estimate, not a proof that there is no spread.",
        "`bm.diagnose(fit)` says how large the spread may be for these data. Then simplify the term, keep it off the "
        'edge with `model.fit("map")`, or average over what is possible with `model.fit("nuts", seed=1)`.',
        about="boundary",
        doubt=False,
    ),
    problem(
        "not-identified",
        "What no data of this design could determine",
        "Two parts of the model explain the same differences, such as a random intercept of a factor that is a fixed "
        "effect as well: any split between them fits as well. Point estimates of these are arbitrary, draws of them "
        "repeat the prior.",
        "Leave one of the parts out, as the message says.",
        about="identification",
        doubt=True,
    ),
    problem(
        "optimiser-stopped",
        "The search ended before the optimum",
        "The iterations were used up, or the criterion could not be improved although its slope is not zero. The "
        "estimates are those where it stopped.",
        "Centre and rescale columns with huge or tiny values first; then `bm.ML(maxiter=1000)`, or another optimiser, "
        '`bm.ML(optimizer="L-BFGS-B")`. `bm.multi_start(fit)` compares several starts.',
        about="search",
    ),
    problem(
        "no-maximum",
        "The likelihood grows without end",
        "Estimates run off to infinity because predictors, or effects of levels, foretell the responses without error "
        "(separation), or because nothing limits a spread. There is no maximum likelihood estimate, whatever the "
        "numbers at which the search stopped.",
        "`bm.diagnose(fit)` names the predictors. Priors make the estimates finite: "
        '`model.fit(bm.MAP(priors="model"))` or `model.fit("nuts", seed=1)`.',
        about="maximum",
    ),
    problem(
        "laplace-inaccurate",
        "Laplace's approximation is too rough here",
        "The integral over the random effects was replaced by that of a normal curve at its peak. With few, discrete "
        "responses in a level and a large spread between levels that is biased; it was compared with a better integral "
        "at the estimates.",
        "`model.fit(bm.ML(quadrature=15))` where there is one grouping factor (or one nested in another), else "
        '`model.fit("nuts", seed=1)`.',
        about="integral",
        doubt=True,
    ),
    problem(
        "quadrature-inaccurate",
        "More nodes change the estimates",
        "The integral over the random effects has too few nodes for these data: with more of them the log-likelihood "
        "at the estimates moves by more than is negligible.",
        'Use more nodes, `model.fit(bm.ML(quadrature=25))`, or `model.fit("nuts", seed=1)`.',
        about="integral",
        doubt=True,
    ),
    problem(
        "broke-down",
        "No mode was found to start from",
        "The criterion, or the posterior, could not be computed where the search has to begin: the conditional modes "
        "of the effects lie outside of what the link allows, or the curvature at the mode says nothing.",
        "Use another link of the family (`model.replace(link=...)`), rescale columns with huge or tiny values, give "
        'tighter priors, or draw instead: `model.fit("nuts", seed=1)`.',
    ),
    problem(
        "simpler-family",
        "A family with one parameter too many",
        "A dispersion parameter ran to the end of its range, where the family becomes a simpler one: a negative "
        "binomial without overdispersion is a Poisson, a Student t with many degrees of freedom a normal.",
        "Fit the family that the message names: the likelihood is the same with one parameter fewer.",
    ),
    problem(
        "no-residual",
        "A residual sd of zero",
        "The effects and coefficients reproduce every row (or some rows, where sigma has a formula): nothing is left "
        "from which standard errors could come, and the likelihood grows without bound.",
        "Keep one of rows that are copies (`data.drop_duplicates()`), leave out a term with one row per level, use "
        'responses that are not rounded, or say what the error is: `constants={"sigma": 0.5}`.',
    ),
    problem(
        "lost-digits",
        "The residual is lost in rounding",
        "The response is so large beside its residual that the 16 digits of its values hold few of the residual's own.",
        "Subtract a constant from the response before it is stored, or fit the means of the levels of the largest "
        "grouping factor.",
    ),
    problem(
        "bound-of-a-prior",
        "An estimate at the end of its prior",
        "The prior has bounds (a uniform one, say), and the likelihood rises beyond them. Standard errors know nothing "
        "of the bound.",
        "Widen the prior, or use one without bounds: `bm.priors.Normal`, `bm.priors.HalfNormal` for an sd.",
    ),
    finding(
        "stopped-at-the-boundary",
        "A variance left at zero although more is better",
        "The search ended on the boundary, where the criterion still improves inwards.",
        "Start inside, `bm.ML(start=[1.0, ...])` in the order of `fit.theta`, or look at `bm.multi_start(fit)`.",
    ),
    finding(
        "flat-likelihood",
        "A direction in which the likelihood is flat",
        "A parameter, or a combination of parameters, has no estimate: values far apart fit alike, and standard "
        "errors mean nothing.",
        'Give it a prior, `model.fit(bm.MAP(priors="model"))`, or leave a term out.',
    ),
    refusal(
        "as-many-effects-as-rows",
        "As many random effects as rows",
        "With one effect for every row (levels times columns of a term) a model with a residual cannot tell the two "
        "apart; only the sum of their variances is determined. lme4 stops here as well. NUTS and Laplace warn, because "
        "their priors keep the posterior proper.",
        'Leave out a column or the term, or fit it all the same: `bm.Model(..., check="warn")`.',
    ),
    refusal(
        "too-few-rows",
        "Fewer rows than parameters",
        "There are not enough rows to estimate the coefficients and a residual variance.",
        "Leave terms out, or fit more rows.",
    ),
    refusal(
        "reml-is-for-normal",
        "REML of another than a normal model",
        "The restricted likelihood integrates the coefficients out, which has a closed form for normal responses with "
        "an identity link only.",
        'Use `model.fit("ml")`, or leave `reml=True` out.',
    ),
    refusal(
        "reml-and-priors",
        "REML with priors that are not normal",
        "To integrate coefficients against their priors in closed form these must be normal or flat.",
        'Use `bm.MAP(criterion="ml")`, or normal priors: `bm.priors.Normal(0, 1)`.',
    ),
    refusal(
        "engine-option",
        "An option of an engine that it cannot take",
        "Options stand on the engine's value, such as `bm.ML(quadrature=9)` or `bm.NUTS(draws=2000)`, and this one got "
        "a value that means nothing to it.",
        "See the examples of `help(bm.ML)`, `help(bm.MAP)`, `help(bm.NUTS)`; the message says what is allowed.",
    ),
    refusal(
        "unknown-method",
        "A method of fitting that does not exist",
        'Methods are "ml", "reml", "map", "laplace", "nuts", or an engine with its options.',
        '`model.fit("reml")`; adaptive quadrature is `model.fit(bm.ML(quadrature=9))`.',
    ),
    refusal(
        "quadrature-limits",
        "An integral that nodes cannot take",
        "Nodes multiply with each column of effects, and crossed factors have one integral over all their effects: "
        "quadrature takes one grouping factor, or one nested in another, with few columns.",
        "Use `bm.ML(quadrature=1)` (Laplace's approximation), fewer columns, or "
        '`model.fit("nuts", seed=1)`, which has no such limit.',
    ),
    refusal(
        "outside-the-link",
        "No start inside of what the link allows",
        "The inverse link takes values of a limited range, and without an intercept, or with such an offset, the "
        "predictor leaves it in some row.",
        "Add an intercept, or use the usual link of the family.",
    ),
    refusal(
        "nothing-to-search",
        "Nothing that could start elsewhere",
        "`bm.multi_start` repeats the search from other covariance parameters; this fit has none, or no optimiser.",
        "Compare fits with another engine or other data instead.",
    ),
    refusal(
        "values-of-the-likelihood",
        "Values at which the likelihood cannot be computed",
        "`model.loglik_at` takes theta, and where they have no closed form the coefficients, sigma or dispersion too.",
        "`model.loglik_at(theta=fit.theta, beta=fit.beta, dispersion=fit.dispersion)` has them all.",
    ),
    refusal(
        "better-optimum",
        "Another optimum is better than the fit",
        "A profile goes away from the estimates and should fall; here it found values with a larger likelihood, so the "
        "fit is not at its optimum.",
        "`bm.diagnose(fit)` and `bm.multi_start(fit)` find out more; then fit from a better start.",
    ),
)
