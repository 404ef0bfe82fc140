"""Counts with variance proportional to the mean: Var = mu (1 + phi) (NB1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from .base import Observed
from .derivatives import Derivatives, chained
from .links import HIGHEST
from .numeric.arrays import NUMPY
from .numeric.gammas import rising
from .numeric.moments import average
from .numeric.overdispersed_counts import Counts, poisson_draws
from .parameters import Limit, parameter
from .written import NEGATIVE_BINOMIAL, Written


@dataclass(frozen=True)
class NegativeBinomial1(Counts):
    """Over-dispersed counts of size mu / phi: Var = mu (1 + phi); Poisson for phi -> 0."""

    name = "negbinomial1"
    words = "negative binomial with variance mu (1 + phi)"
    others = (
        parameter(
            "phi", "shape", rule="excess variance", limit=Limit(1e-4, "the counts are not overdispersed", "poisson")
        ),
    )

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        """-log y! (n,), times frequency weights: the size of this family vanishes with the mean."""
        constant = -xp.gammaln(observed.y + 1.0)
        return constant if observed.weights is None else observed.weights * constant

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """With t = log mu, s = t - log phi: l = y t - (e^s + y) log(1 + phi) + `gammas.rising`(y, s)."""
        y, phi = observed.y, dispersion["phi"]
        steps = self.link.log_mean_steps(eta, xp)
        s, log_more = steps[0] - xp.log(phi), xp.log1p(phi)
        more = rising(y, s, order, xp)
        size = xp.exp(xp.minimum(s, HIGHEST))
        kernel = y * steps[0] - (size + y) * log_more + more[0]
        if order == 0:
            return Derivatives(kernel).times(observed.weights)
        slopes = (kernel, y - size * log_more + more[1], *(part - size * log_more for part in more[2:]))
        # in phi: log(1 + phi) itself, and s = t - log phi
        per = size / (1 + phi)
        in_phi: tuple[Any, ...] = (-(per + y / (1 + phi)) - (more[1] - size * log_more) / phi,)
        if order == 3:
            in_phi = (in_phi[0], *(-per - (part - size * log_more) / phi for part in more[2:]))
        return chained(slopes, steps, {"phi": in_phi}, order).times(observed.weights)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        ratio = average((observed.y - mu) ** 2 / np.maximum(mu, 1e-8), observed)
        return {"phi": float(np.clip(ratio - 1.0, 0.05, 1e3))}

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        return np.sqrt(mu * (1 + dispersion["phi"]))

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        phi = dispersion["phi"]
        return np.where(y < 0, 0.0, scipy.special.betainc(mu / phi, np.maximum(y, 0.0) + 1.0, 1 / (1 + phi)))

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        phi = dispersion["phi"]
        return poisson_draws(rng, rng.gamma(mu / phi) * phi)

    def written(self, weights: str, trials: str) -> Written:
        return Written("NegativeBinomial(mu, mu / phi)", NEGATIVE_BINOMIAL)

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.NegativeBinomial2(mu, mu / dispersion["phi"])
