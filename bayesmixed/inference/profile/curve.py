"""zeta as a function of one parameter: points with their slopes, and what is between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ..intervals import Interval
from .path import Side, between
from .points import Point, Summit

FALL = 0.02  # of zeta on the way out, which is no rounding
DENSE = 401  # values of zeta between which it is read off


@dataclass(frozen=True, eq=False)
class Curve:
    """The profile of one parameter: `low` and `high` walk down and up from the estimates at `top`."""

    top: Summit
    low: Side
    high: Side

    @property
    def label(self) -> str:
        """The parameter's name."""
        return self.top.pinned.label

    @property
    def points(self) -> list[Point]:
        """All points, the parameter ascending."""
        return [*self.low.points[:0:-1], *self.high.points]

    @property
    def estimate(self) -> float:
        """The parameter at the estimates."""
        return self.top.pinned.chart.value(self.top.point.w)

    @property
    def se(self) -> float:
        """Its standard error by the curvature; NaN where the estimate is on an end of the parameter."""
        known = self.top.point.w not in self.top.pinned.limits
        return self.top.se * abs(self.top.pinned.chart.stretch(self.top.point.w)) if known else float("nan")

    @property
    def unsettled(self) -> int:
        """Points at which the search of everything else did not end."""
        return sum(not each.settled for each in self.points)

    @property
    def folded(self) -> bool:
        """Whether |zeta| falls again somewhere on the way out: there is another maximum of the likelihood."""
        sides = [np.abs([each.zeta for each in side.points]) for side in (self.low, self.high)]
        return any(bool(np.any(np.diff(side) < -FALL)) for side in sides)

    def value(self, zeta: float) -> float:
        """The parameter where zeta is so; its end, or the last point, where zeta never is."""
        return self.top.pinned.chart.value(self.coordinate(zeta))

    def coordinate(self, zeta: float) -> float:
        """The parameter's coordinate where zeta is so."""
        points = self.points
        after = next((i for i, each in enumerate(points) if each.zeta >= zeta), len(points))
        if after in (0, len(points)):
            return points[min(after, len(points) - 1)].w
        return between(points[after - 1], points[after], zeta)

    @property
    def reach(self) -> tuple[float, float]:
        """zeta at the first and at the last point."""
        return self.points[0].zeta, self.points[-1].zeta

    def zeta(self, values: np.ndarray) -> np.ndarray:
        """zeta (n,) of values of the parameter, NaN beyond the points."""
        grid = np.linspace(*self.reach, DENSE)
        known = [self.value(each) for each in grid]
        return np.interp(values, known, grid, left=np.nan, right=np.nan)

    def interval(self, level: float) -> Interval:
        """The limits of one level, where zeta is as far from zero as a normal quantile says."""
        goal = float(ndtri(0.5 + level / 2))
        ends = [self._limit(side, sign * goal) for side, sign in ((self.low, -1), (self.high, 1))]
        (lower, below), (upper, above) = ends
        return Interval(self.label, self.estimate, lower, upper, (below, above), self.se, level)

    def _limit(self, side: Side, zeta: float) -> tuple[float, str]:
        """A limit and how it was found: "crossed", "boundary", "endless" or "failed"."""
        chart, last = self.top.pinned.chart, side.points[-1]
        if abs(last.zeta) >= abs(zeta):
            return self.value(zeta), "crossed"
        if side.bounded:
            return chart.value(last.w), "boundary"
        if side.endless:
            return self.top.pinned.ends[int(zeta > 0)], "endless"
        return float("nan"), "failed"
