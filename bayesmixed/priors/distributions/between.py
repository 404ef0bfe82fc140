"""Priors on an interval: correlations that are one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Distribution, shown


@dataclass(frozen=True)
class Beta(Distribution):
    """Beta(`a`, `b`) stretched from (0, 1) to (`low`, `high`)."""

    a: Any = 2.0
    b: Any = 2.0
    low: float = 0.0
    high: float = 1.0
    label = "Beta"
    positive_fields = ("a", "b")
    static_fields = ("low", "high")

    @property
    def support(self) -> str:  # type: ignore[override]  # it depends on the numbers
        return "positive" if self.low >= 0 else "real"

    @property
    def bounds(self) -> tuple[Any, Any]:
        return self.low, self.high

    @property
    def fault(self) -> str | None:
        if not self.low < self.high:
            return f"low must be below high, not {shown(self.low)} and {shown(self.high)}"
        return super().fault

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        width, x = self.high - self.low, np.asarray(value, dtype=float)
        below, above = x - self.low, self.high - x
        inside = (below >= 0) & (above >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            density = scipy.special.xlogy(self.a - 1, below / width) + scipy.special.xlogy(self.b - 1, above / width)
            slope = (self.a - 1) / below - (self.b - 1) / above
        constant = scipy.special.betaln(self.a, self.b) + np.log(width)
        return np.where(inside, density - constant, -np.inf), np.where(inside & np.isfinite(slope), slope, 0.0)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        stretched = dist.transforms.AffineTransform(
            self.low, self.high - self.low, domain=dist.constraints.unit_interval
        )
        return dist.TransformedDistribution(dist.Beta(self.a, self.b), stretched)

    def written(self) -> str:
        return f"dist.Beta({self.a!r}, {self.b!r})" if (self.low, self.high) == (0.0, 1.0) else ""

    def quantile(self, p: Any) -> Any:
        return self.low + (self.high - self.low) * scipy.special.betaincinv(self.a, self.b, p)

    def describe(self) -> str:
        where = "" if (self.low, self.high) == (0.0, 1.0) else f" on ({shown(self.low)}, {shown(self.high)})"
        return super().describe() + where
