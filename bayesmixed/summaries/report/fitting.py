"""How was a model fitted, with which priors, and did it go well, in sentences?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...fits.convergence import rhat_text
from ...messages import topic_of
from .words import listed

if TYPE_CHECKING:
    from ...fits.base import Fit


def sentences(fit: Any) -> Iterator[str]:
    """The sentences in order."""
    seed = getattr(fit, "seed", None)
    yield f"It was fitted by {fit.engine.words(fit.model)}{'' if seed is None else f', seed {seed}'}."
    yield from _priors(fit)
    if fit.sampled:
        yield from _sampling(fit)
    yield from _problems(fit)


def _priors(fit: Any) -> Iterator[str]:
    used = fit.engine.priors_used(fit.model)
    if not fit.sampled and used != "the model's":
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
    count = status.divergences
    diverged = "was no divergence" if count == 0 else f"{'was' if count == 1 else 'were'} {count} divergence"
    diverged += "s" if count > 1 else ""
    found = [f"R-hat was at most {rhat_text(status.max_rhat)}"] if np.isfinite(status.max_rhat) else []
    found = [text.replace("at most above", "above") for text in found]
    sizes = (
        f"effective sample sizes were at least {status.min_ess_bulk:.0f} (bulk) and {status.min_ess_tail:.0f} (tail)"
    )
    yield f"{'; '.join([*found, sizes])}; there {diverged}."


def _problems(fit: Any) -> Iterator[str]:
    if not fit.status.problems:
        return
    about = {text: topic_of(text).about for text in fit.status.problems}
    boundary = [text for text in about if about[text] == "boundary"]
    if boundary:
        found = [text.split("): ", 1)[1].split(". ")[0] for text in boundary]
        yield f"The fit is singular: {listed(found)}."
    if getattr(fit.status, "converged", True) is False:
        yield "The optimiser did not converge, so these numbers should not be reported."
    undetermined = [text.split(". ")[0] for text in about if about[text] == "identification"]
    yield from (f"{text}." for text in undetermined)
    # what to do about the others is no part of a paper
    others = [text for text in about if about[text] not in ("boundary", "identification")]
    rest = [text.split(". ")[0].rstrip(".") for text in others]
    if rest and getattr(fit.status, "converged", True):
        yield f"Unresolved: {'; '.join(rest)} (bm.diagnose(fit) says what to do)."
