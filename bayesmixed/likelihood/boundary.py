"""Is a point with zero variances a maximum, or only stationary by symmetry?

The criterion is even in the sign of each column of Lambda, so its gradient vanishes at a zero column whatever the
data say. What decides is the derivative in Sigma = Lambda Lambda' along the null directions of Sigma: it must not be
negative. That is a first-order condition: another maximum far from the point is not excluded by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from .working.theta import Theta

STEP = 3e-3  # of a working (unit mean square) column: the quadratic term dominates, rounding stays below 1e-5
SNAP = 1e-2  # a boundary nearer than this, such as a diagonal element of zero, is tried
SNAP_LOSS = 1e-8  # deviance that it may cost: far below the tolerance of any reported number
STEEP = 1e6  # stands for an infinite rise (a prior density of zero), which polarisation could not subtract
ACCEPT = -1e-3  # deviance per unit of relative variance; what it forgoes is of the order of its square


@dataclass(frozen=True)
class Direction:
    """The worst null direction of one term: `slope` is the derivative of the criterion in its variance."""

    term: int
    direction: np.ndarray
    slope: float


def snap(value: Callable[[np.ndarray], float], theta: Theta, x: np.ndarray) -> np.ndarray:
    """Move what is near a boundary, such as small columns of Lambda, to it where that costs nothing."""
    near = [[edge for edge in group if 0 < edge.distance < SNAP] for group in theta.edges(x)]
    trials = [group[0] for group in near if group]
    if not trials:
        return x
    best, reference = x.copy(), value(x)
    for edge in sorted(trials, key=lambda edge: (edge.distance, edge.positions)):
        trial = edge.at(best)
        found = value(trial)
        if found <= reference + SNAP_LOSS:
            best, reference = trial, min(reference, found)
    return best


def worst_direction(value: Callable[[np.ndarray], float], theta: Theta, x: np.ndarray) -> Direction | None:
    """The null direction along which the criterion falls fastest; None where every block has full rank."""
    nulls = [
        (term, null)
        for term, part in theta.split(x).items()
        for null in theta.covariances[term].null_directions(part, theta.k(term), tolerance=1e-8)
    ]
    if not nulls:
        return None
    reference, found = value(x), []
    for term, null in nulls:
        move = partial(theta.stepped_off, x, term)
        values, vectors = np.linalg.eigh(_slopes(value, reference, move, null))
        found.append(Direction(term, null @ vectors[:, 0], float(values[0])))
    return min(found, key=lambda d: d.slope)


def leave(value: Callable[[np.ndarray], float], theta: Theta, x: np.ndarray, edge: Direction) -> np.ndarray:
    """x moved off the boundary along a direction, by the step that lowers the criterion most."""
    trials = [theta.stepped_off(x, edge.term, step * edge.direction) for step in (0.01, 0.03, 0.1, 0.3, 1.0)]
    return min(trials, key=value)


def _slopes(
    value: Callable[[np.ndarray], float], reference: float, move: Callable[[np.ndarray], np.ndarray], null: np.ndarray
) -> np.ndarray:
    """The matrix v_i' G v_j of derivatives in Sigma, by polarisation of second-order rises."""

    def rise(v: np.ndarray) -> float:
        return min(value(move(v)) - reference, STEEP)

    m = null.shape[1]
    slopes = np.diag([rise(STEP * null[:, i]) for i in range(m)])
    for i in range(m):
        for j in range(i):
            both = rise(STEP * (null[:, i] + null[:, j]))
            slopes[i, j] = slopes[j, i] = 0.5 * (both - slopes[i, i] - slopes[j, j])
    return slopes / STEP**2
