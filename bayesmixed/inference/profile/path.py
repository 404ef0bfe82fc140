"""The walk along a profile from the estimate to where zeta is as far from zero as asked, or the parameter ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .points import Point, Summit, point

POINTS, CUTS = 40, 8  # of one side at most; halvings of a step that leads where the deviance has no value
FARTHEST = 1e4  # standard errors from the estimate: a profile that is flat there is flat for ever
LONGEST = 4.0  # times the way so far, of one step outwards
LEAP = 1.7  # steps of zeta that a step may take
FIRST = 0.3  # of the way to the other end: the first step from an estimate on its end


@dataclass(frozen=True, eq=False)
class Side:
    """The points of one side, from the estimate outwards, and whether zeta reached the goal there.

    Where it did not: `bounded`, the last point is where the parameter ends; `endless`, the profile is flat as far as
    was looked; else the walk broke off.
    """

    points: tuple[Point, ...]
    reached: bool
    bounded: bool = False
    endless: bool = False


def side(top: Summit, sign: int, goal: float, step: float, known: Sequence[Point] = ()) -> Side:
    """Walk to |zeta| = `goal` by steps of about `step` in zeta, upwards (`sign` 1) or downwards (-1).

    From the estimates, or from the last of the `known` points of that side.
    """
    pinned, found = top.pinned, list(known) or [top.point]
    end = pinned.limits[1 if sign > 0 else 0]
    if top.point.w == end:
        return Side((top.point,), False, bounded=True)
    farthest = top.point.w + sign * min(FARTHEST * top.se, pinned.chart.far)
    last_w = min(end, farthest) if sign > 0 else max(end, farthest)
    while abs(found[-1].zeta) < goal and len(found) < POINTS:
        last = found[-1]
        ahead = min(abs(last.zeta) + step, goal + 0.02 * step)
        w = _beyond(top, found, sign * ahead)
        w = min(w, last_w) if sign > 0 else max(w, last_w)
        if last.w == farthest or _is_simpler(top, w, sign):
            return Side(tuple(found), False, endless=True)
        new = None if w == last.w else _evaluated(top, found, w, step)  # the same: rounding leaves no step
        if new is None:
            return Side(tuple(found), False)
        found.append(new)
        if new.w == end and abs(new.zeta) < goal:
            return Side(tuple(found), False, bounded=True)
    return Side(tuple(found), abs(found[-1].zeta) >= goal)


def crossing(top: Summit, walked: Side, target: float, tolerance: float) -> tuple[Point, ...]:
    """Points of a side with one at which zeta is within `tolerance` of a `target` that the side reaches."""
    found = list(walked.points)
    for _ in range(POINTS):
        if min(abs(each.zeta - target) for each in found) <= tolerance:
            break
        after = next(i for i, each in enumerate(found) if abs(each.zeta) >= abs(target))
        low, high = found[after - 1], found[after]
        w = between(low, high, target)
        margin = 0.02 * (high.w - low.w)
        first, last = sorted((low.w + margin, high.w - margin))
        new = point(top, float(np.clip(w, first, last)), found)
        if new is None:
            break
        found.insert(after, new)
    return tuple(found)


def between(low: Point, high: Point, zeta: float) -> float:
    """w where zeta is so between two points, by the cubic through both with their paces where those are in order."""
    rise = high.zeta - low.zeta
    if rise == 0:
        return low.w
    t, secant = (zeta - low.zeta) / rise, (high.w - low.w) / rise
    paces = [each.pace if np.isfinite(each.pace) else np.nan for each in (low, high)]
    for i in (0, 1):
        if np.isnan(paces[i]):  # a parabola
            paces[i] = 2 * secant - paces[1 - i] if np.isfinite(paces[1 - i]) else secant
    # outside of (0, 3) secants the cubic need not be monotone (Fritsch & Carlson 1980, SIAM J. Numer. Anal. 17)
    start, end = (float(np.clip(pace / secant, 0.0, 3.0)) if secant else 0.0 for pace in paces)
    share = t**2 * (3 - 2 * t) + t * (1 - t) ** 2 * start - t**2 * (1 - t) * end
    return float(low.w + share * (high.w - low.w))


def _is_simpler(top: Summit, w: float, sign: int) -> bool:
    """Whether the model is a simpler one at w and further on, where the likelihood is flat but for rounding."""
    simpler, value = top.pinned.simpler, top.pinned.chart.value
    return simpler(value(w)) and (value(w) > 1) == (sign > 0)


def _beyond(top: Summit, found: list[Point], zeta: float) -> float:
    """w where zeta should be so, outside of the points: by the pace of the last one, and how it changed."""
    last = found[-1]
    step = zeta - last.zeta
    if len(found) == 1:
        if np.isfinite(last.pace):
            return last.w + step * last.pace
        low, high = top.pinned.limits
        room = (high - low) * FIRST
        return last.w + np.sign(step) * min(abs(step) * top.se, room if np.isfinite(room) else np.inf)
    before, way = found[-2], last.w - top.point.w
    pace = last.pace if np.isfinite(last.pace) and last.pace > 0 else LONGEST * way / step
    ahead = step * pace
    if np.isfinite(before.pace) and last.zeta != before.zeta:
        change = (last.pace - before.pace) / (last.zeta - before.zeta)
        ahead += 0.5 * change * step**2 if np.isfinite(change) else 0.0
    longest = LONGEST * abs(way)
    ahead = np.clip(ahead * np.sign(step), 0.1 * min(abs(step) * pace, longest), longest)
    return float(last.w + np.sign(step) * ahead)


def _evaluated(top: Summit, found: list[Point], w: float, step: float) -> Point | None:
    """The point at w, or one nearer to the last where there is none, or where zeta would leap over several steps."""
    last = found[-1]
    for _ in range(CUTS):
        new = point(top, w, found)
        if new is not None and abs(new.zeta - last.zeta) <= LEAP * step:
            return new
        share = 0.5 if new is None else max(step / abs(new.zeta - last.zeta), 1e-3)
        w = last.w + share * (w - last.w)
    return new
