"""Effects for levels that training did not have: one per new level and draw, from the estimated covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..design.design import Design
from ..parameters.values import Parameters
from .memory import refuse_too_large


def extend(design: Design, parameters: Parameters, rng: np.random.Generator | None) -> Parameters:
    """Parameters with effects added for the new levels of `design` (codes at or above the number of known ones).

    They are drawn with `rng`, and zero without one.
    """
    effects = list(parameters.b)
    for j, term in enumerate(design.groups):
        known = parameters.b[j].shape[2]
        new = int(term.codes.max(initial=-1)) + 1 - known
        if new <= 0:
            continue
        chains, draws, _, k = parameters.b[j].shape
        if rng is not None:
            _refuse_too_large(term.factor, chains * draws, new, k)
        added = np.zeros((chains, draws, new, k)) if rng is None else draw_effects(parameters, j, new, rng)
        effects[j] = np.concatenate([parameters.b[j], added], axis=2)
    return replace(parameters, b=tuple(effects))


def _refuse_too_large(factor: str, draws: int, levels: int, k: int) -> None:
    what = f"{draws:,} draws of the effects of {levels:,} new levels of {factor!r} are"
    refuse_too_large(draws, levels * k, what, ": predict some of the rows at a time, or new_levels='population'.")


def draw_effects(parameters: Parameters, term: int, levels: int, rng: np.random.Generator) -> np.ndarray:
    """New effects (chains, draws, levels, k) of one term."""
    factor = parameters.principal_root(term)
    noise = rng.standard_normal((*factor.shape[:2], levels, factor.shape[-1]))
    return noise @ np.swapaxes(factor, -1, -2)
