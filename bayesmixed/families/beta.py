"""Proportions strictly between 0 and 1: the beta distribution with mean mu and precision phi."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Family, Observed
from .derivatives import Derivatives, chained, in_parameter
from .links import Link, Logit
from .numeric.arrays import NUMPY
from .numeric.gammas import TINY, polygammas
from .numeric.moments import average
from .parameters import parameter
from .written import Written

INSIDE = 1e-15  # draws that round to an end of the interval are moved back inside


@dataclass(frozen=True)
class Beta(Family):
    """The beta family with a = mu phi, b = (1 - mu) phi; weights are frequencies (Ferrari & Cribari-Neto 2004)."""

    link: Link = Logit()

    name = "beta"
    words = "beta"
    others = (parameter("phi", "precision"),)
    elsewhere = ("brms", "rstanarm", "bambi")
    links = ("logit", "probit", "cloglog", "cauchit", "log")
    discrete = False
    support = "proportions strictly between 0 and 1"
    mean_range = (0.0, 1.0)

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        y = observed.y
        yield ~((y >= 0) & (y <= 1)), "Divide percentages by 100; successes out of trials take family='binomial'."
        advice = (
            "Move the ends inside, as in (y * (n - 1) + 0.5) / n for n rows (Smithson & Verkuilen 2006), "
            "or model successes out of trials by family='binomial'."
        )
        yield (y == 0) | (y == 1), advice

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        constant = -xp.log(observed.y) - xp.log1p(-observed.y)
        return constant if observed.weights is None else observed.weights * constant

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """l = log Gamma(phi) + F(a, log y) + F(b, log(1 - y)), F(a, c) = a c - log Gamma(a)."""
        y, phi = observed.y, dispersion["phi"]
        both = self.link.log_steps(eta, order, xp)
        in_phi = in_parameter("phi", (xp.digamma(phi), 0.0, 0.0), order)
        found = Derivatives(xp.gammaln(phi), 0.0, 0.0, 0.0, in_phi)
        for steps, seen in zip(both, (xp.log(y), xp.log1p(-y)), strict=True):
            slopes = _half(steps[0] + xp.log(phi), seen, order, xp)
            per_phi = {"phi": tuple(slope / phi for slope in slopes[1:])}
            found = found.plus(chained(slopes, steps, per_phi, order))
        return found.times(observed.weights)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        spread, most = average((observed.y - mu) ** 2, observed), average(mu * (1 - mu), observed)
        return {"phi": float(np.clip(most / max(spread, 1e-10) - 1, 0.5, 1e6))}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return np.sqrt(mu * (1 - mu) / (1 + dispersion["phi"]))

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        phi = dispersion["phi"]
        return scipy.special.betainc(mu * phi, (1 - mu) * phi, np.clip(y, 0.0, 1.0))

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        return np.clip(beta_draws(rng, mu, dispersion["phi"]), INSIDE, 1 - INSIDE)

    def written(self, weights: str, trials: str) -> Written:
        return Written(f"dist.Beta(mu * phi, ({self.link.written_rest('eta')}) * phi)")

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        phi = dispersion["phi"]
        return dist.Beta(mu * phi, (1 - mu) * phi)


def beta_draws(rng: np.random.Generator, mu: np.ndarray, phi: Any) -> np.ndarray:
    """Draws of mean mu and precision phi; where a mean is 0 or 1 to all digits, itself."""
    drawn = rng.beta(np.maximum(mu * phi, TINY), np.maximum((1 - mu) * phi, TINY))
    return np.where(np.isfinite(drawn), drawn, mu)


def _half(s: Any, seen: Any, order: int, xp: Any) -> tuple[Any, ...]:
    """F(a, c) = a c - log Gamma(a) at a = exp(s) with its derivatives in s, as many as `order` asks for."""
    a = xp.maximum(xp.exp(s), TINY)
    found = [a * seen - xp.where(s < float(np.log(TINY)), -s, xp.gammaln(a))]
    if order > 0:
        first = a * (seen - xp.digamma(a))
        found.append(first)
    if order > 1:
        trigamma, tetragamma = polygammas(a, xp)
        second = a**2 * trigamma
        found.append(first - second)
    if order > 2:
        found.append(first - 3 * second - a**3 * tetragamma)
    return tuple(found)
