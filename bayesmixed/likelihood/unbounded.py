"""Does a penalised criterion fall without bound as an sd grows? A penalty that only keeps sds from zero allows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .coordinates import Coordinates

FAR = 1e3  # sd of a working column from which its criterion is about linear in log sd
PULL = -3.5  # steeper than the penalty's own slope: the data ask for a larger sd, and will stop asking
FALLS = -0.1  # slope below which the criterion falls for ever: slopes are -3 or -1 against 1, 3, ...
RUNAWAY = 1.0  # the same where the search itself ended beyond `FAR`
DECADE = float(np.log(10))


def unbounded_terms(
    value: Callable[[np.ndarray], float],
    coordinates: Coordinates,
    start: np.ndarray,
    end: np.ndarray,
    terms: Sequence[int],
) -> list[int]:
    """The terms of which some column's sd can grow for ever while the criterion falls.

    Far out the criterion is m log sd + constant with a whole number m: twice the number of levels that hold the sd
    down, less 3 of the penalty. (Laplace's approximation gets there slowly and from above, so that a search from
    `start` whose `end` is far out counts for more.) It is looked at over one decade, everything else as at the start.
    """
    found = []
    for j in terms:
        limits = np.where(coordinates.sizes(end, j) > FAR, RUNAWAY, FALLS)
        if any(PULL < _slope(value, coordinates, start, j, i) < limit for i, limit in enumerate(limits)):
            found.append(j)
    return found


def _slope(value: Callable[[np.ndarray], float], coordinates: Coordinates, x: np.ndarray, j: int, i: int) -> float:
    """The slope of the criterion in log sd far out, NaN where it cannot be evaluated there."""
    natural, size = coordinates.natural(x), coordinates.sizes(x, j)[i]

    def at(sd: float) -> float:
        F = natural.factors[j].copy()
        F[i] *= sd / size
        factors = tuple(F if term == j else old for term, old in enumerate(natural.factors))
        return value(coordinates.at(replace(natural, factors=factors)))

    try:
        # exponentials of a predictor this wide overflow: what comes of them is not finite, and says so
        with np.errstate(over="ignore", invalid="ignore"):
            ends = at(FAR), at(10 * FAR)
    except np.linalg.LinAlgError:
        return np.nan
    return (ends[1] - ends[0]) / DECADE if np.all(np.isfinite(ends)) else np.nan
