"""Which pairs of parameters are jointly plausible? Contours of two parameters, from the profiles of each alone.

On the scale of zeta a contour of level c is (c cos(a + d / 2), c cos(a - d / 2)). It touches the lines zeta = +-c where
the profile traces meet them: that gives d at four angles a, and a periodic cubic spline through these gives the rest.
Source: Bates & Watts (1988), Nonlinear Regression Analysis and Its Applications, section 6.1 and appendix 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.stats import chi2

if TYPE_CHECKING:
    from .curve import Curve
    from .profile import Profile

SIDES = 120  # of the polygon that is drawn for a contour
COLUMNS = ["kind", "level", "x", "y", "x_value", "y_value", "x_zeta", "y_zeta"]


def pairs(profile: Profile, levels: Sequence[float]) -> pd.DataFrame:
    """Traces and contours of every pair of profiled parameters, in values and in zeta.

    Rows of `kind` "trace of x" are the profile of x, along which y is at its best; of "contour" the joint limits of a
    level (a chi-squared of two degrees of freedom). A level that a profile does not reach on both sides has none.
    """
    traces = {name: part for name, part in profile.traces.groupby("parameter", sort=False)}
    parts = []
    for x, y in combinations(profile.curves, 2):
        along = {"x": _trace(x, y, traces[x.label]), "y": _trace(y, x, traces[y.label])}
        for axis, (own, other, both) in along.items():
            turn = slice(None) if axis == "x" else slice(None, None, -1)
            zetas = np.column_stack([own, other])[:, turn]
            parts.append(_rows(f"trace of {axis}", np.nan, (x, y), both[:, turn], zetas))
        for level, zeta in _contours(along["x"][:2], along["y"][:2], levels):
            values = np.array([[x.value(a), y.value(b)] for a, b in zeta])
            parts.append(_rows("contour", level, (x, y), values, zeta))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _trace(own: Curve, other: Curve, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """zeta (n,) of the parameter held, of the other one at its best beside it, and values (n, 2) of both."""
    values = rows[[own.label, other.label]].to_numpy(dtype=float)
    return rows["zeta"].to_numpy(), other.zeta(values[:, 1]), values


def _contours(
    of_x: tuple[np.ndarray, np.ndarray], of_y: tuple[np.ndarray, np.ndarray], levels: Sequence[float]
) -> Iterator[tuple[float, np.ndarray]]:
    """Levels with points (SIDES + 1, 2) of their contours in zeta."""
    (x, y_of_x), (y, x_of_y) = of_x, of_y
    for level in levels:
        c = float(np.sqrt(chi2.ppf(level, 2)))
        if min(-x[0], x[-1], -y[0], y[-1]) < c:
            continue
        touching = [(0.0, _at(x, y_of_x, c) / c), (np.pi, _at(x, y_of_x, -c) / c)]
        crossed = [(_at(y, x_of_y, c) / c, 0.0), (_at(y, x_of_y, -c) / c, np.pi)]
        corners = [(a, np.arccos(np.clip(cos, -1, 1))) for a, cos in touching]
        corners += [(np.arccos(np.clip(cos, -1, 1)), b) for cos, b in crossed]
        if np.all(np.isfinite(corners)):
            yield level, c * _around(np.array(corners))


def _at(zeta: np.ndarray, other: np.ndarray, target: float) -> float:
    """The other's zeta where this is at a target."""
    known = np.isfinite(other)
    if np.sum(known) < 2 or not zeta[known][0] <= target <= zeta[known][-1]:
        return float("nan")
    return float(PchipInterpolator(zeta[known], other[known])(target))


def _around(angles: np.ndarray) -> np.ndarray:
    """Points of a contour of radius 1 from its angles (4, 2) where it touches the square around it."""
    middle, apart = angles.mean(axis=1), angles[:, 0] - angles[:, 1]
    a, d = np.where(apart < 0, -middle, middle), np.abs(apart)
    order = np.argsort(a)
    a, d = a[order], d[order]
    keep = np.append(True, np.diff(a) > 1e-8)  # perfectly related parameters touch in two points only
    a, d = a[keep], d[keep]
    phase = CubicSpline(np.append(a, a[0] + 2 * np.pi), np.append(d, d[0]), bc_type="periodic")
    turn = np.linspace(0, 2 * np.pi, SIDES + 1)
    return np.column_stack([np.cos(turn + phase(turn) / 2), np.cos(turn - phase(turn) / 2)])


def _rows(kind: str, level: float, pair: tuple[Curve, Curve], values: np.ndarray, zetas: np.ndarray) -> pd.DataFrame:
    columns = [kind, level, pair[0].label, pair[1].label, values[:, 0], values[:, 1], zetas[:, 0], zetas[:, 1]]
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
