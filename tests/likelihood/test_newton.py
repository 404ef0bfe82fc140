"""Newton's method for modes: where it ends, alone and side by side, at the edge of a domain and in rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bayesmixed.likelihood.newton import Ascent, Point, Step, climb

CLOSE = 1e-7
STEPS = 40


@dataclass(frozen=True)
class At(Point):
    """At `u` (N,)."""

    u: Any


@dataclass(frozen=True)
class Full(Step):
    """A full step (N,)."""

    u: Any


@dataclass(frozen=True)
class LogRate(Ascent[At, Full]):
    """height + y log(u) - u, whose maximum is u = y, defined for u > 0 only: full steps from far above leave it."""

    y: Any
    height: float = 0.0

    def point(self, u: Any) -> At:
        with np.errstate(all="ignore"):
            return At(np.where(u > 0, self.height + self.y * np.log(u) - u, -np.inf)[()], u)

    def step(self, at: At) -> Full:
        gradient, curvature = self.y / at.u - 1, self.y / at.u**2
        return Full(gradient**2 / curvature, gradient / curvature)

    def moved(self, at: At, step: Full, size: Any, last: Any) -> At:
        return self.point(at.u + size * step.u)

    def of(self, some: np.ndarray) -> LogRate:
        return LogRate(self.y[some], self.height)


def test_many_side_by_side_end_where_each_ends_alone() -> None:
    y, start = np.array([1.0, 4.0, 30.0, 2.0]), np.array([1.0, 9.0, 1.0, 3.9])
    many = climb(LogRate(y), LogRate(y).point(start), STEPS)
    for i in range(4):
        of = LogRate(np.float64(y[i]))
        one = climb(of, of.point(np.float64(start[i])), STEPS)
        assert one.settled and many.settled[i]
        assert one.at.u == many.at.u[i]
    np.testing.assert_allclose(many.at.u, y, rtol=CLOSE)


def test_steps_out_of_the_domain_are_halved_back_into_it() -> None:
    of = LogRate(np.array([2.0, 2.0]))
    full = of.step(of.point(np.array([50.0, 2.5])))
    assert 50.0 + full.u[0] < 0
    found = climb(of, of.point(np.array([50.0, 2.5])), STEPS)
    assert found.settled.all()
    np.testing.assert_allclose(found.at.u, 2.0, rtol=CLOSE)


@pytest.mark.parametrize("height", [0.0, 1e8, -1e12])
def test_a_value_whose_rounding_hides_the_last_steps_still_has_a_mode(height: float) -> None:
    of = LogRate(np.float64(3.0), height)
    found = climb(of, of.point(np.float64(1.0)), STEPS)
    assert found.settled
    assert found.at.u == pytest.approx(3.0, abs=np.sqrt(1 + abs(height)) * 1e-5)


def test_where_there_is_no_maximum_the_steps_run_out() -> None:
    of = LogRate(np.array([0.0, 5.0]))  # -u, which grows towards the edge
    with np.errstate(all="ignore"):
        found = climb(of, of.point(np.array([1.0, 4.0])), STEPS)
    assert found.settled.tolist() == [False, True]
    assert found.at.u[1] == pytest.approx(5.0, rel=CLOSE)
