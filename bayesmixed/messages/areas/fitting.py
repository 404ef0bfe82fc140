"""How fits end: searches, boundaries, what data cannot determine, integrals, draws."""

from __future__ import annotations

from ..topic import PROBLEM, Topic

TOPICS = (
    Topic(
        "boundary",
        PROBLEM,
        "A variance of zero, or a correlation of 1 or -1",
        "The best estimate lies at the edge of what is possible (lme4: *singular fit*): the data are explained as well "
        "without that spread, or with effects that move together exactly. The fit itself is right; what it says of the "
        "term at its edge is an estimate, not a proof that there is no spread.",
        "`bm.diagnose(fit)` says how large the spread may be for these data. Then simplify the term, keep it off the "
        'edge with `model.fit("map")`, or average over what is possible with `model.fit("nuts", seed=1)`.',
        about="boundary",
        doubt=False,
    ),
    Topic(
        "not-identified",
        PROBLEM,
        "What no data of this design could determine",
        "Two parts of the model explain the same differences, such as a random intercept of a factor that is a fixed "
        "effect as well: any split between them fits as well. Point estimates of these are arbitrary, draws of them "
        "repeat the prior.",
        "Leave one of the parts out, as the message says.",
        about="identification",
        doubt=True,
    ),
    Topic(
        "optimiser-stopped",
        PROBLEM,
        "The search ended before the optimum",
        "The iterations were used up, or the criterion could not be lowered although its gradient is not zero. The "
        "estimates are those where it stopped.",
        "Centre and rescale columns with huge or tiny values first; then `bm.ML(maxiter=1000)`, or another optimiser, "
        '`bm.ML(optimizer="L-BFGS-B")`. `bm.multi_start(model)` compares several starts.',
        about="search",
    ),
    Topic(
        "no-maximum",
        PROBLEM,
        "The likelihood grows without end",
        "Estimates run off to infinity because predictors, or effects of levels, foretell the responses without error "
        "(separation), or because nothing limits a spread. There is no maximum likelihood estimate, whatever the "
        "numbers at which the search stopped.",
        "`bm.diagnose(fit)` names the predictors. Priors make the estimates finite: "
        '`model.fit(bm.MAP(priors="model"))` or `model.fit("nuts", seed=1)`.',
        about="maximum",
    ),
    Topic(
        "laplace-inaccurate",
        PROBLEM,
        "Laplace's approximation is too rough here",
        "The integral over the random effects was replaced by that of a normal curve at its peak. With few, discrete "
        "responses in a level and a large spread between levels that is biased; it was compared with a better integral "
        "at the estimates.",
        "`model.fit(bm.ML(quadrature=15))` where there is one grouping factor (or nested ones), else "
        '`model.fit("nuts", seed=1)`.',
        about="integral",
        doubt=True,
    ),
    Topic(
        "quadrature-inaccurate",
        PROBLEM,
        "More nodes change the estimates",
        "The integral over the random effects has too few nodes for these data: with more of them the log-likelihood "
        "at the estimates moves by more than is negligible.",
        'Use more nodes, `model.fit(bm.ML(quadrature=25))`, or `model.fit("nuts", seed=1)`.',
        about="integral",
        doubt=True,
    ),
)
