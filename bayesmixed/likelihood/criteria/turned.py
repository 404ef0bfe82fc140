"""A criterion in other columns of one bar, where what is asked about is one coordinate: the sd of its first column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import Criterion, StandIn

STEP = 1e-6  # of the differences of a change of coordinates


@dataclass(frozen=True)
class Turned:
    """`base` as a function of y: x with the factor A Lambda of one group term in place of Lambda.

    `A` (k, k) is any invertible map that the term's structure survives (`invariance`). With the user's columns in some
    order, the sd of the first is the first element of the term's theta, and the sd of the last given all others is its
    last (MATHEMATICS, section 11).
    """

    base: Criterion
    term: int
    A: np.ndarray

    @cached_property
    def inverse(self) -> np.ndarray:
        """A^-1."""
        return np.linalg.inv(self.A)

    @cached_property
    def theta(self) -> Theta:
        """The layout of theta in the turned columns."""
        theta = self.base.theta
        bases = tuple(C @ self.inverse if j == self.term else C for j, C in enumerate(theta.bases))
        return replace(theta, bases=bases)

    def turned(self, x: np.ndarray) -> np.ndarray:
        """y of x."""
        return self.theta.replaced(x, self.term, self.A @ self.theta.factor(x, self.term))

    def back(self, y: np.ndarray) -> np.ndarray:
        """x of y."""
        return self.theta.replaced(y, self.term, self.inverse @ self.theta.factor(y, self.term))

    def slopes(self, y: np.ndarray) -> np.ndarray:
        """d x / d y (m, m), by differences of the change of columns alone."""
        J, where = np.eye(len(y)), self.theta.slices[self.term]
        for i in range(where.start, where.stop):
            ends = []
            for sign in (1, -1):
                moved = y.copy()
                moved[i] += sign * STEP
                ends.append(self.back(moved))
            J[:, i] = (ends[0] - ends[1]) / (2 * STEP)
        return J

    def coordinates(self) -> Coordinates:
        """The base's, in the turned columns."""
        return replace(self.base.coordinates(), theta=self.theta)

    def value(self, y: np.ndarray) -> float:
        """The base's value."""
        return self.base.value(self.back(y))

    def value_and_gradient(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The base's value and its gradient in y."""
        value, gradient = self.base.value_and_gradient(self.back(y))
        return value, self.slopes(y).T @ gradient

    def metric(self, y: np.ndarray) -> np.ndarray:
        """The base's guess, turned."""
        into = np.linalg.pinv(self.slopes(y))
        found = into @ self.base.metric(self.back(y)) @ into.T
        return 0.5 * (found + found.T)

    def stand_in(self, y: np.ndarray) -> tuple[StandIn, int] | None:
        """The base's, as a function of the turned theta."""
        known = self.base.stand_in(self.back(y))
        if known is None:
            return None
        base, searches = known

        def function(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = base(self.back(theta))
            return value, self.slopes(theta).T @ gradient

        return function, searches
