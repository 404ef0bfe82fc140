"""What one group's rows say by themselves where no least squares tells: a maximum of their likelihood alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...families import Family, Observed
from ...likelihood.newton import Ascent, Point, Step, climb
from ...prediction.responses import location

EDGE = 1e-6  # of a mean from the end of its range: the maximum is at infinity
STEPS = 100
CLOSE = 1e-10  # of the log-likelihood that a further step would gain
FLATTEST = 1e-8  # of a row's curvature, relative to the largest: where it is lower a step would have no length


@dataclass(frozen=True)
class _Coefficients(Point):
    """The log-likelihood but for a constant at `c` (r,)."""

    c: np.ndarray


@dataclass(frozen=True)
class _CoefficientsStep(Step):
    """A full step (r,)."""

    c: np.ndarray


@dataclass(frozen=True)
class OwnLikelihood(Ascent[_Coefficients, _CoefficientsStep]):
    """The rows of one group as a function of c (r,): their linear predictor is eta + Q c; dispersion is held."""

    family: Family
    observed: Observed
    dispersion: dict[str, Any]
    eta: np.ndarray
    Q: np.ndarray

    def maximum(self) -> np.ndarray | None:
        """The most likely c (r,); None where that is at infinity.

        Newton's method with rows of little or negative curvature held up, so that every step ascends.
        """
        c = climb(self, self._point(np.zeros(self.Q.shape[1])), STEPS).at.c
        return None if self._at_an_end(self.eta + self.Q @ c) else c

    def step(self, at: _Coefficients) -> _CoefficientsStep:
        eta, Q = self.eta + self.Q @ at.c, self.Q
        slopes = self.family.derivatives(self.observed, eta, dict(self.dispersion), 2)
        V = np.broadcast_to(np.asarray(slopes.V, dtype=float), eta.shape)
        V = np.maximum(V, FLATTEST * max(float(np.max(np.abs(V))), np.finfo(float).tiny))
        gradient = Q.T @ np.broadcast_to(np.asarray(slopes.g, dtype=float), eta.shape)
        step = np.linalg.solve((Q * V[:, None]).T @ Q, gradient)
        return _CoefficientsStep(float(gradient @ step), step)

    def moved(self, at: _Coefficients, step: _CoefficientsStep, size: float, last: bool) -> _Coefficients:
        return self._point(at.c + size * step.c)

    def negligible(self, at: _Coefficients, step: _CoefficientsStep) -> bool:
        return bool(step.decrement < CLOSE)

    def _point(self, c: np.ndarray) -> _Coefficients:
        """-inf where eta has no mean in the family's range."""
        eta = self.eta + self.Q @ c
        low, high = self.family.eta_range
        if not np.all((eta > low) & (eta < high)):
            return _Coefficients(-np.inf, c)
        value = float(np.sum(self.family.derivatives(self.observed, eta, dict(self.dispersion), 0).kernel))
        return _Coefficients(value if np.isfinite(value) else -np.inf, c)

    def _at_an_end(self, eta: np.ndarray) -> bool:
        low, high = self.family.mean_range
        mu = location(self.family, eta)
        return bool(np.any(mu - low < EDGE) or np.any(high - mu < EDGE))
