"""Effects for levels that training did not have: one per new level and draw, from the estimated covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..formula.design import Design
from ..parameters import Parameters


def extend(
    design: Design, parameters: Parameters, rng: np.random.Generator, *, sample: bool
) -> tuple[Design, Parameters]:
    """Parameters with rows added for the new levels of `design` (codes at or above the number of known ones).

    Without `sample` new levels have no effect.
    """
    effects = list(parameters.b)
    for j, term in enumerate(design.groups):
        known = parameters.b[j].shape[2]
        new = int(term.codes.max(initial=-1)) + 1 - known
        if new <= 0:
            continue
        drawn = draw_effects(parameters, j, new, rng) if sample else np.zeros((*parameters.b[j].shape[:2], new, 1))
        width = parameters.b[j].shape[3]
        effects[j] = np.concatenate([parameters.b[j], np.broadcast_to(drawn, (*drawn.shape[:3], width))], axis=2)
    return design, replace(parameters, b=tuple(effects))


def draw_effects(parameters: Parameters, term: int, levels: int, rng: np.random.Generator) -> np.ndarray:
    """New effects (chains, draws, levels, k) of one term."""
    factor = parameters.factor(term)
    noise = rng.standard_normal((*factor.shape[:2], levels, factor.shape[-1]))
    return noise @ np.swapaxes(factor, -1, -2)
