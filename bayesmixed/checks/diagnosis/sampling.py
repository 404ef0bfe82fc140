"""Did the sampler explore the posterior, and which standard deviations may be zero in it?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...errors import BayesMixedError, BayesMixedWarning
from ...fits import tables
from ...fits.draws import DrawsFit
from ...formula.formula import Formula
from ...messages import topic_of
from ..finding import NOTE, SERIOUS, Finding
from ..singular.reduced import reductions, whole
from ..singular.simpler import formula_with

if TYPE_CHECKING:
    from ...model import Model

SAMPLING, SINGULARITY = "sampling", "singularity"
FIVE_PERCENT = 2.71  # of half chi-square_0 and half chi-square_1 (Self & Liang 1987), one variance
REACHES_ZERO = 0.15  # 5 % quantile over the median: 0.09 for a half-normal (mode at zero), 0.21 for a gamma(2)


def sampled(fit: DrawsFit, refit: bool = True) -> tuple[Finding, ...]:
    """The sampler's problems, each with its remedy, and sds whose posterior has its mass at zero.

    `refit`: whether to put the likelihood ratio beside these, which takes two ML fits.
    """
    return (*_problems(fit), *_at_zero(fit, refit))


def _problems(fit: DrawsFit) -> Iterator[Finding]:
    for problem in fit.status.problems:
        topic = topic_of(problem)
        if topic.about == "identification":
            continue  # has a finding of its own
        what, _, rest = problem.partition(". ")
        words, _, remedy = rest.rpartition(". ")
        remedy = remedy.rstrip(".") or "see there"
        yield Finding(SAMPLING, what.rstrip("."), words and f"{words}.", remedy, SERIOUS, topic=topic.slug)


def _at_zero(fit: DrawsFit, refit: bool) -> Iterator[Finding]:
    table = tables.scalar_table(fit.model.design, fit.parameters)
    for _, row in table[table["kind"] == "sd"].iterrows():
        low, median, high = np.quantile(row["values"], [0.05, 0.5, 0.95])
        if low > REACHES_ZERO * median:
            continue
        name = f"{row['parameter']}|{row['group']}"
        what = f"{name}: the posterior of its sd reaches zero"
        words = (
            f"Half of it lies below {median:.3g}, 95 % below {high:.3g}, and its density is high at 0: this posterior, "
            "under these priors, does not exclude zero. "
            + (_likelihood(fit.model, str(row["parameter"]), str(row["group"])) if refit else "")
            + "Where data say little the prior decides, so look at it (model.prior_summary())."
        )
        remedy = f"report the interval up to {high:.3g}; the term can stay, the posterior averages over it"
        yield Finding(SINGULARITY, what, words, remedy, NOTE, topic="sd-reaches-zero")


def _likelihood(model: Model, column: str, factor: str) -> str:
    """How much better the likelihood is with the column than without; nothing where that cannot be said."""
    drop = _drop(model, column, factor)
    if drop is None:
        return ""
    verdict = (
        "the data speak for a spread" if drop > FIVE_PERCENT else "the data neither require a spread nor rule it out"
    )
    return (
        f"The likelihood beside it: by ML the deviance is {drop:.3g} lower with this spread than without "
        f"({FIVE_PERCENT:g} is the 5 % point for one variance), so {verdict}. "
    )


def _drop(model: Model, column: str, factor: str) -> float | None:
    """Deviance of the ML fit without a column of a bar, less that with it."""
    found = [
        (j, term) for j, term in enumerate(model.design.mu.groups) if term.factor == factor and column in term.columns
    ]
    bars = list(model.formula.bars)
    if len(found) != 1 or len(bars) != len(model.design.groups) or model.arguments.data is None:
        return None
    j, term = found[0]
    kept = tuple(i for i, name in enumerate(term.columns) if name != column)
    full = whole(bars[j], term)
    part = next((p for p in reductions(full, term) if p.columns == kept and p.correlated == full.correlated), None)
    part = part or next((p for p in reductions(full, term) if p.columns == kept), None)
    if part is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesMixedWarning)
            text = formula_with(model.formula, [*bars[:j], *part.bars, *bars[j + 1 :]])
            reduced = model.replace(formula=Formula(text, *model.formula.texts[1:]))
            return float(reduced.fit("ml").deviance - model.fit("ml").deviance)
    except BayesMixedError:
        return None
