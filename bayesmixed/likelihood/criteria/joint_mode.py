"""Laplace's deviance at the joint mode of effects and coefficients as a criterion: lme4's nAGQ = 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...families import MAIN
from ..laplace.approximation import Curved, LaplaceLikelihood
from ..laplace.working_response import working_deviance
from ..quadrature.placing import moved
from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import StandIn


@dataclass
class JointCriterion:
    """Laplace's deviance at the joint mode of (u, beta), a function of theta and the free dispersion alone."""

    likelihood: LaplaceLikelihood
    u: Sequence[np.ndarray]
    beta: np.ndarray
    first: np.ndarray

    def at(self, y: np.ndarray) -> tuple[np.ndarray, Curved]:
        """x with the coefficients of the joint mode, and the quadratic approximation there."""
        mode = self.likelihood.mode(self._full(y, self.beta), self.u, free=True)
        curved = self.likelihood.curved(self._full(y, mode.beta), mode)
        self.u, self.beta = mode.u, mode.beta
        return self._full(y, mode.beta), curved

    def _full(self, y: np.ndarray, beta: np.ndarray) -> np.ndarray:
        first = self.theta.size
        return np.concatenate([y[:first], beta, y[first:]])

    def outer(self) -> np.ndarray:
        """Positions of y in x."""
        fixed = self.likelihood.coefficients
        return np.delete(np.arange(fixed.stop + len(self.likelihood.free)), fixed)

    def value(self, y: np.ndarray) -> float:
        """The deviance alone; +inf where there is no mode."""
        try:
            return self.likelihood.deviance(self.at(y)[1])
        except np.linalg.LinAlgError:
            return np.inf

    def value_and_gradient(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The deviance and its exact gradient: that at given coefficients, and what their mode's movement adds.

        Differentiating X'g = 0 moves the mode by U^-1 X' dg, dg = -V deta + dg/dphi: one more adjoint solve.
        """
        likelihood = self.likelihood
        x, curved = self.at(y)
        rows, d, factors = likelihood.rows, curved.derivatives, likelihood.factors(x)
        gradient = likelihood.gradient(x, curved)
        moving = gradient[likelihood.coefficients]
        joint = likelihood.curved(x, curved.mode, free=True)
        q = rows.Q @ (joint.solution.U_inverse @ moving)
        back = moved(rows, curved, factors, -d.V * q)
        slopes = [back.factor_slopes(i, block).sum(axis=0) for i, block in enumerate(rows.block_rows)]
        dispersion, theta = likelihood.beside(x)[1], likelihood.theta.pull_back(x, rows.blocks, slopes)
        phi = {k: -float(np.sum((q + back.spread) * d.curvature(MAIN, k))) for k in likelihood.free}
        more = np.concatenate([theta, likelihood.pulled(dispersion, phi)])
        return likelihood.deviance(curved), gradient[self.outer()] + more

    def metric(self, y: np.ndarray) -> np.ndarray:
        """The start's metric of y."""
        return self.first

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which y begins."""
        return self.likelihood.theta

    def coordinates(self) -> Coordinates:
        """theta and coordinates of free dispersion: coefficients are those of the joint mode."""
        return self.likelihood.coordinates(coefficients=False)

    def stand_in(self, y: np.ndarray) -> tuple[StandIn, int] | None:
        """The deviance of the working linear model at y."""
        return working_deviance(self.likelihood, self.at(y)[1]), 2
