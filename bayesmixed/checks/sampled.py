"""Did the sampler explore the posterior, and which standard deviations may be zero in it?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..fits import tables
from ..fits.draws import DrawsFit
from ..fits.status import UNIDENTIFIED
from .finding import NOTE, SERIOUS, Finding

SAMPLING, SINGULARITY = "sampling", "singularity"
REACHES_ZERO = 0.15  # 5 % quantile over the median: 0.09 for a half-normal (mode at zero), 0.21 for a gamma(2)


def sampled(fit: DrawsFit) -> tuple[Finding, ...]:
    """The sampler's problems, each with its remedy, and sds whose posterior has its mass at zero."""
    return (*_problems(fit), *_at_zero(fit))


def _problems(fit: DrawsFit) -> Iterator[Finding]:
    for problem in fit.status.problems:
        if problem.startswith(UNIDENTIFIED):
            continue  # has a finding of its own
        what, _, rest = problem.partition(". ")
        words, _, remedy = rest.rpartition(". ")
        yield Finding(SAMPLING, what.rstrip("."), words and f"{words}.", remedy.rstrip(".") or "see there", SERIOUS)


def _at_zero(fit: DrawsFit) -> Iterator[Finding]:
    table = tables.scalar_table(fit.model.design.groups, fit.model.coefficients, fit.parameters)
    for _, row in table[table["kind"] == "sd"].iterrows():
        low, median, high = np.quantile(row["values"], [0.05, 0.5, 0.95])
        if low > REACHES_ZERO * median:
            continue
        name = f"{row['parameter']}|{row['group']}"
        what = f"{name}: the posterior of its sd reaches zero"
        words = (
            f"Half of it lies below {median:.3g}, 95 % below {high:.3g}, and its density is high at 0: the data are "
            f"compatible with no variation of {row['parameter']} between levels of {row['group']}. Where data say "
            "little the prior decides, so look at it (model.prior_summary())."
        )
        remedy = f"report the interval up to {high:.3g}; the term can stay, the posterior averages over it"
        yield Finding(SINGULARITY, what, words, remedy, NOTE)
