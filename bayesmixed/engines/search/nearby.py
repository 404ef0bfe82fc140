"""Where a minimum is when a near one is known: a short search that takes over its inverse curvature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .optimizer import ValueAndGradient

STEPS, HALVINGS = 60, 14  # of a search, and of one of its steps
CURVED = 1e-8  # cosine between a step and the change of the gradient from which curvature is positive
ARMIJO = 1e-4  # share of the predicted decrease that a step must bring
FARTHEST = 4.0  # standard errors of the inverse curvature that one step may go


@dataclass(frozen=True)
class Nearby:
    """Where the search ended, the `gradient` there, the inverse curvature `H`, and the `decrease` still predicted."""

    x: np.ndarray
    value: float
    gradient: np.ndarray
    H: np.ndarray
    decrease: float
    evaluations: int


def nearby(
    function: ValueAndGradient,
    start: np.ndarray,
    H: np.ndarray,
    *,
    settled: float,
    signed: Sequence[int] = (),
    exhausted: Callable[[], bool] = lambda: False,
) -> Nearby:
    """Minimise by BFGS from `start` and the inverse curvature `H` (m, m) of a neighbour.

    Parameters
    ----------
    settled
        Predicted decrease at which the search ends.
    signed
        Positions of what must not be negative; where it is zero and would be, it is held there.
    exhausted
        Asked before each step whether to stop.
    """
    x = start.copy()
    value, g = _at(function, x)
    decrease, evaluations = np.inf, 1
    for _ in range(STEPS):
        step, decrease = _step(x, g, H, signed)
        if decrease < settled or exhausted():
            break
        length = np.sqrt(2 * max(decrease, 0.0))
        step = step * min(1.0, FARTHEST / length)
        for _ in range(HALVINGS):
            moved = x + step
            if signed:
                low = [i for i in signed if moved[i] < 0]
                moved[low] = 0.0
            there, slope = _at(function, moved)
            evaluations += 1
            if there <= value + ARMIJO * g @ (moved - x):
                break
            step = 0.5 * step
        else:
            break
        H = updated(H, moved - x, slope - g)
        x, value, g = moved, there, slope
    else:
        decrease = _step(x, g, H, signed)[1]
    return Nearby(x, value, g, H, decrease, evaluations)


def _at(function: ValueAndGradient, x: np.ndarray) -> tuple[float, np.ndarray]:
    try:
        value, gradient = function(x)
    except np.linalg.LinAlgError:
        return np.inf, np.zeros_like(x)
    return (value, gradient) if np.isfinite(value) else (np.inf, np.zeros_like(x))


def _step(x: np.ndarray, g: np.ndarray, H: np.ndarray, signed: Sequence[int]) -> tuple[np.ndarray, float]:
    """The step and the decrease that it predicts, what stays at zero held."""
    stays = np.array([i for i in signed if x[i] <= 0 and g[i] > 0], dtype=int)
    if len(stays):
        free = np.setdiff1d(np.arange(len(x)), stays)
        inner, across = H[np.ix_(free, free)], H[np.ix_(free, stays)]
        inner = inner - across @ np.linalg.solve(H[np.ix_(stays, stays)], across.T)
        step = np.zeros_like(x)
        step[free] = -inner @ g[free]
    else:
        step = -H @ g
    return step, float(-0.5 * g @ step)


def updated(H: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """BFGS's inverse curvature after a step that changed the gradient; as it was where curvature is not positive."""
    along = float(step @ change)
    if not along > CURVED * np.linalg.norm(step) * np.linalg.norm(change):
        return H
    across = H @ change
    mixed = np.outer(across, step)
    return H + (along + change @ across) * np.outer(step, step) / along**2 - (mixed + mixed.T) / along
