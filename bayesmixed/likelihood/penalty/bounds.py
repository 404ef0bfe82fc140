"""Where the support of a prior ends: the number it speaks of, its limits, and the same prior without them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...priors.distributions import Distribution
from ..working.coordinates import Natural

INSIDE = 1e-9  # of the room at a limit: where a density is read instead of at it
RESOLVED = 1e-5  # of a limit: INSIDE of it is what rounding leaves of differences from it


@dataclass(frozen=True)
class Bounds:
    """The number that one prior speaks of, with its slopes, between `low` and `high`; `prior` names both in words.

    `unit` is what distances from the limits are measured in.
    """

    prior: str
    value: float
    slopes: Natural
    low: float
    high: float
    unit: float

    @classmethod
    def of(cls, words: str, prior: Distribution, value: float, slopes: Natural) -> Bounds:
        """Those of a prior's support."""
        return cls(words, value, slopes, *prior.bounds, unit_of(prior))

    def size(self, limit: float) -> float:
        """What is large at a limit: the unit, and what rounding makes of the limit itself."""
        return self.unit + RESOLVED * abs(limit)


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
        inner = np.clip(values, low + self._inside(low), high - self._inside(high))
        density, slope = self.prior.log_density(inner)
        return density + slope * (values - inner), slope

    def _inside(self, limit: float) -> float:
        return INSIDE * (self._unit + RESOLVED * abs(limit)) if np.isfinite(limit) else 0.0

    @cached_property
    def _unit(self) -> float:
        return unit_of(self.prior)

    def numpyro(self) -> Any:
        return self.prior.numpyro()

    def quantile(self, p: Any) -> Any:
        return self.prior.quantile(p)


def limited(prior: Distribution, least: float = -np.inf, most: float = np.inf) -> bool:
    """Whether the prior allows less than the parameter does, which lies between `least` and `most`."""
    low, high = prior.bounds
    return bool(low > least or high < most)


def unit_of(prior: Distribution) -> float:
    """What a prior's numbers are measured in: its interquartile range, 1 where it has none."""
    if not prior.proper:
        return 1.0
    low, high = (float(prior.quantile(p)) for p in (0.25, 0.75))
    return high - low if 0 < high - low < np.inf else 1.0


def worded(name: str, prior: Distribution) -> str:
    """A parameter with its prior, in words."""
    return f"{name!r}, {prior.describe()}"
