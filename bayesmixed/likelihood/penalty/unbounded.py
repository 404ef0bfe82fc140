"""Does a penalised criterion fall without bound as an sd grows? A penalty that only keeps sds from zero allows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..working.coordinates import Coordinates

NEAR = 10.0  # sd of a working column from which its slope only falls towards the one far out
SAFE = 10.0  # slope there that is not lost on the way
FAR = 1e3  # sd of a working column from which its criterion is about linear in log sd
PULL = -3.5  # steeper than the penalty's own slope: the data ask for a larger sd, and will stop asking
FALLS = -0.1  # slope below which the criterion falls for ever: slopes are -3 or -1 against 1, 3, ...
STRETCH = 2.0  # ratio of the two sds that give a slope


def unbounded_terms(
    value: Callable[[np.ndarray], float],
    coordinates: Coordinates,
    start: np.ndarray,
    end: np.ndarray,
    terms: Sequence[int],
    settled: bool = False,
) -> list[int]:
    """The terms of which some column's sd can grow for ever while the criterion falls.

    Far out the criterion is m log sd + constant with a whole number m: twice the number of levels that hold the sd
    down, less 3 of the penalty. (Laplace's approximation gets there slowly and from above, so that a search from
    `start` whose `end` is far out counts for more.) Everything else is as at the start. An `end` far out that is known
    to be an optimum, `settled`, is where effects are that large beside the residual.
    """
    found = []
    for j in terms:
        sizes = coordinates.sizes(end, j)
        asked = [(i, float(size)) for i, size in enumerate(sizes) if not (settled and size > FAR)]
        if any(_falls(value, coordinates, start, j, i, size) for i, size in asked):
            found.append(j)
    return found


def _falls(
    value: Callable[[np.ndarray], float], coordinates: Coordinates, x: np.ndarray, j: int, i: int, size: float
) -> bool:
    near = max(NEAR, 3 * size)
    if near < FAR and _slope(value, coordinates, x, j, i, near) > SAFE:
        return False
    return PULL < _slope(value, coordinates, x, j, i, FAR) < (SAFE if size > FAR else FALLS)


def _slope(
    value: Callable[[np.ndarray], float], coordinates: Coordinates, x: np.ndarray, j: int, i: int, sd: float
) -> float:
    """The slope of the criterion in log sd, NaN where it cannot be evaluated there."""
    natural, size = coordinates.natural(x), coordinates.sizes(x, j)[i]

    def at(sd: float) -> float:
        F = natural.factors[j].copy()
        F[i] *= sd / size
        factors = tuple(F if term == j else old for term, old in enumerate(natural.factors))
        return value(coordinates.at(replace(natural, factors=factors)))

    try:
        # exponentials of a predictor this wide overflow: what comes of them is not finite, and says so
        with np.errstate(over="ignore", invalid="ignore"):
            ends = at(sd), at(STRETCH * sd)
    except np.linalg.LinAlgError:
        return np.nan
    return float((ends[1] - ends[0]) / np.log(STRETCH)) if np.all(np.isfinite(ends)) else np.nan
