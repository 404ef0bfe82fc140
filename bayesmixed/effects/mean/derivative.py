"""The derivative of columns of a design in one column of the data, from their values alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

FIRST = 0.01  # of the local scale: the first step
RATIO = 3.7  # of a step to the next; no whole number, so that no period of a wave divides all of them
LEVELS = 26  # steps tried: from FIRST down to 1e-15 of it
AGREE = 1e-7  # of a derivative, between two steps: the finer one then errs by its 190th part (order 4)
LOOSE = 1e-4  # where none agree so well because rounding grows: the best pair must agree to this
ROUNDING = 16 * np.finfo(float).eps  # of a column's largest value
# places in steps and weights of differences of order 4: around a point, after it, before it
STENCILS = (
    (np.array([-2, -1, 1, 2]), np.array([1, -8, 8, -1]) / 12),
    (np.array([0, 1, 2, 3, 4]), np.array([-25, 48, -36, 16, -3]) / 12),
    (np.array([0, -1, -2, -3, -4]), np.array([25, -48, 36, -16, 3]) / 12),
)

Columns = Callable[[np.ndarray, np.ndarray], np.ndarray]


def derivative(columns: Columns, x: np.ndarray, spread: float) -> np.ndarray:
    """d columns / dx at each x (n,): (n, c).

    `columns(rows, x)` gives the values (r, c) of these rows at new x (r,); `spread` is the range of x in the data.
    Steps shrink until two of them agree, row by row and column by column, so that log(x) may be asked near 0. At the
    end of a domain and at a jump the side decides that has a derivative; NaN where none has (sqrt(x) at 0).
    """
    spread = spread if spread > 0 else max(1.0, float(np.abs(x).max(initial=0.0)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # splines say where a step leaves their knots
        here = np.abs(columns(np.arange(len(x)), x))
        found = np.full_like(here, np.nan)
        steep = np.where(np.isfinite(here), here, 0.0).max(axis=0, initial=0.0) / spread
        for stencil in STENCILS:
            rows = np.flatnonzero(np.isnan(found).any(axis=1))
            if len(rows):
                settled = _settled(columns, rows, x[rows], spread, stencil, steep)
                found[rows] = np.where(np.isnan(found[rows]), settled, found[rows])
    return found


def _settled(
    columns: Columns,
    rows: np.ndarray,
    x: np.ndarray,
    spread: float,
    stencil: tuple[np.ndarray, np.ndarray],
    steep: np.ndarray,
) -> np.ndarray:
    """Differences (r, c) at the first step with which the next agrees; NaN where no two do.

    `steep` (c,) is what counts as a large derivative of each column.
    """
    step = FIRST * np.clip(np.abs(x), FIRST * spread, spread)
    found, before, best = (np.full((len(rows), len(steep)), np.nan) for _ in range(3))
    gap = np.full_like(found, np.inf)
    active = np.arange(len(rows))
    for _ in range(LEVELS):
        now, rounding = _differences(columns, rows[active], x[active], step[active], stencil)
        apart = np.abs(now - before[active])
        agree = np.isnan(found[active]) & (apart <= AGREE * np.abs(now) + rounding)
        found[active] = np.where(agree, now, found[active])
        closer = (apart < gap[active]) & (apart <= LOOSE * (np.abs(now) + steep))
        best[active], gap[active] = np.where(closer, now, best[active]), np.where(closer, apart, gap[active])
        before[active] = now
        active = active[np.isnan(found[active]).any(axis=1)]
        if not len(active):
            break
        step[active] /= RATIO
    return np.where(np.isnan(found), best, found)


def _differences(
    columns: Columns, rows: np.ndarray, x: np.ndarray, step: np.ndarray, stencil: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Differences (r, c) and what rounding may leave of them."""
    step = (x + step) - x  # a step that the places take without rounding
    places, weights = stencil
    first = columns(rows, x + places[0] * step)
    total, largest = np.zeros_like(first), np.abs(first)
    for place, weight in zip(places[1:], weights[1:], strict=True):
        values = columns(rows, x + place * step)
        total += weight * (values - first)  # the weights sum to zero: a constant column has exactly no slope
        largest = np.maximum(largest, np.abs(values))
    return total / step[:, None], ROUNDING * largest / step[:, None]
