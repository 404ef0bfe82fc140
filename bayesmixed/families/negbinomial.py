"""Counts with variance mu + mu^2 / alpha: a gamma mixture of Poissons (NB2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Observed
from .derivatives import Derivatives, chained
from .links import HIGHEST
from .numeric.arrays import NUMPY
from .numeric.gammas import rising, spread_of_gamma
from .numeric.moments import average
from .numeric.overdispersed_counts import Counts, poisson_draws
from .parameters import Limit, parameter
from .written import NEGATIVE_BINOMIAL, Written

LARGE = 1e4  # counts from which sums of terms of size y log y would show their rounding


@dataclass(frozen=True)
class NegativeBinomial(Counts):
    """Over-dispersed counts of size alpha: Var = mu + mu^2 / alpha; Poisson for alpha -> infinity."""

    name = "negbinomial"
    words = "negative binomial with variance mu + mu^2 / alpha"
    others = (
        parameter("alpha", "shape", rule="size", limit=Limit(1e4, "the counts are not overdispersed", "poisson")),
    )
    elsewhere = ("brms", "rstanarm", "bambi")

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """With t = log mu, z = t - log alpha: l = y t - (y + alpha) log(1 + e^z) + `gammas.rising`(y, log alpha)."""
        y, alpha = observed.y, dispersion["alpha"]
        steps = self.link.log_mean_steps(eta, xp)
        z = steps[0] - xp.log(alpha)
        more = rising(y, xp.log(alpha), order % 2, xp)  # dispersion is asked for with orders 1 and 3
        plus = xp.logaddexp(0.0, z)
        if xp is NUMPY and np.max(y, initial=0.0) > LARGE:
            kernel = _large(y, steps[0], alpha, xp.expit(-z))
        else:
            kernel = y * (steps[0] - xp.log(xp.maximum(y, 1.0))) + y - (y + alpha) * plus + more[0]
        if order == 0:
            return Derivatives(kernel).times(observed.weights)
        q = xp.expit(z)
        slope = y - (y + alpha) * q
        if order == 1:
            per_alpha = (more[1] + (y + alpha) * q) / alpha - plus
            return chained((kernel, slope), steps, {"alpha": (per_alpha,)}, 1).times(observed.weights)
        bend = q * xp.expit(-z)
        second = -(y + alpha) * bend
        if order == 2:
            return chained((kernel, slope, second), steps, {}, 2).times(observed.weights)
        tilt = bend * (1 - 2 * q)
        in_alpha = (
            (more[1] + (y + alpha) * q) / alpha - plus,
            (y + alpha) * bend / alpha - q,
            (y + alpha) * tilt / alpha - bend,
        )
        slopes = (kernel, slope, second, -(y + alpha) * tilt)
        return chained(slopes, steps, {"alpha": in_alpha}, 3).times(observed.weights)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        square, excess = average(mu**2, observed), average((observed.y - mu) ** 2 - mu, observed)
        return {"alpha": float(np.clip(square / excess if excess > 0 else 100.0, 0.05, 1e3))}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return np.sqrt(mu + mu**2 / dispersion["alpha"])

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        alpha = dispersion["alpha"]
        return np.where(y < 0, 0.0, scipy.special.betainc(alpha, np.maximum(y, 0.0) + 1.0, alpha / (alpha + mu)))

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        y, alpha = observed.y, dispersion["alpha"]
        deviance = 2 * (scipy.special.xlogy(y, y / mu) - (y + alpha) * np.log((y + alpha) / (mu + alpha)))
        return deviance if observed.weights is None else observed.weights * deviance

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        alpha = np.asarray(dispersion["alpha"], dtype=float)
        return poisson_draws(rng, rng.gamma(alpha, 1.0, np.broadcast_shapes(np.shape(mu), alpha.shape)) * mu / alpha)

    def written(self, weights: str, trials: str) -> Written:
        return Written("NegativeBinomial(mu, alpha)", NEGATIVE_BINOMIAL)

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.NegativeBinomial2(mu, dispersion["alpha"])


def _large(y: np.ndarray, t: np.ndarray, alpha: Any, p: np.ndarray) -> np.ndarray:
    """The kernel for counts so large that y log y has lost the digits of its differences; p = alpha / (alpha + mu).

    Its value at mu = y, S(alpha) - S(y + alpha) with S = `gammas.spread_of_gamma`, and what another mean takes away,
    y log(mu (alpha + y) / (y (alpha + mu))) - alpha log((alpha + mu) / (alpha + y)).
    """
    total, some = y + alpha, np.maximum(y, 1.0)
    off = np.exp(np.minimum(t, HIGHEST)) - y
    sizes = _log1p_or(off / total, np.logaddexp(np.log(alpha), t) - np.log(total), t)
    means = _log1p_or(off / some * p, t - np.log(some) - sizes, t)
    return np.where(y > 0, spread_of_gamma(alpha) - spread_of_gamma(total), 0.0) + y * means - alpha * sizes


def _log1p_or(excess: np.ndarray, log: np.ndarray, t: np.ndarray) -> np.ndarray:
    """log(1 + excess), exact near 1; the `log` itself where the ratio is nearer to 0, or a mean exp(t) overflowed."""
    near = (excess > -0.5) & (t < HIGHEST)
    return np.where(near, np.log1p(np.where(near, excess, 0.0)), log)
