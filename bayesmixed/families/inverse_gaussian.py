"""Positive amounts with variance mu^3 / lam: the time a drifting Brownian motion takes to a threshold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from .base import Family, Observed
from .derivatives import Derivatives, chained
from .links import HIGHEST, LOG_2PI, Link, Log
from .numeric.arrays import NUMPY
from .numeric.moments import average
from .numeric.support import POSITIVE_ADVICE
from .parameters import parameter
from .written import INVERSE_GAUSSIAN, Written

LEAST = 1e-300  # mean of which responses are drawn: the inverse of less is infinite
LEAST_DEVIANCE = 1e-10  # times the mean response: of a row, to start from


@dataclass(frozen=True)
class InverseGaussian(Family):
    """The inverse Gaussian (Wald) family with mean mu and shape lam; weights are frequencies."""

    link: Link = Log()

    name = "inverse_gaussian"
    words = "inverse Gaussian"
    others = (parameter("lam", "shape", rule="variation of the mean"),)
    elsewhere = ("brms", "rstanarm", "bambi")
    links = ("log", "1/mu^2", "inverse", "identity")
    discrete = False
    support = "positive numbers"
    mean_range = (0.0, np.inf)

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        yield ~(np.isfinite(observed.y) & (observed.y > 0)), POSITIVE_ADVICE

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        constant = -0.5 * LOG_2PI - 1.5 * xp.log(observed.y)
        return constant if observed.weights is None else observed.weights * constant

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """With r = 1 / mu: l = log(lam) / 2 - lam (y r - 1)^2 / (2 y), whose derivatives are in t = -log r."""
        y, lam = observed.y, dispersion["lam"]
        steps = self.link.log_mean_steps(eta, xp)
        r = xp.exp(xp.minimum(-steps[0], HIGHEST / 2))
        misfit, square = (y * r - 1) ** 2 / y, y * r**2
        slopes = (
            0.5 * xp.log(lam) - 0.5 * lam * misfit,
            lam * (square - r),
            -lam * (2 * square - r),
            lam * (4 * square - r),
        )
        in_lam = (0.5 / lam - 0.5 * misfit, square - r, r - 2 * square)
        return chained(slopes, steps, {"lam": in_lam}, order).times(observed.weights)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        least = LEAST_DEVIANCE / average(observed.y, observed)
        return {"lam": float(1 / max(average((observed.y - mu) ** 2 / (mu**2 * observed.y), observed), least))}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return np.sqrt(mu**3 / dispersion["lam"])

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        """Chhikara & Folks (1989), equation 2.8, the second term by its logarithm."""
        lam = dispersion["lam"]
        inside = np.where(y > 0, y, 1.0)
        root = np.sqrt(lam / inside)
        ndtr, log_ndtr = scipy.special.ndtr, scipy.special.log_ndtr
        found = ndtr(root * (inside / mu - 1)) + np.exp(2 * lam / mu + log_ndtr(-root * (inside / mu + 1)))
        return np.where(y > 0, found, 0.0)

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        deviance = (observed.y - mu) ** 2 / (mu**2 * observed.y)
        return deviance if observed.weights is None else observed.weights * deviance

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        """Michael, Schucany & Haas (1976), Am. Stat. 30, 88-90, by 1 / mu: means may be infinite, where wald is 0."""
        lam, rate = np.asarray(dispersion["lam"], dtype=float), 1 / np.maximum(mu, LEAST)
        shape = np.broadcast_shapes(np.shape(rate), lam.shape)
        half = rng.standard_normal(shape) ** 2 / (2 * lam)
        root = 1 / (rate + half + np.sqrt(half * (half + 2 * rate)))
        with np.errstate(divide="ignore", over="ignore"):  # a second root of infinity, which has probability 0
            return np.where(rng.uniform(size=shape) * (1 + rate * root) <= 1, root, 1 / (rate**2 * root))

    def written(self, weights: str, trials: str) -> Written:
        return Written("InverseGaussian(mu, lam)", INVERSE_GAUSSIAN)

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        return numpyro_inverse_gaussian()(mu, dispersion["lam"])


def numpyro_inverse_gaussian() -> Any:
    """NumPyro's form of the distribution, which NumPyro lacks: a class of (mean, shape)."""
    import jax
    import jax.numpy as jnp
    import numpyro.distributions as dist
    from numpyro.distributions.util import promote_shapes

    class InverseGaussianOfNumPyro(dist.Distribution):  # type: ignore[misc]  # NumPyro has no types
        arg_constraints: ClassVar = {"mean": dist.constraints.positive, "shape_parameter": dist.constraints.positive}
        support = dist.constraints.positive
        reparametrized_params: ClassVar[list[str]] = []

        def __init__(self, mean: Any, shape_parameter: Any, *, validate_args: Any = None) -> None:
            self.mean_value, self.shape_parameter = promote_shapes(mean, shape_parameter)
            shape = jnp.broadcast_shapes(jnp.shape(mean), jnp.shape(shape_parameter))
            super().__init__(batch_shape=shape, validate_args=validate_args)

        @property
        def mean(self) -> Any:
            return jnp.broadcast_to(self.mean_value, self.batch_shape)

        def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
            """Michael, Schucany & Haas (1976), Am. Stat. 30, 88-90."""
            mu, lam = self.mean_value, self.shape_parameter
            one, two = jax.random.split(key)
            shape = sample_shape + self.batch_shape
            ratio = mu * jax.random.normal(one, shape) ** 2 / (2 * lam)
            root = mu / (1 + ratio + jnp.sqrt(ratio * (ratio + 2)))
            return jnp.where(jax.random.uniform(two, shape) <= mu / (mu + root), root, mu**2 / root)

        def log_prob(self, value: Any) -> Any:
            mu, lam = self.mean_value, self.shape_parameter
            return 0.5 * (jnp.log(lam) - LOG_2PI - 3 * jnp.log(value) - lam * (value / mu - 1) ** 2 / value)

    return InverseGaussianOfNumPyro
