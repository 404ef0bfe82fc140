"""What does a variance at zero cost or save: how fast does the criterion rise as the direction begins to vary?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...covariance.pins import OneElement, Pin
from ...fits.point import PointFit
from ...inference.profile.ground import Held
from ...inference.profile.parameters import ground
from ...inference.profile.path import Side, crossing, side
from ...inference.profile.pinned import Pinned
from ...inference.profile.points import BetterOptimum, Point, Summit, guessed
from ...likelihood.criteria.criterion import Criterion, StandIn
from ...likelihood.working.coordinates import Coordinates
from ...likelihood.working.theta import Theta
from ..diagnosis.work import Work
from .null_directions import NullDirection

# of the deviance: one standard error, and the 95 % limit of a profile; from an estimate at zero, where half of the
# statistics are zero, the latter is about a one-sided limit of 97.5 %
RISES = (1.0, 3.84)
CLOSE = 5e-4  # of zeta, relative: three digits of the sd are printed


@dataclass(frozen=True)
class Rise:
    """A point of the profile.

    `sd` of the column (absolute), where others determine it of what they leave; `rise` of the deviance or REML
    criterion; the bar's `sds` (k,) and `corr` (k, k) there.
    """

    sd: float
    rise: float
    sds: np.ndarray
    corr: np.ndarray


def profile(fit: PointFit, direction: NullDirection, work: Work | None = None) -> tuple[Rise, ...]:
    """The sds at which the deviance (or REML criterion) has risen by 1 and by 3.84.

    A column with sd zero: its sd. A column that others determine: the sd of its effects given those of all others, the
    last diagonal element of Lambda with that column as the last. Everything else is re-maximised. `work` limits the
    evaluations: what it does not reach is left out. Empty where the fit maximised something else (MAP), or where the
    covariance structure has no coordinate for the direction.
    """
    pin = None if fit.engine.regularised else _pin(fit, direction)
    if pin is None:
        return ()
    held = ground(fit).block(direction.term, pin)
    counted = _Counted(held.criterion, Work() if work is None else work)
    found: list[Rise] = []
    try:
        for each in _rises(replace(held, criterion=counted), direction.term):
            found.append(each)  # what was found before the work was done stays
    except (_Exhausted, BetterOptimum):
        pass
    return tuple(found)


def _pin(fit: PointFit, direction: NullDirection) -> Pin | None:
    structure, k = fit.model.covariances[direction.term], len(fit.factors[direction.term])
    if direction.is_zero:
        pins = structure.pins(k)
        return pins[direction.column] if pins and structure.parameters(k).by_column else None
    if structure.invariance != "linear":
        return None
    others = (i for i in range(k) if i != direction.column)
    return OneElement((*others, direction.column), k, structure.n_theta(k) - 1)


def _rises(held: Held, term: int) -> Iterator[Rise]:
    """The points of ascending rises, as far as the criterion ever rises so."""
    pinned = Pinned("", 0, held.criterion, held.chart, held.x, (0.0, np.inf), lambda x: x, held.signed)
    top = guessed(pinned)
    walked = Side((top.point,), False)
    for rise in RISES:
        goal = float(np.sqrt(rise))
        walked = side(top, 1, goal, goal, walked.points)
        if not walked.reached:
            return
        walked = replace(walked, points=crossing(top, walked, goal, CLOSE * goal))
        yield _rise(top, held, term, min(walked.points, key=lambda each: abs(each.zeta - goal)))


def _rise(top: Summit, held: Held, term: int, at: Point) -> Rise:
    F = held.point(held.chart.x(at.y))[1][term]
    sds = np.linalg.norm(F, axis=1)
    unit = F / np.where(sds > 0, sds, 1.0)[:, None]
    return Rise(held.chart.value(at.w), at.zeta**2, sds, unit @ unit.T)


class _Exhausted(Exception):
    """The work is done."""


@dataclass(frozen=True)
class _Counted:
    """A criterion whose evaluations are counted, and end where the work does."""

    base: Criterion
    work: Work

    @property
    def theta(self) -> Theta:
        return self.base.theta

    def coordinates(self) -> Coordinates:
        return self.base.coordinates()

    def value(self, x: np.ndarray) -> float:
        self._count(0.5)
        return self.base.value(x)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        self._count(1.0)
        return self.base.value_and_gradient(x)

    def metric(self, x: np.ndarray) -> np.ndarray:
        return self.base.metric(x)

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        return None

    def _count(self, evaluations: float) -> None:
        if self.work.exhausted:
            raise _Exhausted
        self.work.count(evaluations)
