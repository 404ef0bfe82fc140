"""The deviance or REML criterion of a linear mixed model as a function of theta: everything else at its best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..linear.likelihood import LinearLikelihood
from ..linear.pls import Solution
from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import StandIn


@dataclass
class ProfiledCriterion:
    """Coefficients, and sigma unless it is given, in closed form (Bates et al. 2015, eq. 34, 41).

    The solution of the last evaluation with a gradient is kept for what follows.
    """

    likelihood: LinearLikelihood
    reml: bool
    sigma: float | None
    _last: tuple[np.ndarray, Solution] | None = None

    @property
    def theta(self) -> Theta:
        """The layout of the argument."""
        return self.likelihood.theta

    def coordinates(self) -> Coordinates:
        """theta alone."""
        p = self.likelihood.p
        return Coordinates(self.theta, np.zeros(p), np.zeros((p, 0)), {}, {})

    def start(self, theta: np.ndarray) -> np.ndarray:
        """x at a working theta."""
        return theta

    def value(self, x: np.ndarray) -> float:
        """The criterion alone."""
        return self.likelihood.criterion(self.likelihood.solve(x), reml=self.reml, sigma=self.sigma)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The criterion and its gradient."""
        return self.likelihood.value_and_gradient(x, self.solution(x), reml=self.reml, sigma=self.sigma)

    def metric(self, x: np.ndarray) -> np.ndarray:
        """Expected information, one factor at a time, inverted."""
        return self.likelihood.metric(x)

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int]:
        """Itself, searched once."""
        return self.value_and_gradient, 1

    def solution(self, x: np.ndarray) -> Solution:
        """The solved equations at x."""
        if self._last is None or not np.array_equal(self._last[0], x):
            self._last = (x.copy(), self.likelihood.solve(x, invert=True))
        return self._last[1]

    def residual_sd(self, x: np.ndarray) -> float:
        """The best sigma at x, or the one that is given."""
        return self.likelihood.sigma(self.solution(x), reml=self.reml) if self.sigma is None else self.sigma

    def loglik(self, x: np.ndarray) -> float:
        """The log-likelihood, or minus half the REML criterion."""
        return -0.5 * self.value(x)
