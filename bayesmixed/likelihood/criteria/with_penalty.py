"""A criterion with a penalty added: minus twice a log posterior density, or a regularised deviance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..penalty.penalty import Penalty
from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import Criterion, StandIn

LEAST = 1e-14  # of the largest eigenvalue of a metric: what rounding leaves of any other
STEP = 1e-4  # of 1 + a working coordinate: the step of differences


@dataclass(frozen=True)
class Added:
    """A penalty as a function of x, whose parameters `coordinates` reads."""

    coordinates: Coordinates
    penalty: Penalty

    def value(self, x: np.ndarray) -> float:
        """The penalty alone; +inf where the prior density is zero."""
        return self.penalty.value_and_slopes(self.coordinates.natural(x))[0]

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty and its gradient."""
        value, slopes = self.penalty.value_and_slopes(self.coordinates.natural(x))
        return value, self.coordinates.pull_back(x, slopes)

    def curvature(self, x: np.ndarray) -> np.ndarray:
        """The Hessian (m, m) of the penalty by forward differences."""
        _, here = self.value_and_gradient(x)
        steps = STEP * (1 + np.abs(x))
        moved = x + np.diag(steps)
        rows = np.array([self.value_and_gradient(point)[1] - here for point in moved]) / steps[:, None]
        return 0.5 * (rows + rows.T) if len(x) else np.zeros((0, 0))

    def opened(self) -> Added:
        """The same beyond the limits of the priors' supports."""
        return replace(self, penalty=self.penalty.opened())


@dataclass(frozen=True)
class Penalised:
    """A criterion to search: `base` plus a penalty."""

    base: Criterion
    added: Added

    def value(self, x: np.ndarray) -> float:
        """The criterion alone."""
        extra = self.added.value(x)
        return self.base.value(x) + extra if np.isfinite(extra) else np.inf

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The criterion and its gradient."""
        extra, slope = self.added.value_and_gradient(x)
        if not np.isfinite(extra):
            return np.inf, np.zeros_like(x)
        value, gradient = self.base.value_and_gradient(x)
        return value + extra, gradient + slope

    def metric(self, x: np.ndarray) -> np.ndarray:
        """The base's guess of the inverse Hessian, with the penalty's curvature where that is positive."""
        values, vectors = np.linalg.eigh(self.base.metric(x))
        root = vectors * np.sqrt(np.maximum(values, LEAST * np.max(values, initial=0.0)))
        relative = root.T @ self.added.curvature(x) @ root
        if not np.all(np.isfinite(relative)):
            return self.base.metric(x)
        bends, directions = np.linalg.eigh(relative)
        half = root @ (directions / np.sqrt(1 + np.maximum(bends, 0.0)))
        found = half @ half.T
        return 0.5 * (found + found.T)

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.base.theta

    def coordinates(self) -> Coordinates:
        """Those that the penalty reads."""
        return self.added.coordinates

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        """The base's, with the penalty at everything else as in x."""
        known = self.base.stand_in(x)
        if known is None:
            return None
        base, searches = known
        n_theta = self.theta.size

        def both(theta: np.ndarray) -> tuple[float, np.ndarray]:
            extra, slope = self.added.value_and_gradient(np.concatenate([theta, x[n_theta:]]))
            if not np.isfinite(extra):
                return np.inf, np.zeros_like(theta)
            value, gradient = base(theta)
            return value + extra, gradient + slope[:n_theta]

        return both, searches
