"""Where the optimum of a criterion is when it lies on a limit of some prior's support."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...likelihood.penalty.bounds import Bounds
from ...likelihood.penalty.penalty import Penalty
from ...likelihood.working.coordinates import Coordinates
from .optimizer import HUGE, Optimum

NEAR = 1e-6  # of what is large at a limit: a number as near as this is on it
TIGHT = 1e-13  # relative change of the criterion at which SLSQP stops
MOST = 300  # iterations


@dataclass(frozen=True)
class OnLimits:
    """An optimum whose `gradient` is what the limits do not hold, and the priors whose limits hold it, in words."""

    optimum: Optimum
    priors: tuple[str, ...]


def search_limited(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    metric: np.ndarray,
    coordinates: Coordinates,
    penalty: Penalty,
) -> OnLimits:
    """Minimise `function`, defined beyond the limits too, within the limits of `penalty`, from a `start` inside.

    By sequential quadratic programs in coordinates of unit curvature (`metric`: a guess of the inverse Hessian).
    """
    root = _root(metric)

    def scaled(z: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            value, gradient = function(start + root @ z)
        except np.linalg.LinAlgError:
            return HUGE, np.zeros_like(z)
        return (value, root.T @ gradient) if np.isfinite(value) else (HUGE, np.zeros_like(z))

    constraint = {
        "type": "ineq",
        "fun": lambda z: np.array([room for room, _ in _rooms(start + root @ z, coordinates, penalty)]),
        "jac": lambda z: np.array([row @ root for _, row in _rooms(start + root @ z, coordinates, penalty)]),
    }
    result: Any = minimize(  # type: ignore[call-overload]  # SciPy's stubs know no function with its own gradient
        scaled,
        np.zeros(len(start)),
        jac=True,
        method="SLSQP",
        constraints=[constraint],
        options={"ftol": TIGHT, "maxiter": MOST},
    )
    x = start + root @ result.x
    value, gradient = function(x)
    found = penalty.limits(coordinates.natural(x))
    active = [limits for limits in found if _on(limits)]
    free = _unheld(gradient, [coordinates.pull_back(x, limits.slopes) for limits in active], root)
    decrease = 0.5 * float(np.sum((root.T @ free) ** 2))
    optimum = Optimum(x, value, free, decrease, int(result.nfev), str(result.message))
    return OnLimits(optimum, tuple(limits.prior for limits in active))


def _rooms(x: np.ndarray, coordinates: Coordinates, penalty: Penalty) -> list[tuple[float, np.ndarray]]:
    """How far each number is from each limit, relative to what is large there, with the slopes in x."""
    rooms = []
    for limits in penalty.limits(coordinates.natural(x)):
        row = coordinates.pull_back(x, limits.slopes)
        for limit, sign in ((limits.low, 1.0), (limits.high, -1.0)):
            if np.isfinite(limit):
                size = limits.size(limit)
                rooms.append((sign * (limits.value - limit) / size, sign * row / size))
    return rooms


def _on(limits: Bounds) -> bool:
    ends = [end for end in (limits.low, limits.high) if np.isfinite(end)]
    return any(abs(limits.value - end) < NEAR * limits.size(end) for end in ends)


def _unheld(gradient: np.ndarray, normals: list[np.ndarray], root: np.ndarray) -> np.ndarray:
    """The gradient less what multipliers of the limits explain, in the metric of the search."""
    if not normals:
        return gradient
    N = np.array(normals).T
    multipliers = np.linalg.lstsq(root.T @ N, root.T @ gradient)[0]
    return gradient - N @ multipliers


def _root(metric: np.ndarray) -> np.ndarray:
    """A square root L of the metric, L L', of full rank."""
    values, vectors = np.linalg.eigh(0.5 * (metric + metric.T))
    return vectors * np.sqrt(np.maximum(values, 1e-10 * max(float(values[-1]), 1e-300)))
