"""New responses from a fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FitError
from ..parameters.predicted import predicted
from ..parameters.values import Parameters
from .estimable import determined
from .new_levels import draw_effects
from .new_rows import encode
from .responses import new_responses
from .seeds import generator

if TYPE_CHECKING:
    from ..model import Model


@dataclass(frozen=True)
class SimulationRequest:
    """How many replicates of which rows, and what becomes of the random effects."""

    n: int
    re: str
    newdata: Any
    offset: Any
    weights: Any
    seed: int | None
    trials: Any = None


def simulate(model: Model, parameters: Parameters, request: SimulationRequest) -> np.ndarray:
    """See `Fit.simulate`: (n, rows)."""
    if request.re not in ("new", "all", "none"):
        raise FitError(f're={request.re!r} is not an option here. Use "new", "all" or "none".', topic="unknown-option")
    if not isinstance(request.n, int | np.integer) or request.n < 1:
        raise FitError(f"n must be a whole number, at least 1, not {request.n!r}.", topic="whole-number")
    rng = generator(request.seed)
    unseen = "error" if request.re == "all" else "sample"
    design = encode(
        model,
        request.newdata,
        unseen=unseen,
        offset=request.offset,
        weights=request.weights,
        trials=request.trials,
        observed=True,
        factors=() if request.re == "none" else None,
    )
    design = determined(model, design, request.newdata)
    flat = parameters.flat()
    chosen = np.zeros(request.n, dtype=int) if flat.n_draws == 1 else rng.integers(flat.n_draws, size=request.n)
    values = flat.take(chosen)
    terms = [] if request.re == "none" else list(range(len(design.groups)))
    if request.re == "new":
        levels = [
            max(b.shape[2], int(t.codes.max(initial=-1)) + 1) for b, t in zip(values.b, design.groups, strict=True)
        ]
        values = replace(values, b=tuple(draw_effects(values, j, levels[j], rng) for j in terms))
    found = predicted(model.family, design, values, terms)
    return new_responses(model, found.eta, found.dispersion, design.weights, design.trials, rng)
