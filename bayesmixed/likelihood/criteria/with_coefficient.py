"""A linear mixed model's deviance with one coefficient among the coordinates: the others at their best beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag, solve_triangular

from ..linear.likelihood import LinearLikelihood
from ..linear.pls import Solution
from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import StandIn


@dataclass
class CoefficientCriterion:
    """The deviance at x = (working theta, beta_j), other coefficients, and sigma unless given, in closed form.

    With c the row of R^-1 that gives beta_j, C = (X'V^-1X)^-1 in working columns and d = beta_j - its best value, the
    others' best values move by C c d / c'Cc and r^2 grows by d^2 / c'Cc: no cross-product is formed anew.
    """

    likelihood: LinearLikelihood
    position: int
    sigma: float | None
    _last: tuple[np.ndarray, Solution, float] | None = None

    def __post_init__(self) -> None:
        unit = np.eye(self.likelihood.p)[self.position]
        self.c = solve_triangular(self.likelihood.basis.R, unit, trans=1)

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.likelihood.theta

    def coordinates(self) -> Coordinates:
        """theta alone."""
        p = self.likelihood.p
        return Coordinates(self.theta, np.zeros(p), np.zeros((p, 0)), {}, {})

    def value(self, x: np.ndarray) -> float:
        """The criterion alone."""
        return self.likelihood.criterion(self.solution(x), reml=False, sigma=self.sigma)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The criterion and its gradient (envelope theorem)."""
        solution, pull = self._solved(x)
        value, slope = self.likelihood.value_and_gradient(x[:-1], solution, reml=False, sigma=self.sigma)
        weight = self.likelihood.n / max(solution.rss, 1e-300) if self.sigma is None else 1 / self.sigma**2
        return value, np.append(slope, 2 * weight * pull)

    def metric(self, x: np.ndarray) -> np.ndarray:
        """Expected information of theta, and of the coefficient at theta, inverted."""
        solution, sigma = self.solution(x), self.residual_sd(x)
        own = sigma**2 / 2 * float(self.c @ solution.U_inverse @ self.c)
        return block_diag(self.likelihood.metric(x[:-1]), [[own]])

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        """None: it is looked at near a known optimum alone."""
        return None

    def residual_sd(self, x: np.ndarray) -> float:
        """The best sigma at x, or the one that is given."""
        return self.likelihood.sigma(self.solution(x), reml=False) if self.sigma is None else self.sigma

    def solution(self, x: np.ndarray) -> Solution:
        """The solved equations at x, with the coefficient where it is."""
        return self._solved(x)[0]

    def _solved(self, x: np.ndarray) -> tuple[Solution, float]:
        """That, and half the slope of r^2 in the coefficient."""
        if self._last is None or not np.array_equal(self._last[0], x):
            free = self.likelihood.solve(x[:-1], invert=True)
            away = free.U_inverse @ self.c
            pull = float(x[-1] - self.likelihood.basis.beta0[self.position] - self.c @ free.beta) / float(self.c @ away)
            beside = replace(free, beta=free.beta + pull * away, rss=free.rss + pull**2 * float(self.c @ away))
            self._last = (x.copy(), beside, pull)
        return self._last[1], self._last[2]
