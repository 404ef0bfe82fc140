"""A prior on a precision-like number that has no mean: what a uniform prior on its spread says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import shown
from .positive import Positive


@dataclass(frozen=True)
class Lomax(Positive):
    """Pareto's second kind: density `shape` / `scale` (1 + x / `scale`)^-(`shape` + 1).

    Shape 1/2 and scale 1 are the default of a precision phi whose relative spread is 1 / sqrt(1 + phi) (beta and
    beta-binomial responses): that spread is then uniform between 0 and 1.

    >>> round(float(Lomax(0.5, 1.0).quantile(0.75)), 9), 1 / (1 + 15.0) ** 0.5
    (15.0, 0.25)
    """

    shape: Any = 0.5
    scale: Any = 1.0
    label = "Lomax"
    positive_fields = ("shape", "scale")

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        moved = dist.transforms.AffineTransform(-self.scale, 1.0, domain=dist.constraints.greater_than(self.scale))
        return dist.TransformedDistribution(dist.Pareto(self.scale, self.shape), moved)

    def written(self) -> str:
        pareto = f"dist.Pareto({self.scale!r}, {self.shape!r})"
        moved = f"-{self.scale!r}, 1.0, domain=dist.constraints.greater_than({self.scale!r})"
        return f"dist.TransformedDistribution({pareto}, dist.transforms.AffineTransform({moved}))"

    def quantile(self, p: Any) -> Any:
        return self.scale * np.expm1(-np.log1p(-np.asarray(p)) / self.shape)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        value = np.asarray(value, dtype=float)
        inside = np.maximum(value, 0.0)
        density = np.log(self.shape / self.scale) - (self.shape + 1) * np.log1p(inside / self.scale)
        slope = -(self.shape + 1) / (self.scale + inside)
        return np.where(value >= 0, density, -np.inf), np.where(value >= 0, slope, 0.0)

    def describe(self) -> str:
        if np.all(np.asarray(self.shape) == 0.5) and np.all(np.asarray(self.scale) == 1.0):
            return "1/sqrt(1 + value) ~ Uniform(0, 1)"
        return f"Lomax({shown(self.shape)}, {shown(self.scale)})"
