"""Where the support of a prior ends: the number it speaks of, its limits, and the same prior without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..priors.distributions import Distribution
from .coordinates import Natural

INSIDE = 1e-9  # of the size of a limit: where a density is read instead of at it


@dataclass(frozen=True)
class Limits:
    """The number that one prior speaks of, with its slopes, between `low` and `high`; `prior` names both in words."""

    prior: str
    value: float
    slopes: Natural
    low: float
    high: float


@dataclass(frozen=True)
class Opened(Distribution):
    """A prior whose log density goes on beyond its limits along its tangent there: what a search may walk on."""

    prior: Distribution
    label = "opened"

    @property
    def bounds(self) -> tuple[Any, Any]:
        return -np.inf, np.inf

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        values = np.asarray(value, dtype=float)
        low, high = self.prior.bounds
        inner = np.clip(values, low + INSIDE * _size(low), high - INSIDE * _size(high))
        density, slope = self.prior.log_density(inner)
        return density + slope * (values - inner), slope

    def numpyro(self) -> Any:
        return self.prior.numpyro()

    def quantile(self, p: Any) -> Any:
        return self.prior.quantile(p)


def limited(prior: Distribution, least: float = -np.inf) -> bool:
    """Whether the prior allows less than the parameter does, which cannot be below `least`."""
    low, high = prior.bounds
    return bool(low > least or high < np.inf)


def _size(limit: float) -> float:
    return 1 + abs(limit) if np.isfinite(limit) else 0.0
