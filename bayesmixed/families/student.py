"""Real numbers with outliers: Student's t about mu with scale sigma and nu degrees of freedom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Family, Observed
from .derivatives import Derivatives, chained
from .gaussian import LEAST_ERROR
from .links import Identity, Link
from .numeric.arrays import NUMPY
from .parameters import Limit, parameter
from .written import Written

FARTHEST = 1e150  # residuals in sds beyond which only their logarithm matters: squares must fit


@dataclass(frozen=True)
class Student(Family):
    """Student's t family: normal for nu -> infinity, not log-concave; weights are frequencies."""

    link: Link = Identity()

    name = "student"
    words = "Student t"
    others = (
        parameter("sigma", "scale"),
        parameter(
            "nu", "shape", rule="tails", start=6.0, limit=Limit(1e3, "the residuals have no heavy tails", "gaussian")
        ),
    )
    elsewhere = ("brms", "bambi")
    links = ("identity", "log", "inverse", "sqrt", "logit", "probit", "cloglog", "cauchit", "1/mu^2")
    discrete = False
    support = "real numbers"
    mean_range = (-np.inf, np.inf)

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        yield ~np.isfinite(observed.y), "Remove those rows or transform the response."

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        constant = xp.full_like(observed.y, -0.5 * float(np.log(np.pi)))
        return constant if observed.weights is None else observed.weights * constant

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """With x = (y - mu) / (sigma sqrt(nu)) and w = 1 / (1 + x^2): l' = (nu + 1) x w / (sigma sqrt(nu)).

        Everything is in w, x w and constants, which stay finite however far a residual lies.
        """
        sigma, nu = dispersion["sigma"], dispersion["nu"]
        steps = self.link.mean_steps(eta, xp)
        scale, n = sigma * xp.sqrt(nu), nu + 1
        x = xp.clip((observed.y - steps[0]) / scale, -FARTHEST, FARTHEST)
        far, w = xp.log1p(x**2), 1 / (1 + x**2)
        kernel = _height(nu, xp) - xp.log(sigma) - 0.5 * n * far
        slopes = (
            kernel,
            n * x * w / scale,
            -n * w * (2 * w - 1) / scale**2,
            -2 * n * x * w**2 * (4 * w - 1) / scale**3,
        )
        if order % 2 == 0:
            return chained(slopes, steps, {}, order).times(observed.weights)
        slopes_in = {"sigma": _in_sigma(x, w, sigma, nu, xp), "nu": _in_nu(x, w, far, sigma, nu, xp)}
        return chained(slopes, steps, slopes_in, order).times(observed.weights)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        away = np.abs(observed.y - mu)
        least = LEAST_ERROR * float(np.mean(np.abs(observed.y)))
        return {"sigma": float(max(1.4826 * np.median(away), 0.1 * np.mean(away), least)) or 1.0, "nu": 6.0}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        nu = np.asarray(dispersion["nu"], dtype=float)
        ratio = np.divide(nu, nu - 2, out=np.full(nu.shape, np.inf), where=nu > 2)
        return np.broadcast_to(dispersion["sigma"] * np.sqrt(ratio), np.shape(mu))

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        return scipy.special.stdtr(dispersion["nu"], (y - mu) / dispersion["sigma"])

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        nu = np.asarray(dispersion["nu"], dtype=float)
        return mu + dispersion["sigma"] * rng.standard_t(nu, np.broadcast_shapes(np.shape(mu), nu.shape))

    def written(self, weights: str, trials: str) -> Written:
        return Written("dist.StudentT(nu, mu, sigma)")

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.StudentT(dispersion["nu"], mu, dispersion["sigma"])


def _height(nu: Any, xp: Any) -> Any:
    """log density at its centre for sigma = 1, but for -log(pi) / 2."""
    return xp.gammaln(0.5 * (nu + 1)) - xp.gammaln(0.5 * nu) - 0.5 * xp.log(nu)


def _in_sigma(x: Any, w: Any, sigma: Any, nu: Any, xp: Any) -> tuple[Any, Any, Any]:
    """Derivatives of l, l' and l'' in sigma."""
    n, scale = nu + 1, sigma * xp.sqrt(nu)
    second = (4 * w - 1) * w * (1 - w) - w * (2 * w - 1)
    return (n * (1 - w) - 1) / sigma, -2 * n * x * w**2 / (sigma * scale), -2 * n * second / (sigma * scale**2)


def _in_nu(x: Any, w: Any, far: Any, sigma: Any, nu: Any, xp: Any) -> tuple[Any, Any, Any]:
    """Derivatives of l, l' and l'' in nu."""
    n, scale = nu + 1, sigma * xp.sqrt(nu)
    height = 0.5 * (xp.digamma(0.5 * n) - xp.digamma(0.5 * nu) - 1 / nu)
    first = height - 0.5 * far + 0.5 * n * (1 - w) / nu
    second = -(n * (4 * w - 1) * w * (1 - w) - w * (2 * w - 1)) / (nu * scale**2)
    return first, x * w * (1 - n * w / nu) / scale, second
