"""Gaussian responses: y ~ N(mu, sigma^2 / w)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import scipy

from .base import Family, Observed
from .derivatives import Derivatives, chained
from .links import Identity, Link
from .numeric.arrays import NUMPY
from .parameters import parameter
from .written import Written, WrittenNormal, precise

LOG_2PI = float(np.log(2 * np.pi))
LEAST_ERROR = 1e-8  # of the response's size: an sd of residuals to start from


@dataclass(frozen=True)
class Gaussian(Family):
    """The normal family with residual standard deviation sigma and precision weights.

    >>> Gaussian().sd(np.zeros(2), {"sigma": 2.0}, np.array([1.0, 4.0]))
    array([2., 1.])
    """

    link: Link = Identity()

    name = "gaussian"
    words = "normal"
    others = (replace(parameter("sigma", "scale"), predicted=True),)
    elsewhere: ClassVar[tuple[str, ...]] = ("brms", "rstanarm", "bambi")
    links: ClassVar[tuple[str, ...]] = (
        "identity",
        "log",
        "inverse",
        "sqrt",
        "logit",
        "probit",
        "cloglog",
        "cauchit",
        "1/mu^2",
    )
    weights = "precision"
    discrete = False
    wider = 'Look for a missing predictor or grouping factor, and at far rows: family="student" allows long tails.'
    support = "real numbers"
    mean_range = (-np.inf, np.inf)
    normal_conditional = True

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        yield ~np.isfinite(observed.y), "Remove those rows or transform the response."

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        if observed.weights is None:
            return xp.full_like(observed.y, -0.5 * LOG_2PI)
        return 0.5 * (xp.log(observed.weights) - LOG_2PI)

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """l = -log sigma - w e^2 / (2 sigma^2), e = y - mu."""
        sigma = dispersion["sigma"]
        steps = self.link.mean_steps(eta, xp)
        precision = 1 / sigma**2 if observed.weights is None else observed.weights / sigma**2
        e = observed.y - steps[0]
        slopes = (-xp.log(sigma) - 0.5 * precision * e**2, precision * e, -precision, 0.0)
        in_sigma = ((precision * e**2 - 1) / sigma, -2 * precision * e / sigma, 2 * precision / sigma)
        return chained(slopes, steps, {"sigma": in_sigma}, order)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        w = 1.0 if observed.weights is None else observed.weights
        found = np.sqrt(np.mean(w * (observed.y - mu) ** 2))
        return {"sigma": float(max(found, LEAST_ERROR * np.sqrt(np.mean(w * observed.y**2))) or 1.0)}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return residual_sd(mu, dispersion, weights)

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        return scipy.special.ndtr((y - mu) / residual_sd(mu, dispersion, weights))

    def quantile_residuals(
        self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any], rng: np.random.Generator
    ) -> np.ndarray:
        return (observed.y - mu) / residual_sd(mu, dispersion, observed.weights)

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        square = (observed.y - mu) ** 2
        return square if observed.weights is None else observed.weights * square

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        sd = residual_sd(mu, dispersion, weights)
        noise = np.where(np.isfinite(sd), sd, np.nan) * rng.standard_normal(np.shape(mu))
        return mu + noise  # NaN where the weight is zero: such a response could be anything

    def written(self, weights: str, trials: str) -> Written:
        return Written(f"dist.Normal(mu, {precise('sigma', weights)})")

    def written_normal(self, weights: str) -> WrittenNormal:
        return WrittenNormal(precise("sigma", weights))

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import jax.numpy as jnp
        import numpyro.distributions as dist

        sigma = dispersion["sigma"]
        return dist.Normal(mu, sigma if weights is None else sigma / jnp.sqrt(weights))


def residual_sd(mu: np.ndarray, dispersion: dict[str, Any], weights: Any) -> np.ndarray:
    """sigma / sqrt(w), shape of mu; infinite where the weight is zero."""
    sigma = np.broadcast_to(np.asarray(dispersion["sigma"], dtype=float), np.shape(mu))
    if weights is None:
        return sigma
    root = np.broadcast_to(np.sqrt(weights), np.shape(mu))
    return np.divide(sigma, root, out=np.full(np.shape(mu), np.inf), where=root > 0)
