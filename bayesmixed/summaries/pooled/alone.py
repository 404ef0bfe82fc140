"""What one group's rows say by themselves where no least squares tells: a maximum of their likelihood alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...families import Family, Observed
from ...prediction.responses import location

EDGE = 1e-6  # of a mean from the end of its range: the maximum is at infinity
STEPS, HALVINGS = 100, 30
CLOSE = 1e-10  # of the log-likelihood that a further step would gain
FLATTEST = 1e-8  # of a row's curvature, relative to the largest: where it is lower a step would have no length


@dataclass(frozen=True)
class OwnLikelihood:
    """The rows of one group as a function of their linear predictor, dispersion held."""

    family: Family
    observed: Observed
    dispersion: dict[str, float]

    def value(self, eta: np.ndarray) -> float:
        """The log-likelihood but for a constant; -inf where eta has no mean in the family's range."""
        low, high = self.family.eta_range
        if not np.all((eta > low) & (eta < high)):
            return -np.inf
        value = float(np.sum(self.family.derivatives(self.observed, eta, dict(self.dispersion), 0).kernel))
        return value if np.isfinite(value) else -np.inf

    def maximum(self, eta: np.ndarray, Q: np.ndarray) -> np.ndarray | None:
        """The c (r,) at which eta + Q c is most likely; None where that is at infinity.

        Newton's method with rows of little or negative curvature held up, so that every step ascends, and halved
        steps.
        """
        c = np.zeros(Q.shape[1])
        best = self.value(eta)
        for _ in range(STEPS):
            step, gain = self._step(eta + Q @ c, Q)
            if gain < CLOSE:
                c = c + step  # Newton's method squares the error: the value no longer shows this step
                break
            for _ in range(HALVINGS):
                value = self.value(eta + Q @ (c + step))
                if value > best:
                    break
                step = step / 2
            else:
                break
            c, best = c + step, value
        return None if self._at_an_end(eta + Q @ c) else c

    def _step(self, eta: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, float]:
        """Newton's step, and half of what it would gain."""
        slopes = self.family.derivatives(self.observed, eta, dict(self.dispersion), 2)
        V = np.broadcast_to(np.asarray(slopes.V, dtype=float), eta.shape)
        V = np.maximum(V, FLATTEST * max(float(np.max(np.abs(V))), np.finfo(float).tiny))
        gradient = Q.T @ np.broadcast_to(np.asarray(slopes.g, dtype=float), eta.shape)
        step = np.linalg.solve((Q * V[:, None]).T @ Q, gradient)
        return step, float(gradient @ step)

    def _at_an_end(self, eta: np.ndarray) -> bool:
        low, high = self.family.mean_range
        mu = location(self.family, eta)
        return bool(np.any(mu - low < EDGE) or np.any(high - mu < EDGE))
