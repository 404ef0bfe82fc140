"""Laplace's deviance of a generalized model as a criterion, with warm starts of the inner searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..laplace.approximation import Curved, LaplaceLikelihood
from ..laplace.mode import Mode
from ..laplace.start import metric
from ..laplace.working_response import working_deviance
from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import StandIn

_Visited = tuple[np.ndarray, Curved]  # x and the approximation there


@dataclass
class LaplaceCriterion:
    """Laplace's deviance as a function to minimise; `u`, then the effects of a point nearby start each inner search."""

    likelihood: LaplaceLikelihood
    u: Sequence[np.ndarray] | None = None
    first: np.ndarray | None = field(default=None, repr=False)
    anchor: _Visited | None = field(default=None, repr=False)
    last: _Visited | None = field(default=None, repr=False)
    at_zero: bool = False
    lenient: bool = False  # takes a mode that did not settle: only to show where a search broke down

    def at(self, x: np.ndarray) -> Curved:
        """The quadratic approximation at x; known at the last two points."""
        near = self._nearest(x)
        if near is not None and np.array_equal(near[0], x):
            self.anchor, self.last = (self.last if near is self.anchor else self.anchor), near
            return near[1]
        mode: Mode = self.likelihood.mode(x, self.u if near is None else near[1].mode.u)
        if self.lenient:
            mode = replace(mode, settled=True)
        curved = self.likelihood.curved(x, mode)
        self.anchor, self.last = near, (x.copy(), curved)
        return curved

    def _nearest(self, x: np.ndarray) -> _Visited | None:
        """The nearer of the last two starting points: differences about one point all start there."""
        known = [point for point in (self.last, self.anchor) if point is not None]
        return min(known, key=lambda point: float(np.sum((point[0] - x) ** 2)), default=None)

    def deviance(self, x: np.ndarray, curved: Curved) -> float:
        """-2 log-likelihood at the approximation of x, every constant included."""
        return self.likelihood.deviance(curved)

    def value(self, x: np.ndarray) -> float:
        """The deviance alone; +inf where there is no mode."""
        try:
            return self.deviance(x, self.at(x))
        except np.linalg.LinAlgError:
            return np.inf

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The deviance and its exact gradient."""
        curved = self.at(x)
        return self.likelihood.deviance(curved), self.likelihood.gradient(x, curved)

    def metric(self, x: np.ndarray) -> np.ndarray:
        """The start's metric, for later points too, unless it was one at zero variances, which have none."""
        if self.first is None or self.at_zero:
            self.at_zero = len(self.theta.on_bound(x)) > 0
            try:
                curved = self.at(x)
                free = self.likelihood.curved(x, curved.mode, free=True)
                self.first = metric(self.likelihood, x, free, curved)
            except np.linalg.LinAlgError:
                self.first = np.eye(len(x))
        return self.first

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.likelihood.theta

    def coordinates(self) -> Coordinates:
        """theta, coefficients in the working basis, coordinates of free dispersion."""
        return self.likelihood.coordinates()

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        """The deviance of the working linear model at x."""
        return working_deviance(self.likelihood, self.at(x)), 2
