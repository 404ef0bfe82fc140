"""The points of a profile: a parameter held, everything else at its best, searched from the points nearby."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...engines.search.nearby import Nearby, nearby
from ...engines.search.optimizer import ValueAndGradient
from ...engines.search.second_look import SAME, covariances, distance, doubtful, largest, starts
from ...likelihood.boundary import ACCEPT, leave, snap, worst_direction
from ...likelihood.criteria.hessian import differenced
from .pinned import Pinned

SETTLED = 1e-6  # of the deviance: predicted decrease at which a point is taken
LOOSE = 1e-3  # predicted decrease from which a point is not: zeta would be off by more than its third decimal
BETTER = 1e-3  # of the deviance: by what a point must be lower than the fit to be a better optimum
LEAST = 0.02  # of the curvature that was guessed: what a direction has at least when steps are measured
TENTH = 0.1
USUAL = 0.5  # relative sd of effects in columns of unit mean square that is nothing unusual, where all are zero
DEPARTURES = 4  # times a search may leave a boundary


class BetterOptimum(Exception):
    """The deviance beside the parameter `label` is lower than at the estimates, by `fall`, with these `factors`."""

    def __init__(self, label: str, fall: float, factors: tuple[np.ndarray, ...]) -> None:
        super().__init__(label)
        self.label, self.fall, self.factors = label, fall, factors


@dataclass(frozen=True, eq=False)
class Point:
    """zeta = sign sqrt(D - D_min) where the parameter's coordinate is `w`, the best y (m,) there.

    `pace` is d w / d zeta (NaN where it is not known), `H` the inverse curvature of the rest, `left` the decrease of
    the deviance that the search had still to expect.
    """

    w: float
    zeta: float
    pace: float
    y: np.ndarray
    H: np.ndarray
    left: float

    @property
    def settled(self) -> bool:
        """Whether the search of everything else ended."""
        return self.left < LOOSE


@dataclass(frozen=True, eq=False)
class Summit:
    """The estimates: a point with zeta 0; `tangent` (m - 1,) is how the rest moves with w there.

    `se` is the standard error of w from the curvature (a guess where w is on its end); `value` the deviance. `without`
    are least deviances, and where (m - 1,), with something at zero beside which the parameter says nothing.
    """

    pinned: Pinned
    point: Point
    tangent: np.ndarray
    se: float
    value: float
    without: tuple[tuple[float, np.ndarray], ...] = ()


def summit(pinned: Pinned) -> Summit:
    """The estimates of a fit as the top of a profile, with the Hessian there by differences of the gradient."""
    y = pinned.y
    value, gradient = pinned.value_and_gradient(y)
    on_end = bool(y[0] in pinned.limits)
    free = np.arange(1 if on_end else 0, len(y))
    unit = np.sqrt(np.maximum(np.diag(pinned.metric(y)), 1e-300))
    hessian = differenced(pinned, y, gradient, free) * np.outer(unit, unit)
    hessian = np.where(np.isfinite(hessian), hessian, np.eye(len(y)))
    H = _inverse(hessian[1:, 1:])
    tangent = np.zeros(len(y) - 1) if on_end else -H @ hessian[1:, 0]
    bend = hessian[0, 0] + hessian[0, 1:] @ tangent
    known = bool(bend > 0 and not on_end)
    se = float(unit[0] * np.sqrt(2 / bend)) if known else _first(pinned, float(unit[0] * np.sqrt(2.0)))
    point = Point(float(y[0]), 0.0, se if known else np.nan, y, H * np.outer(unit[1:], unit[1:]), 0.0)
    without = tuple(_without(pinned, point, i) for i in pinned.signed)
    return Summit(pinned, point, tangent * unit[1:] / unit[0], se, value, without)


def guessed(pinned: Pinned) -> Summit:
    """The same where an estimate is on its end, by the criterion's own guess of its curvature: no evaluations."""
    y, M = pinned.y, pinned.metric(pinned.y)
    tangent = M[1:, 0] / M[0, 0]
    H = M[1:, 1:] - np.outer(tangent, M[0, 1:])
    point = Point(float(y[0]), 0.0, np.nan, y, 0.5 * (H + H.T), 0.0)
    return Summit(pinned, point, tangent, _first(pinned, float(np.sqrt(2 * M[0, 0]))), pinned.value(y))


def _first(pinned: Pinned, otherwise: float) -> float:
    """A first step from the end of a parameter; of an sd from zero, where nothing else says what is large.

    To where effects in columns of unit mean square vary a tenth as much as what they are relative to.
    """
    if pinned.y[0] != 0 or pinned.limits[0] != 0:
        return otherwise
    ends = [pinned.theta.factors(pinned.chart.x(np.append(w, pinned.y[1:]))) for w in (0.0, 1.0)]
    size = float(np.sqrt(sum(np.sum((b - a) ** 2) for a, b in zip(*ends, strict=True))))
    return TENTH / size if size > 0 else otherwise


def _without(pinned: Pinned, top: Point, i: int) -> tuple[float, np.ndarray]:
    """The least deviance with the element of y at i zero, and where the rest is: a correlation is any one there."""
    others = np.setdiff1d(np.arange(1, len(top.y)), [i])
    y = top.y.copy()
    y[i] = 0.0

    def function(z: np.ndarray) -> tuple[float, np.ndarray]:
        moved = y.copy()
        moved[others] = z
        value, gradient = pinned.value_and_gradient(moved)
        return value, gradient[others]

    signed = [int(np.flatnonzero(others == each)[0]) for each in pinned.signed if each != i]
    H = top.H[np.ix_(others - 1, others - 1)]
    found = nearby(function, y[others], H, settled=SETTLED, signed=signed)
    y[others] = found.x
    return found.value, y[1:]


def _inverse(hessian: np.ndarray) -> np.ndarray:
    """Of a Hessian in units of its guess, directions with less curvature than is measured by given so much."""
    values, vectors = np.linalg.eigh(hessian)
    half = vectors / np.sqrt(np.maximum(np.abs(values), LEAST))
    return half @ half.T


def point(top: Summit, w: float, known: Sequence[Point]) -> Point | None:
    """The point at w, searched from where the `known` ones predict it; None where the deviance has no value.

    Raises
    ------
    BetterOptimum
        Where the deviance is lower than at the estimates.
    """
    pinned = top.pinned
    near = min(known, key=lambda each: abs(each.w - w))
    y, H, slopes = _predicted(top, w, known), near.H, {}

    def function(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = pinned.value_and_gradient(np.append(w, z))
        slopes[z.tobytes()] = gradient[0]
        return value, gradient[1:]

    signed = [i - 1 for i in pinned.signed]
    y[list(pinned.signed)] = np.maximum(y[list(pinned.signed)], 0.0)
    for start in (y[1:], near.y[1:]):
        found = nearby(function, start, H, settled=SETTLED, signed=signed)
        if np.isfinite(found.value):
            break
    else:
        return None
    for lowest, z in top.without:
        if found.value > lowest:
            other = nearby(function, z, top.point.H, settled=SETTLED, signed=signed)
            found = other if other.value < found.value else found
    for _ in range(DEPARTURES):
        moved = _departed(pinned, np.append(w, found.x))
        if moved is None:
            break
        found = nearby(function, moved[1:], H, settled=SETTLED, signed=signed)
    found = _lower(top, function, w, found)
    rise = found.value - top.value
    if rise < -BETTER:
        x = pinned.chart.x(np.append(w, found.x))
        raise BetterOptimum(pinned.label, -rise, pinned.base.theta.typed(x))
    zeta = np.copysign(np.sqrt(max(rise, 0.0)), w - top.point.w)
    slope = slopes[found.x.tobytes()]
    pace = 2 * zeta / slope if slope else np.nan
    return Point(w, float(zeta), float(pace), np.append(w, found.x), found.H, found.decrease)


def _predicted(top: Summit, w: float, known: Sequence[Point]) -> np.ndarray:
    """y at w by the tangent at the estimates, then by a parabola through the nearest points."""
    apart = {each.w: each for each in known}  # by place: a parabola needs three
    nearest = sorted(apart.values(), key=lambda each: abs(each.w - w))[:3]
    if len(nearest) == 1:
        return np.append(w, nearest[0].y[1:] + top.tangent * (w - nearest[0].w))
    found = np.zeros_like(top.point.y)
    for i, each in enumerate(nearest):
        others = [other.w for k, other in enumerate(nearest) if k != i]
        found += each.y * np.prod([(w - other) / (each.w - other) for other in others])
    found[0] = w
    return found


def _lower(top: Summit, function: ValueAndGradient, w: float, found: Nearby) -> Nearby:
    """What was found of the rest at w, or a lower minimum elsewhere."""
    signed, last = [i - 1 for i in top.pinned.signed], [found.x]

    def followed(z: np.ndarray) -> tuple[float, np.ndarray]:
        last[0] = z
        return function(z)

    for start, returned in _elsewhere(top, np.append(w, found.x)):
        stop = partial(_at_last, returned, w, last)
        other = nearby(followed, start[1:], top.point.H, settled=SETTLED, signed=signed, exhausted=stop)
        if other.value < found.value - SETTLED:
            found = nearby(function, other.x, other.H, settled=SETTLED, signed=signed)
    return found


def _at_last(returned: Callable[[np.ndarray], bool], w: float, last: list[np.ndarray]) -> bool:
    return returned(np.append(w, last[0]))


def _elsewhere(top: Summit, y: np.ndarray) -> list[tuple[np.ndarray, Callable[[np.ndarray], bool]]]:
    """Where a lower minimum may be if y is near a boundary: covariances of other signs and sizes; y[0] as it is.

    With each what says of a point on the way that the search has come back to y.
    """
    pinned = top.pinned
    layout, x = pinned.base.theta, pinned.chart.x(y)
    here = covariances(layout, x)
    if not doubtful(layout, here):
        return []
    usual = max(largest(here), (USUAL * pinned.unit) ** 2)

    def returned(there: np.ndarray) -> bool:
        return distance(layout, x, pinned.chart.x(there)[: layout.size], here, usual) < SAME

    found = [start for start in starts(layout, x, here, usual) if not np.array_equal(start, x)]
    return [(np.append(y[0], pinned.chart.y(start)[1:]), returned) for start in found]


def _departed(pinned: Pinned, y: np.ndarray) -> np.ndarray | None:
    """y off a boundary, where a variance is zero that is better not; None where none is, or it is best there."""
    base = pinned.base
    snapped = pinned.chart.y(snap(base.value, base.theta, pinned.chart.x(y)))
    x = pinned.chart.x(np.append(y[0], snapped[1:]))  # what is nearly zero shows no slope, and is none to leave
    edge = worst_direction(base.value, base.theta, x)
    if edge is None or edge.slope >= ACCEPT:
        return None
    return pinned.chart.y(leave(base.value, base.theta, x, edge))
