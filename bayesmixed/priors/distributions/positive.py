"""Priors on positive numbers: standard deviations and dispersion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Distribution, shown
from .real import Normal, StudentT

LOG_2 = float(np.log(2))


class Positive(Distribution):
    """A distribution of a positive number."""

    support = "positive"


def _above_zero(value: Any, density: Any, slope: Any) -> tuple[np.ndarray, np.ndarray]:
    """A log density and its slope where `value` >= 0; -inf and 0 below, and a slope of 0 where it is infinite."""
    density = np.where(np.asarray(value) >= 0, density, -np.inf)
    return density, np.where(np.isfinite(density), slope, 0.0)


@dataclass(frozen=True)
class HalfNormal(Positive):
    """The absolute value of a Normal(0, `scale`)."""

    scale: Any = 1.0
    label = "half-Normal"
    positive_fields = ("scale",)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        density, slope = Normal(0.0, self.scale).log_density(value)
        return _above_zero(value, LOG_2 + density, slope)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.HalfNormal(self.scale)

    def quantile(self, p: Any) -> Any:
        return self.scale * scipy.special.ndtri((1 + np.asarray(p)) / 2)

    def describe(self) -> str:
        return f"half-Normal(0, {shown(self.scale)})"


@dataclass(frozen=True)
class HalfCauchy(Positive):
    """The absolute value of a Cauchy(0, `scale`)."""

    scale: Any = 1.0
    label = "half-Cauchy"
    positive_fields = ("scale",)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        density, slope = StudentT(1.0, 0.0, self.scale).log_density(value)
        return _above_zero(value, LOG_2 + density, slope)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.HalfCauchy(self.scale)

    def quantile(self, p: Any) -> Any:
        return self.scale * np.tan(np.pi / 2 * np.asarray(p))

    def describe(self) -> str:
        return f"half-Cauchy(0, {shown(self.scale)})"


@dataclass(frozen=True)
class HalfStudentT(Positive):
    """The absolute value of a Student-t(`df`, 0, `scale`)."""

    df: Any = 3.0
    scale: Any = 1.0
    label = "half-Student-t"
    positive_fields = ("df", "scale")

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        density, slope = StudentT(self.df, 0.0, self.scale).log_density(value)
        return _above_zero(value, LOG_2 + density, slope)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.FoldedDistribution(dist.StudentT(self.df, 0.0, self.scale))

    def quantile(self, p: Any) -> Any:
        return self.scale * scipy.special.stdtrit(self.df, (1 + np.asarray(p)) / 2)

    def describe(self) -> str:
        return f"half-Student-t({shown(self.df)}, 0, {shown(self.scale)})"


@dataclass(frozen=True)
class Exponential(Positive):
    """Exponential with mean 1 / `rate`."""

    rate: Any = 1.0
    label = "Exponential"
    positive_fields = ("rate",)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        return _above_zero(value, np.log(self.rate) - self.rate * np.asarray(value), -np.asarray(self.rate))

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Exponential(self.rate)

    def quantile(self, p: Any) -> Any:
        return -np.log1p(-np.asarray(p)) / self.rate

    def describe(self) -> str:
        return f"Exponential(rate {shown(self.rate)})"


@dataclass(frozen=True)
class Gamma(Positive):
    """Gamma with mean `concentration` / `rate`."""

    concentration: Any = 2.0
    rate: Any = 1.0
    label = "Gamma"
    positive_fields = ("concentration", "rate")

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        x, a = np.maximum(value, 0.0), self.concentration
        with np.errstate(divide="ignore", invalid="ignore"):
            density = a * np.log(self.rate) - scipy.special.gammaln(a) + scipy.special.xlogy(a - 1, x) - self.rate * x
            slope = np.where(np.equal(a, 1), 0.0, (a - 1) / x) - self.rate
        return _above_zero(value, density, slope)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Gamma(self.concentration, self.rate)

    def quantile(self, p: Any) -> Any:
        return scipy.special.gammaincinv(self.concentration, p) / self.rate

    def describe(self) -> str:
        return f"Gamma({shown(self.concentration)}, rate {shown(self.rate)})"


@dataclass(frozen=True)
class InverseGamma(Positive):
    """The reciprocal of a Gamma(`concentration`, rate `rate`)."""

    concentration: Any = 2.0
    rate: Any = 1.0
    label = "inverse-Gamma"
    positive_fields = ("concentration", "rate")

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        x, a = np.maximum(value, 0.0), self.concentration
        with np.errstate(divide="ignore", invalid="ignore"):
            density = a * np.log(self.rate) - scipy.special.gammaln(a) - (a + 1) * np.log(x) - self.rate / x
            slope = (self.rate / x - (a + 1)) / x
        return _above_zero(value, np.where(x > 0, density, -np.inf), slope)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.InverseGamma(self.concentration, self.rate)

    def quantile(self, p: Any) -> Any:
        return self.rate / scipy.special.gammainccinv(self.concentration, p)


@dataclass(frozen=True)
class LogNormal(Positive):
    """The exponential of a Normal(`loc`, `scale`)."""

    loc: Any = 0.0
    scale: Any = 1.0
    label = "log-Normal"
    positive_fields = ("scale",)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        x = np.maximum(value, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            density, slope = Normal(self.loc, self.scale).log_density(np.log(x))
            density, slope = density - np.log(x), (slope - 1) / x
        return _above_zero(value, np.where(x > 0, density, -np.inf), slope)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.LogNormal(self.loc, self.scale)

    def quantile(self, p: Any) -> Any:
        return np.exp(self.loc + self.scale * scipy.special.ndtri(p))
