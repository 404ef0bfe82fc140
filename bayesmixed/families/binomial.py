"""Successes out of trials: P(y) = C(m, y) mu^y (1 - mu)^(m - y)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from .base import Family, Observed
from .derivatives import Derivatives
from .links import Link, Logit
from .numeric.arrays import NUMPY
from .numeric.support import whole
from .written import Written


@dataclass(frozen=True)
class Binomial(Family):
    """y successes in m independent trials of probability mu; weights are frequencies."""

    link: Link = Logit()

    name = "binomial"
    words = "binomial"
    links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog", "cauchit", "log", "identity")
    discrete = True
    wider: ClassVar[str] = 'Fit family="betabinomial", or add an effect per row: a column of row numbers, (1 | row).'
    wider_family: ClassVar[str] = "betabinomial"
    support = "whole numbers of successes between 0 and the number of trials"
    mean_range = (0.0, 1.0)
    takes_trials = True
    binary = True
    elsewhere: ClassVar[tuple[str, ...]] = ("brms", "rstanarm", "bambi")

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        y, m = observed.y, trials_of(observed)
        yield ~whole(m) | (m < 0), "Trials must be whole numbers, 0 or more."
        advice = 'Proportions need trials: weights="trials" or prop(successes, trials). Without any: family="beta".'
        yield (y > 0) & (y < 1), advice
        alone = "Successes out of several trials are written prop(successes, trials)."
        yield ~whole(y) | (y < 0) | (y > m), alone if observed.trials is None else "Correct those rows."

    def says_nothing(self, observed: Observed, offset: np.ndarray) -> bool:
        return not np.any(observed.y) or not np.any(observed.y < trials_of(observed))

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        y, m = observed.y, trials_of(observed, xp)
        constant = xp.gammaln(m + 1.0) - xp.gammaln(y + 1.0) - xp.gammaln(m - y + 1.0)
        return constant if observed.weights is None else observed.weights * constant

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """l = y log mu + (m - y) log(1 - mu), by the link, which knows its tails."""
        m = 1.0 if observed.trials is None else observed.trials
        return Derivatives(*self.link.binomial(observed.y, m, eta, order, xp)).times(observed.weights)

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        with np.errstate(divide="ignore"):  # no trials, no share
            return np.sqrt(mu * (1 - mu) / (1.0 if trials is None else np.asarray(trials, dtype=float)))

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        m = np.broadcast_to(1.0 if trials is None else trials, np.shape(y))
        inside = scipy.special.bdtr(np.clip(y, 0, m), m.astype(int), mu)
        return np.where(y < 0, 0.0, np.where(y >= m, 1.0, inside))

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        y, m = observed.y, trials_of(observed)
        deviance = 2 * (scipy.special.xlogy(y, y / (m * mu)) + scipy.special.xlogy(m - y, (m - y) / (m * (1 - mu))))
        return deviance if observed.weights is None else observed.weights * deviance

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        m = np.broadcast_to(1.0 if trials is None else trials, np.shape(mu))
        return rng.binomial(m.astype(np.int64), mu).astype(float)

    def written(self, weights: str, trials: str) -> Written:
        log_odds = self.link.written_log_odds("eta")
        chance = f"logits={log_odds}" if log_odds else "probs=mu"
        return Written(f"dist.Binomial({trials or 1}, {chance})")

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.Binomial(1 if trials is None else trials, probs=mu)


def trials_of(observed: Observed, xp: Any = NUMPY) -> Any:
    """Trials per row (n,), one each where none were given."""
    return xp.ones_like(observed.y) if observed.trials is None else observed.trials
