"""The criterion of a linear model whose sigma has a predictor: for each sigma that of rows of known precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag, solve_triangular

from ..linear.heteroscedastic import Heteroscedastic
from ..linear.likelihood import LinearLikelihood
from ..linear.pls import Solution
from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import StandIn
from .with_sigma import NormalPrior, SigmaCriterion

LEAST = 1e-3  # of a row's whole information on its sd: what a direction of g is taken to have at least


@dataclass
class SigmasCriterion:
    """-2 log of likelihood times normal priors of coefficients, at x = (working theta, t, g).

    Lambda is absolute and g are the working coefficients of log sigma; t, `reml`, `prior` and `free` as in
    `SigmaCriterion`.
    """

    rows: Heteroscedastic
    reml: bool
    prior: NormalPrior
    free: bool
    _last: tuple[np.ndarray, SigmaCriterion] | None = None

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.rows.rows.theta

    def coordinates(self) -> Coordinates:
        """What x means."""
        p, m = self.rows.p, self.rows.S.shape[1]
        mean = solve_triangular(self.rows.basis.R, np.eye(p)) if self.free and p else np.zeros((p, 0))
        sds = solve_triangular(self.rows.R_S, np.eye(m)) if m else np.zeros((0, 0))
        return Coordinates(
            theta=self.theta,
            origin=np.concatenate([self.rows.basis.beta0, np.zeros(m)]),
            basis=block_diag(mean, sds),
            dispersion={},
            constants={},
        )

    def x(self, theta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
        """x at a working theta and coefficients of log sigma in the user's columns, where no others are `free`."""
        return np.concatenate([theta, self.rows.R_S @ gamma])

    def start(self, theta: np.ndarray, sigma: float) -> np.ndarray:
        """x at a working theta and one sigma for all rows, coefficients at their best values without priors."""
        g = self.rows.constant(sigma)
        t = self.rows.at(g).solve(theta).beta if self.free else np.zeros(0)
        return np.concatenate([theta, t, g])

    def value(self, x: np.ndarray) -> float:
        """The criterion alone."""
        rest, _ = self._split(x)
        return self.known(x).value(rest)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The criterion and its gradient."""
        (rest, g), known = self._split(x), self.known(x)
        value, gradient = known.value_and_gradient(rest)
        slopes = self.rows.slopes(g, known.likelihood, known.solution(rest), reml=self.reml)
        return value, np.concatenate([gradient, slopes])

    def metric(self, x: np.ndarray) -> np.ndarray:
        """Expected information of theta, of the coefficients at theta, and of g, inverted."""
        (rest, g), known = self._split(x), self.known(x)
        information = self.rows.information(g, known.likelihood, known.solution(rest))
        information += 4 * LEAST * self.rows.n * np.eye(len(g))
        inverse = np.linalg.inv(information)
        return block_diag(known.metric(rest), 0.5 * (inverse + inverse.T))

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int]:
        """Itself as a function of theta, everything else as in x; searched once."""
        rest, _ = self._split(x)
        return self.known(x).stand_in(rest)

    def known(self, x: np.ndarray) -> SigmaCriterion:
        """The criterion of (theta, t) at the sds that x says."""
        _, g = self._split(x)
        if self._last is None or not np.array_equal(self._last[0], g):
            inner = SigmaCriterion(self.rows.at(g), self.reml, 1.0, self.prior, self.free, given_unit=1.0)
            self._last = (g.copy(), inner)
        return self._last[1]

    def at(self, x: np.ndarray) -> LinearLikelihood:
        """The rows with the sds that x says."""
        return self.known(x).likelihood

    def solution(self, x: np.ndarray) -> Solution:
        """The solved equations at x, as in `SigmaCriterion`."""
        return self.known(x).solution(self._split(x)[0])

    def g(self, x: np.ndarray) -> np.ndarray:
        """The working coefficients (m,) of log sigma at x."""
        return self._split(x)[1]

    def residual_sd(self, x: np.ndarray) -> float:
        """What the equations are relative to: the sds are in the weights of the rows."""
        return 1.0

    def loglik(self, x: np.ndarray) -> float:
        """The log-likelihood alone at the estimates; with `reml` coefficients are integrated without their priors."""
        return self.known(x).loglik(self._split(x)[0])

    def _split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(theta, t) and g."""
        first = self.theta.size + (self.rows.p if self.free else 0)
        return x[:first], x[first:]
