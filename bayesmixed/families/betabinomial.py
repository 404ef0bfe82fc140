"""Successes out of trials whose probability varies from row to row: the beta-binomial distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from ..errors import FitError
from .base import Observed
from .beta import beta_draws
from .binomial import Binomial, trials_of
from .derivatives import Derivatives, chained, in_parameter
from .links import Link, Logit
from .numeric.arrays import NUMPY
from .numeric.gammas import rising
from .numeric.moments import average
from .parameters import Limit, parameter
from .written import BETA_BINOMIAL, Written


@dataclass(frozen=True)
class BetaBinomial(Binomial):
    """Binomial given p ~ Beta(mu phi, (1 - mu) phi); binomial for phi -> infinity; weights are frequencies."""

    link: Link = Logit()

    name = "betabinomial"
    words = "beta-binomial"
    wider = ""
    wider_family = ""
    others = (parameter("phi", "precision", limit=Limit(1e4, "the successes are not overdispersed", "binomial")),)
    elsewhere = ("brms", "bambi")
    links = ("logit", "probit", "cloglog", "cauchit", "log")
    binary = False
    log_concave = False

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """The binomial's, and `gammas.rising` of successes, failures and trials at mu phi, (1 - mu) phi and phi."""
        y, m, phi = observed.y, trials_of(observed, xp), dispersion["phi"]
        s, plain = xp.log(phi), observed._replace(weights=None)
        found = super().derivatives(plain, eta, dispersion, order, xp)
        for steps, count in zip(self.link.log_steps(eta, order, xp), (y, m - y), strict=True):
            slopes = rising(count, steps[0] + s, order, xp)
            per_phi = {"phi": tuple(slope / phi for slope in slopes[1:])}
            found = found.plus(chained(slopes, steps, per_phi, order))
        of_all = rising(m, s, order % 2, xp)
        in_phi = in_parameter("phi", (-of_all[1] / phi, 0.0, 0.0), order) if order % 2 else {}
        return found.plus(Derivatives(-of_all[0], 0.0, 0.0, 0.0, in_phi)).times(observed.weights)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        m = trials_of(observed)
        several = m > 1
        square = m * (observed.y / np.maximum(m, 1) - mu) ** 2 / np.maximum(mu * (1 - mu), 1e-8)
        excess = np.where(several, (square - 1) / np.where(several, m - 1, 1.0), 0.0)
        share = average(excess, observed) / max(average(several, observed), 1e-8)
        return {"phi": float(np.clip(1 / share - 1 if share > 0 else 1e3, 0.5, 1e3))}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        m = 1.0 if trials is None else trials
        return super().sd(mu, dispersion, weights, trials) * np.sqrt(1 + (m - 1) / (1 + dispersion["phi"]))

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        """A sum of probabilities: there is no closed form."""
        betaln, gammaln = scipy.special.betaln, scipy.special.gammaln
        phi, m = dispersion["phi"], np.broadcast_to(1.0 if trials is None else trials, np.shape(y))
        a, b = mu * phi, (1 - mu) * phi
        total = np.zeros(np.broadcast_shapes(np.shape(y), np.shape(mu)))
        for k in range(int(np.max(y, initial=-1)) + 1):
            inside = k <= np.minimum(y, m)
            j = np.minimum(k, m)
            log_choose = gammaln(m + 1) - gammaln(j + 1) - gammaln(m - j + 1)
            total += np.where(inside, np.exp(log_choose + betaln(j + a, m - j + b) - betaln(a, b)), 0.0)
        return np.where(y >= m, 1.0, np.minimum(total, 1.0))

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        raise FitError(
            "The betabinomial family has no saturated fit, so no deviance residuals: "
            'use residuals("quantile") or residuals("pearson").',
            topic="deviance-residuals",
        )

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        return super().draw(rng, beta_draws(rng, mu, dispersion["phi"]), dispersion, weights, trials)

    def written(self, weights: str, trials: str) -> Written:
        rest = self.link.written_rest("eta")
        return Written(f"BetaBinomial(mu * phi, ({rest}) * phi, {trials or 1})", BETA_BINOMIAL)

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        phi = dispersion["phi"]
        return dist.BetaBinomial(mu * phi, (1 - mu) * phi, 1 if trials is None else trials)
