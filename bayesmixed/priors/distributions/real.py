"""Priors on the real line: coefficients and intercepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Distribution, shown

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal with mean `loc` and standard deviation `scale`."""

    loc: Any = 0.0
    scale: Any = 1.0
    label = "Normal"
    positive_fields = ("scale",)

    @property
    def normal_form(self) -> tuple[float, float]:
        return self.loc, 1 / self.scale**2

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        z = (np.asarray(value) - self.loc) / self.scale
        return -0.5 * z**2 - np.log(self.scale) - 0.5 * LOG_2PI, -z / self.scale

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Normal(self.loc, self.scale)

    def quantile(self, p: Any) -> Any:
        return self.loc + self.scale * scipy.special.ndtri(p)


@dataclass(frozen=True)
class StudentT(Distribution):
    """Student's t with `df` degrees of freedom, location and scale."""

    df: Any = 3.0
    loc: Any = 0.0
    scale: Any = 1.0
    label = "Student-t"
    positive_fields = ("df", "scale")

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        z, df = (np.asarray(value) - self.loc) / self.scale, self.df
        constant = scipy.special.gammaln((df + 1) / 2) - scipy.special.gammaln(df / 2) - 0.5 * np.log(np.pi * df)
        density = constant - np.log(self.scale) - (df + 1) / 2 * np.log1p(z**2 / df)
        return density, -(df + 1) * z / (df + z**2) / self.scale

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.StudentT(self.df, self.loc, self.scale)

    def quantile(self, p: Any) -> Any:
        return self.loc + self.scale * scipy.special.stdtrit(self.df, p)


@dataclass(frozen=True)
class Cauchy(Distribution):
    """Cauchy with location and scale."""

    loc: Any = 0.0
    scale: Any = 1.0
    label = "Cauchy"
    positive_fields = ("scale",)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        return StudentT(1.0, self.loc, self.scale).log_density(value)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Cauchy(self.loc, self.scale)

    def quantile(self, p: Any) -> Any:
        return self.loc + self.scale * np.tan(np.pi * (np.asarray(p) - 0.5))


@dataclass(frozen=True)
class Laplace(Distribution):
    """Double exponential with location and scale."""

    loc: Any = 0.0
    scale: Any = 1.0
    label = "Laplace"
    positive_fields = ("scale",)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        z = (np.asarray(value) - self.loc) / self.scale
        return -np.abs(z) - np.log(2 * self.scale), -np.sign(z) / self.scale

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Laplace(self.loc, self.scale)

    def quantile(self, p: Any) -> Any:
        from_middle = np.asarray(p) - 0.5
        return self.loc - self.scale * np.sign(from_middle) * np.log1p(-2 * np.abs(from_middle))


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform between `low` and `high`."""

    low: Any = 0.0
    high: Any = 1.0
    label = "Uniform"

    @property
    def support(self) -> str:  # type: ignore[override]  # it depends on the numbers
        return "positive" if np.all(np.asarray(self.low) >= 0) else "real"

    @property
    def bounds(self) -> tuple[Any, Any]:
        return self.low, self.high

    @property
    def fault(self) -> str | None:
        if np.all(np.asarray(self.low) < np.asarray(self.high)):
            return super().fault
        return f"low must be below high, not {shown(self.low)} and {shown(self.high)}"

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        values = np.asarray(value, dtype=float)
        inside = (self.low <= values) & (values <= self.high)
        return np.where(inside, -np.log(np.asarray(self.high) - self.low), -np.inf), np.zeros_like(values)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Uniform(self.low, self.high)

    def quantile(self, p: Any) -> Any:
        return self.low + (self.high - self.low) * np.asarray(p)


@dataclass(frozen=True)
class Flat(Distribution):
    """A constant density on the real line, or on the positive half with ``support="positive"``; not proper."""

    support: str = "real"  # type: ignore[misc]  # a field here, a trait of the class elsewhere
    label = "flat"
    proper = False
    static_fields = ("support",)

    @property
    def normal_form(self) -> tuple[float, float] | None:
        return (0.0, 0.0) if self.support == "real" else None

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        """A constant density, taken as 1."""
        return np.zeros(np.shape(value)), np.zeros(np.shape(value))

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.ImproperUniform(getattr(dist.constraints, self.support), (), ())

    @property
    def length(self) -> int | None:
        return None

    def quantile(self, p: Any) -> Any:
        return np.full(np.shape(p), np.nan)

    def describe(self) -> str:
        return "flat" if self.support == "real" else "flat on (0, inf)"
