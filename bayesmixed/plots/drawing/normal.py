"""Are values normal: their quantiles against normal ones, with a band that holds for all of them at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaincinv, ndtri

from . import canvas, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 3000  # points of a picture: more lie upon each other
LOOKED_AT = 200  # order statistics that make the band
SAMPLES = 2000  # of them, for its level: its coverage is then within 1 %


def normal_quantiles(values: np.ndarray) -> np.ndarray:
    """The normal quantile (n,) that goes with the rank of each value, by Blom's (i - 3/8) / (n + 1/4); NaN for NaN."""
    known = np.isfinite(values)
    found = np.full(len(values), np.nan)
    ranks = np.argsort(np.argsort(values[known], kind="stable"), kind="stable") + 1
    found[known] = _blom(ranks, int(known.sum()))
    return found


@lru_cache(maxsize=32)
def band(n: int, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal quantiles of some ranks, and the limits between which all of n sorted normal values stay.

    Each order statistic of uniform values has a beta distribution, and the limits are its quantiles of one tail
    probability for all, chosen so that none is passed with probability `level`.

    References
    ----------
    Aldor-Noiman, Brown, Buja, Rolke & Stine (2013), The American Statistician 67, 249-260.
    """
    ranks = theme.evenly(n, min(n, LOOKED_AT)) + 1
    gaps = np.diff(np.concatenate([[0], ranks, [n + 1]]))
    sums = np.cumsum(np.random.default_rng(1).gamma(gaps, size=(SAMPLES, len(gaps))), axis=1)
    below = betainc(ranks, n + 1 - ranks, sums[:, :-1] / sums[:, -1:])
    tail = np.quantile(np.minimum(below, 1 - below).min(axis=1), 1 - level)
    lower, upper = (ndtri(betaincinv(ranks, n + 1 - ranks, share)) for share in (tail, 1 - tail))
    return _blom(ranks, n), lower, upper


def draw_points(ax: Axes, expected: np.ndarray, values: np.ndarray, level: float) -> None:
    """Values over their normal quantiles, the line of equality, and the band."""
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(expected[known], kind="stable")]
    shown = order[theme.evenly(len(order), min(SHOWN, len(order)))]
    at, lower, upper = band(len(order), level)
    ax.fill_between(at, lower, upper, color=theme.ESTIMATE, alpha=0.18, lw=0, zorder=1)
    ax.axline((0, 0), slope=1, color=canvas.ink(ax), lw=0.8, zorder=2)
    size = 0.8 * theme.marker_size(len(order))
    ax.plot(expected[shown], values[shown], "o", color=theme.ESTIMATE, ms=size, mew=0, zorder=3)
    ax.set_xlabel("normal quantile")


def _blom(ranks: np.ndarray, n: int) -> np.ndarray:
    return ndtri((ranks - 0.375) / (n + 0.25))
