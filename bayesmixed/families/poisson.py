"""Poisson counts: P(y) = mu^y exp(-mu) / y!."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import pdtr, xlogy

from .arrays import NUMPY
from .base import Derivatives, Family, Observed, chained
from .checks import whole
from .links import HIGHEST, Link, Log


@dataclass(frozen=True)
class Poisson(Family):
    """Counts whose variance is their mean; weights are frequencies."""

    link: Link = Log()

    name = "poisson"
    words = "Poisson"
    dispersion = ()
    links = ("log", "identity", "sqrt")
    discrete = True
    wider = 'Fit family="negbinomial", or add an effect per row: a column of row numbers, (1 | row).'
    support = "whole numbers from 0 on"
    mean_range = (0.0, np.inf)
    log_concave = True

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        advice = 'For rates, model counts with offset(log(exposure)); measured amounts take family="gamma".'
        yield ~whole(observed.y) | (observed.y < 0), advice

    def says_nothing(self, observed: Observed, offset: np.ndarray) -> bool:
        return not np.any(observed.y)

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        return count_constant(observed, xp)

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """With t = log mu: l = y t - exp(t)."""
        steps = self.link.log_mean_steps(eta, xp)
        mu = xp.exp(xp.minimum(steps[0], HIGHEST))
        slopes = (observed.y * steps[0] - mu, observed.y - mu, -mu, -mu)
        return chained(slopes, steps, {}, order).times(observed.weights)

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return np.sqrt(mu)

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        return np.where(y < 0, 0.0, pdtr(np.maximum(y, 0), mu))

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        deviance = 2 * (xlogy(observed.y, observed.y / mu) - (observed.y - mu))
        return deviance if observed.weights is None else observed.weights * deviance

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        return poisson_draws(rng, mu)

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.Poisson(mu)


def count_constant(observed: Observed, xp: Any) -> Any:
    """-log y! (n,), times frequency weights."""
    constant = -xp.gammaln(observed.y + 1.0)
    return constant if observed.weights is None else observed.weights * constant


def poisson_draws(rng: np.random.Generator, mu: np.ndarray) -> np.ndarray:
    """Counts of these means, also of means that NumPy refuses (above 2^63), where a draw is its mean to all digits."""
    return np.where(mu < 1e15, rng.poisson(np.minimum(mu, 1e15)), mu).astype(float)
