"""Positive amounts whose logarithm is normal: log y ~ N(mu, sigma^2 / w)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from ..errors import FitError
from .base import Observed
from .derivatives import Derivatives
from .gaussian import Gaussian, residual_sd
from .links import Identity, Link
from .numeric.arrays import NUMPY
from .numeric.support import POSITIVE_ADVICE
from .written import Written, WrittenNormal, precise


@dataclass(frozen=True)
class LogNormal(Gaussian):
    """The normal family for log y: mu and sigma are those of the logarithm; weights are precisions."""

    link: Link = Identity()

    name = "lognormal"
    words = "log-normal, a normal logarithm of the response"
    links = ("identity",)
    wider = "Look for a missing predictor or grouping factor, and at far rows: plot the logarithms."
    support = "positive numbers"
    elsewhere = ("brms",)
    transform = "log"
    middle = "median"
    spread_in_mean = True

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        yield ~(np.isfinite(observed.y) & (observed.y > 0)), POSITIVE_ADVICE

    def says_nothing(self, observed: Observed, offset: np.ndarray) -> bool:
        return bool(np.ptp(observed.y) == 0 and np.ptp(offset) == 0)

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        return super().constant(observed, xp) - xp.log(observed.y)

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """Those of the normal log density of log y."""
        return super().derivatives(observed._replace(y=xp.log(observed.y)), eta, dispersion, order, xp)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        return super().start(observed._replace(y=np.log(observed.y)), mu)

    def mean(self, mu: Any, dispersion: dict[str, Any], weights: Any = None) -> Any:
        """exp(mu + sigma^2 / 2w); a weight of 1 where there is none, or none that says anything."""
        square = np.asarray(dispersion["sigma"]) ** 2
        if weights is not None:
            square = square / np.where(weights > 0, weights, 1.0)
        return np.exp(mu + 0.5 * square)

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        square = residual_sd(mu, dispersion, weights) ** 2
        with np.errstate(over="ignore"):
            return np.exp(mu + 0.5 * square) * np.sqrt(np.expm1(square))

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        inside = np.where(y > 0, y, 1.0)
        return np.where(y > 0, scipy.special.ndtr((np.log(inside) - mu) / residual_sd(mu, dispersion, weights)), 0.0)

    def quantile_residuals(
        self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any], rng: np.random.Generator
    ) -> np.ndarray:
        return super().quantile_residuals(observed._replace(y=np.log(observed.y)), mu, dispersion, rng)

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        raise FitError(
            "Deviance residuals of the lognormal family are those of the logarithm: "
            'residuals("quantile") gives them over sigma.',
            topic="deviance-residuals",
        )

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.exp(super().draw(rng, mu, dispersion, weights, trials))

    def written(self, weights: str, trials: str) -> Written:
        return Written(f"dist.LogNormal(mu, {precise('sigma', weights)})")

    def written_normal(self, weights: str) -> WrittenNormal:
        exponential = "dist.TransformedDistribution({normal}, dist.transforms.ExpTransform())"
        return WrittenNormal(precise("sigma", weights), "jnp.log({y})", exponential)

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import jax.numpy as jnp
        import numpyro.distributions as dist

        sigma = dispersion["sigma"]
        return dist.LogNormal(mu, sigma if weights is None else sigma / jnp.sqrt(weights))

    def normalised(self, y: np.ndarray) -> np.ndarray:
        return np.log(y)

    def log_jacobian(self, y: np.ndarray) -> np.ndarray:
        return -np.log(y)
