"""Positive amounts with a constant coefficient of variation 1 / sqrt(alpha): the gamma distribution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Family, Observed
from .derivatives import Derivatives, chained
from .links import HIGHEST, Link, Log
from .numeric.arrays import NUMPY
from .numeric.gammas import spread_of_gamma
from .numeric.moments import average
from .numeric.support import POSITIVE_ADVICE
from .parameters import parameter
from .written import Written

SMALLEST = 1e-300  # a draw below the smallest number is no zero


@dataclass(frozen=True)
class Gamma(Family):
    """The gamma family with mean mu and shape alpha; weights are frequencies."""

    link: Link = Log()

    name = "gamma"
    words = "gamma"
    others = (parameter("alpha", "shape", rule="variation"),)
    elsewhere = ("brms", "rstanarm", "bambi")
    links = ("log", "inverse", "identity")
    discrete = False
    support = "positive numbers"
    mean_range = (0.0, np.inf)

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        yield ~(np.isfinite(observed.y) & (observed.y > 0)), POSITIVE_ADVICE

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        return -xp.log(observed.y) if observed.weights is None else -observed.weights * xp.log(observed.y)

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """With x = log y - log mu: l = alpha (x - e^x + 1) + (alpha log alpha - alpha - log Gamma(alpha)) - log y."""
        alpha = dispersion["alpha"]
        steps = self.link.log_mean_steps(eta, xp)
        x = xp.minimum(xp.log(observed.y) - steps[0], HIGHEST)
        off, ratio = xp.expm1(x), xp.exp(x)
        slopes = (alpha * (x - off) + spread_of_gamma(alpha, xp), alpha * off, -alpha * ratio, alpha * ratio)
        if order % 2 == 0:
            return chained(slopes, steps, {}, order).times(observed.weights)
        in_alpha = (x - off + xp.log(alpha) - xp.digamma(alpha), off, -ratio)
        return chained(slopes, steps, {"alpha": in_alpha}, order).times(observed.weights)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        return {"alpha": float(np.clip(1 / max(average((observed.y / mu - 1) ** 2, observed), 1e-8), 0.05, 1e6))}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return mu / np.sqrt(dispersion["alpha"])

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        alpha = dispersion["alpha"]
        return scipy.special.gammainc(alpha, alpha * np.maximum(y, 0.0) / mu)

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        ratio = observed.y / mu
        deviance = 2 * (ratio - 1 - np.log(ratio))
        return deviance if observed.weights is None else observed.weights * deviance

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        alpha = np.asarray(dispersion["alpha"], dtype=float)
        drawn = rng.gamma(alpha, 1.0, np.broadcast_shapes(np.shape(mu), alpha.shape))
        return np.maximum(drawn * mu / alpha, SMALLEST)

    def written(self, weights: str, trials: str) -> Written:
        return Written("dist.Gamma(alpha, alpha / mu)")

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        alpha = dispersion["alpha"]
        return dist.Gamma(alpha, alpha / mu)
