"""Gaussian responses: y ~ N(mu, sigma^2 / w)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from .base import Family
from .links import Identity, Link


@dataclass(frozen=True)
class Gaussian(Family):
    """The normal family with residual standard deviation sigma and precision weights.

    >>> Gaussian().sd(np.zeros(2), {"sigma": 2.0}, np.array([1.0, 4.0]))
    array([2., 1.])
    """

    link: Link = Identity()

    name = "gaussian"
    dispersion = ("sigma",)
    links = ("identity",)
    weights = "precision"
    discrete = False
    support = "real numbers"
    normal_conditional = True

    def check(self, y: np.ndarray, name: str) -> None:
        bad = np.flatnonzero(~np.isfinite(y))
        if bad.size:
            raise DataError(
                f"The response {name!r} is {y[bad[0]]} in row {bad[0]} of the rows used "
                f"({bad.size} such rows). Remove those rows or transform the response."
            )

    def log_density(
        self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: np.ndarray | None
    ) -> np.ndarray:
        sd = self.sd(mu, dispersion, weights)
        return -0.5 * np.log(2 * np.pi) - np.log(sd) - 0.5 * ((y - mu) / sd) ** 2

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: np.ndarray | None) -> np.ndarray:
        sigma = np.broadcast_to(np.asarray(dispersion["sigma"], dtype=float), np.shape(mu))
        if weights is None:
            return sigma
        root = np.broadcast_to(np.sqrt(weights), np.shape(mu))
        return np.divide(sigma, root, out=np.full(np.shape(mu), np.inf), where=root > 0)

    def deviance_residuals(self, y: np.ndarray, mu: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        return (y - mu) if weights is None else np.sqrt(weights) * (y - mu)

    def quantile_residuals(
        self,
        y: np.ndarray,
        mu: np.ndarray,
        dispersion: dict[str, Any],
        weights: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        return (y - mu) / self.sd(mu, dispersion, weights)

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: np.ndarray | None
    ) -> np.ndarray:
        sd = self.sd(mu, dispersion, weights)
        noise = np.where(np.isfinite(sd), sd, np.nan) * rng.standard_normal(np.shape(mu))
        return mu + noise  # NaN where the weight is zero: such a response could be anything

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any) -> Any:
        import jax.numpy as jnp
        import numpyro.distributions as dist

        sigma = dispersion["sigma"]
        return dist.Normal(mu, sigma if weights is None else sigma / jnp.sqrt(weights))
