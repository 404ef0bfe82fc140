"""A linear model's criterion with sigma among the coordinates, and coefficients with priors: what MAP adds to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag, solve_triangular

from ...families import parameter
from ..linear.likelihood import LOG_2PI, LinearLikelihood
from ..linear.pls import Solution
from ..working.basis import FixedBasis
from ..working.coordinates import Coordinate, Coordinates
from ..working.theta import Theta
from .criterion import StandIn

SIGMA = parameter("sigma", "scale")  # its logarithm is what a search moves


@dataclass(frozen=True)
class NormalPrior:
    """Independent normals of linear combinations of beta, in the working basis beta = beta0 + R^-1 t.

    c'Nc with c = (-t, 1) is the sum of precision times squared distance from the mean, `N` (p + 1, p + 1);
    `constant` the sum of log(2 pi / precision) over the proper ones.
    """

    N: np.ndarray
    constant: float

    @classmethod
    def none(cls, basis: FixedBasis) -> NormalPrior:
        """Flat in every coefficient."""
        return cls(np.zeros((len(basis.R) + 1, len(basis.R) + 1)), 0.0)

    @classmethod
    def of(cls, basis: FixedBasis, rows: np.ndarray, means: np.ndarray, precisions: np.ndarray) -> NormalPrior:
        """Of `rows` beta, (m, p), with means and precisions (m,); a precision of 0 is flat."""
        B = np.zeros((len(rows), len(basis.R) + 1))
        if len(basis.R):
            B[:, :-1] = -solve_triangular(basis.R, rows.T, trans=1).T
        B[:, -1] = rows @ basis.beta0 - means
        proper = precisions[precisions > 0]
        return cls(B.T @ (precisions[:, None] * B), float(np.sum(LOG_2PI - np.log(proper))))


@dataclass
class SigmaCriterion:
    """-2 log of likelihood times normal priors of coefficients, at x = (working theta, t, log sigma).

    Without `free` coefficients t is empty: they are integrated out (`reml`) or take their best values (else), both in
    closed form. `held` is a constant sigma, else its logarithm relative to `unit` is the last coordinate. `given_unit`
    is what coordinates are measured in, the root mean square of the least-squares residuals if None.
    """

    likelihood: LinearLikelihood
    reml: bool
    held: float | None
    prior: NormalPrior
    free: bool
    given_unit: float | None = None
    _last: tuple[np.ndarray, Solution] | None = None
    _solved: tuple[np.ndarray, Solution] | None = None  # at a theta, whatever sigma and t

    @property
    def unit(self) -> float:
        """What makes coordinates scale-free."""
        if self.given_unit is not None:
            return self.given_unit
        return float(np.sqrt(self.likelihood.gram.ww[-1, -1] / self.likelihood.n)) or 1.0

    def coordinates(self) -> Coordinates:
        """What x means."""
        likelihood, p = self.likelihood, self.likelihood.p
        inverse = solve_triangular(likelihood.basis.R, np.eye(p)) if p else np.zeros((0, 0))
        return Coordinates(
            theta=likelihood.theta,
            origin=likelihood.basis.beta0,
            basis=self.unit * inverse if self.free else np.zeros((p, 0)),
            dispersion={} if self.held is not None else {"sigma": Coordinate(SIGMA, self.unit)},
            constants={} if self.held is None else {"sigma": self.held},
        )

    def at(self, x: np.ndarray) -> LinearLikelihood:
        """The likelihood that x is a point of."""
        return self.likelihood

    def start(self, theta: np.ndarray) -> np.ndarray:
        """x at a working theta, the rest at their best values without priors."""
        solution = self.likelihood.solve(theta)
        t = solution.beta / self.unit if self.free else np.zeros(0)
        sigma = max(self.likelihood.sigma(solution, reml=self.reml), 1e-3 * self.unit)
        return np.concatenate([theta, t, np.zeros(0) if self.held is not None else [SIGMA.working(sigma / self.unit)]])

    def value(self, x: np.ndarray) -> float:
        """The criterion alone."""
        return self._value(x, self._completed(x, self.likelihood.solve(self._theta(x))))

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The criterion and its gradient (envelope theorem in coefficients that are not free)."""
        solution, sigma = self.solution(x), self.residual_sd(x)
        _, of_theta = self.likelihood.value_and_gradient(self._theta(x), solution, reml=self.reml, sigma=sigma)
        contrast = np.append(-solution.beta, 1.0)
        of_t = -2 * self.unit * (solution.U @ contrast)[:-1] / sigma**2 if self.free else np.zeros(0)
        df = self.likelihood.n - self.likelihood.p if self.reml else self.likelihood.n
        of_sigma = 2 * df - 2 * solution.rss / sigma**2
        if self.reml:
            of_sigma += 2 * sigma**2 * float(np.sum(solution.U_inverse * self.prior.N[:-1, :-1]))
        return self._value(x, solution), np.concatenate([of_theta, of_t, [] if self.held is not None else [of_sigma]])

    def metric(self, x: np.ndarray) -> np.ndarray:
        """Expected information of theta, of the coefficients at theta, and of sigma, inverted."""
        likelihood, solution, sigma = self.likelihood, self.solution(x), self.residual_sd(x)
        blocks = [likelihood.metric(self._theta(x))]
        if self.free:
            blocks.append((sigma / self.unit) ** 2 / 2 * solution.U_inverse)
        if self.held is None:
            blocks.append(np.array([[0.25 / likelihood.n]]))
        return block_diag(*blocks)

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.likelihood.theta

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int]:
        """Itself as a function of theta, everything else as in x; searched once."""
        n_theta = self.theta.size

        def function(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self.value_and_gradient(np.concatenate([theta, x[n_theta:]]))
            return value, gradient[:n_theta]

        return function, 1

    def residual_sd(self, x: np.ndarray) -> float:
        """The residual standard deviation at x."""
        return self.unit * float(np.exp(x[-1])) if self.held is None else self.held

    def solution(self, x: np.ndarray) -> Solution:
        """The solved equations at x, at its coefficients or those that are best under the prior.

        `U_inverse` times sigma^2 is the covariance of t given theta and sigma, the prior of t included.
        """
        if self._last is None or not np.array_equal(self._last[0], x):
            theta = self._theta(x)
            if self._solved is None or not np.array_equal(self._solved[0], theta):
                self._solved = (theta.copy(), self.likelihood.solve(theta, invert=True))
            self._last = (x.copy(), self._completed(x, self._solved[1]))
        return self._last[1]

    def loglik(self, x: np.ndarray) -> float:
        """The log-likelihood alone at the estimates; with `reml` coefficients are integrated without their priors."""
        likelihood, sigma = self.likelihood, self.residual_sd(x)
        if self.reml:
            plain = likelihood.solve(self._theta(x))
            return -0.5 * likelihood.criterion(plain, reml=True, sigma=sigma)
        return -0.5 * likelihood.criterion(self.solution(x), reml=False, sigma=sigma)

    def _theta(self, x: np.ndarray) -> np.ndarray:
        return x[: self.theta.size]

    def _completed(self, x: np.ndarray, solution: Solution) -> Solution:
        """The solution at given coefficients, or with a normal prior's precisions beside the rows'."""
        U, p = solution.U, self.likelihood.p
        if self.free:
            t = self.unit * x[self.theta.size :][:p]
            return replace(solution, beta=t, rss=_quadratic(U, t))
        if not p or not np.any(self.prior.N):
            return solution
        K: np.ndarray = U + self.residual_sd(x) ** 2 * self.prior.N
        half = np.linalg.cholesky(K[:-1, :-1])
        t = np.linalg.solve(K[:-1, :-1], K[:-1, -1])
        log_det = 2 * float(np.sum(np.log(np.diag(half))))
        return replace(solution, beta=t, rss=_quadratic(U, t), U_inverse=np.linalg.inv(K[:-1, :-1]), log_det_U=log_det)

    def _value(self, x: np.ndarray, solution: Solution) -> float:
        value = self.likelihood.criterion(solution, reml=self.reml, sigma=self.residual_sd(x))
        return value if self.free else value + _quadratic(self.prior.N, solution.beta) + self.prior.constant


def _quadratic(matrix: np.ndarray, t: np.ndarray) -> float:
    """c'Ac with c = (-t, 1)."""
    contrast = np.append(-t, 1.0)
    return float(contrast @ matrix @ contrast)
