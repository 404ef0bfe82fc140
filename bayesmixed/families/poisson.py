"""Poisson counts: P(y) = mu^y exp(-mu) / y!."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Observed
from .derivatives import Derivatives, chained
from .links import HIGHEST
from .numeric.arrays import NUMPY
from .numeric.overdispersed_counts import Counts, poisson_draws
from .written import Written


@dataclass(frozen=True)
class Poisson(Counts):
    """Counts whose variance is their mean; weights are frequencies."""

    name = "poisson"
    words = "Poisson"
    wider = 'Fit family="negbinomial", or add an effect per row: a column of row numbers, (1 | row).'
    wider_family = "negbinomial"
    log_concave = True
    elsewhere = ("brms", "rstanarm", "bambi")

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """With t = log mu: l = y (t - log y) - (exp(t) - y), whose rounding does not grow with log y."""
        steps = self.link.log_mean_steps(eta, xp)
        mu = xp.exp(xp.minimum(steps[0], HIGHEST))
        off = observed.y - mu
        slopes = (observed.y * (steps[0] - xp.log(xp.maximum(observed.y, 1.0))) + off, off, -mu, -mu)
        return chained(slopes, steps, {}, order).times(observed.weights)

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return np.sqrt(mu)

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        return np.where(y < 0, 0.0, scipy.special.pdtr(np.maximum(y, 0), mu))

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        deviance = 2 * (scipy.special.xlogy(observed.y, observed.y / mu) - (observed.y - mu))
        return deviance if observed.weights is None else observed.weights * deviance

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        return poisson_draws(rng, mu)

    def written(self, weights: str, trials: str) -> Written:
        return Written("dist.Poisson(mu)")

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.Poisson(mu)
