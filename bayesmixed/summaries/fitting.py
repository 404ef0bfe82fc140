"""How was a model fitted, with which priors, and did it go well, in sentences?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .words import listed

if TYPE_CHECKING:
    from ..fits.base import Fit


def sentences(fit: Any) -> Iterator[str]:
    """The sentences in order."""
    seed = getattr(fit, "seed", None)
    yield f"It was fitted by {fit.engine.words(fit.model)}{'' if seed is None else f', seed {seed}'}."
    yield from _priors(fit)
    if not hasattr(fit, "loglik"):
        yield from _sampling(fit)
    yield from _problems(fit)


def _priors(fit: Any) -> Iterator[str]:
    used = fit.engine.priors_used(fit.model)
    if hasattr(fit, "loglik") and used != "the model's":
        if used:
            yield f"Priors: {used}."
        return
    table = fit.model.priors.table()
    words = [f"{row.iloc[0]} ~ {row.iloc[1]}" for _, row in table.iterrows()]
    yield f"Priors: {'; '.join(words)}."


def _sampling(fit: Fit) -> Iterator[str]:
    status: Any = fit.status
    if not status.chained:
        yield f"The Pareto k of the weights was {status.pareto_k:.2f}."
        return
    diverged = "no divergence" if status.divergences == 0 else f"{status.divergences} divergences"
    found = [f"R-hat was at most {status.max_rhat:.3f}"] if np.isfinite(status.max_rhat) else []
    sizes = (
        f"effective sample sizes were at least {status.min_ess_bulk:.0f} (bulk) and {status.min_ess_tail:.0f} (tail)"
    )
    yield f"{'; '.join([*found, sizes])}; there was {diverged}.".replace("there was 1 div", "there were 1 div")


def _problems(fit: Any) -> Iterator[str]:
    if not fit.status.problems:
        return
    singular = getattr(fit.status, "singular", False)
    bars = [term.text for term in fit.model.design.groups if any(term.text in text for text in fit.status.problems)]
    if singular and bars:
        yield f"The fit is singular: {listed(bars)} has a variance of zero or a correlation of +-1."
    if getattr(fit.status, "converged", True) is False:
        yield "The optimiser did not converge, so these numbers should not be reported."
    rest = [text for text in fit.status.problems if not (singular and any(bar in text for bar in bars))]
    if rest:
        yield f"Before reporting, see to: {' '.join(rest)}"
