"""The links that are distribution functions, between asymptotes if asked: logit, probit, cloglog, cauchit."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError
from .link_base import HIGHEST, Link
from .numeric.arrays import NUMPY

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Probability(Link):
    """A distribution function between a guessing rate and one minus a lapse rate: mu = guess + (1 - guess - lapse) F.

    Treutwein & Strasburger (1999), Percept. Psychophys. 61, 87-106.
    """

    guess: float = 0.0
    lapse: float = 0.0
    scaled = False

    def __post_init__(self) -> None:
        for name, value in (("guess", self.guess), ("lapse", self.lapse)):
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise ModelError(
                    f"{name} must be a probability below 1, such as {name}=0.02, not {value!r}.",
                    topic="guess-and-lapse",
                )
        if self.guess + self.lapse >= 1:
            raise ModelError(
                f"guess + lapse must be below 1, not {self.guess + self.lapse:g}.", topic="guess-and-lapse"
            )

    @property
    def range(self) -> tuple[float, float]:  # type: ignore[override]  # depends on the asymptotes
        """The open interval of mu."""
        return self.guess, 1 - self.lapse

    @property
    def words(self) -> str:
        between = f" between {self.guess:g} and {1 - self.lapse:g}" if self.guess or self.lapse else ""
        return self.name + between

    @property
    def height(self) -> float:
        """What lies between the asymptotes."""
        return 1 - self.guess - self.lapse

    @abstractmethod
    def _quantile(self, p: Any, xp: Any) -> Any:
        """F^-1(p)."""

    @abstractmethod
    def _logs(self, eta: Any, xp: Any) -> tuple[Any, Any, Any, Any, Any]:
        """log F, log(1 - F), log f, (log f)', (log f)'' of the distribution without asymptotes."""

    def _written(self, eta: str) -> str:
        """F as the text of a script; a factor of a product."""
        return super().written(eta)

    def _written_rest(self, eta: str) -> str:
        """1 - F as such a text, which does not cancel in the upper tail."""
        return f"(1.0 - {self._written(eta)})"

    def _written_logs(self, eta: str) -> tuple[str, str]:
        """log F and log(1 - F) as such texts, terms of a sum, in every tail."""
        return f"jnp.log({self._written(eta)})", f"jnp.log({self._written_rest(eta)})"

    def forward(self, mu: Any, xp: Any = NUMPY) -> Any:
        return self._quantile((mu - self.guess) / self.height, xp)

    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        return self.guess + self.height * xp.exp(self._logs(eta, xp)[0])

    def written(self, eta: str) -> str:
        return _between(self.guess, self.height, self._written(eta))

    def written_rest(self, eta: str) -> str:
        return _between(self.lapse, self.height, self._written_rest(eta))

    def written_log_odds(self, eta: str) -> str:
        log_mu, log_rest = self._written_logs(eta)
        if self.guess or self.lapse:
            log_mu, log_rest = f"jnp.log({self.written(eta)})", f"jnp.log({self.written_rest(eta)})"
        return f"{log_mu} - {log_rest}"

    def slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return 1 / self.mean_slope(mu, xp)

    def mean_slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return self.mean_steps(self.forward(mu, xp), xp)[1]

    def mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        log_p, _, log_f, s, ds = self._logs(eta, xp)
        m1 = self.height * xp.exp(log_f)
        return self.guess + self.height * xp.exp(log_p), m1, m1 * s, m1 * (ds + s**2)

    def log_probabilities(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any, Any]:
        log_p, log_q, log_f, s, ds = self._logs(eta, xp)
        if self.guess == 0 and self.lapse == 0:
            return log_p, log_q, log_f, s, ds
        log_mu = xp.log(self.guess + self.height * xp.exp(log_p)) if self.guess else xp.log(self.height) + log_p
        log_rest = xp.log(self.lapse + self.height * xp.exp(log_q)) if self.lapse else xp.log(self.height) + log_q
        return log_mu, log_rest, xp.log(self.height) + log_f, s, ds


@dataclass(frozen=True)
class Logit(Probability):
    """eta = log(mu / (1 - mu))."""

    name = "logit"
    latent = (np.pi**2 / 3, "pi^2 / 3")
    steepest = 0.25
    ratios = "Odds ratios"
    ratio_of = "odds"

    def _quantile(self, p: Any, xp: Any) -> Any:
        return xp.log(p) - xp.log1p(-p)

    def _written(self, eta: str) -> str:
        return f"jax.nn.sigmoid({eta})"

    def _written_rest(self, eta: str) -> str:
        return f"jax.nn.sigmoid(-({eta}))"

    def written_log_odds(self, eta: str) -> str:
        return super().written_log_odds(eta) if self.guess or self.lapse else eta

    def _logs(self, eta: Any, xp: Any) -> tuple[Any, Any, Any, Any, Any]:
        log_q = -(xp.maximum(eta, 0.0) + xp.log1p(xp.exp(-xp.abs(eta))))
        p = xp.expit(eta)
        return eta + log_q, log_q, eta + 2 * log_q, 1 - 2 * p, -2 * p * (1 - p)

    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        return self.guess + self.height * xp.expit(eta)

    def binomial(self, y: Any, m: Any, eta: Any, order: int, xp: Any = NUMPY) -> tuple[Any, ...]:
        if self.guess or self.lapse:
            return super().binomial(y, m, eta, order, xp)
        # one exponential serves them all; library functions take one each, and three times as long
        small = xp.exp(-xp.abs(eta))
        kernel = y * eta - m * (xp.maximum(eta, 0.0) + xp.log1p(small))
        if order == 0:
            return (kernel,)
        larger = 1 / (1 + small)
        smaller = small * larger
        p = xp.where(eta > 0, larger, smaller)
        if order == 1:
            return kernel, y - m * p
        V = m * larger * smaller
        return (kernel, y - m * p, V) if order == 2 else (kernel, y - m * p, V, V * (1 - 2 * p))

    def log_steps(self, eta: Any, order: int, xp: Any = NUMPY) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        if self.guess or self.lapse:
            return super().log_steps(eta, order, xp)
        log_q, p, q = -xp.logaddexp(0.0, eta), xp.expit(eta), xp.expit(-eta)
        bend = -p * q
        tilt = bend * (1 - 2 * p)
        successes, failures = (eta + log_q, q, bend, tilt), (log_q, -p, bend, tilt)
        return successes[: order + 1], failures[: order + 1]


@dataclass(frozen=True)
class Probit(Probability):
    """eta = Phi^-1(mu)."""

    name = "probit"
    latent = (1.0, "1")
    steepest = float(1 / np.sqrt(2 * np.pi))

    def _quantile(self, p: Any, xp: Any) -> Any:
        return xp.ndtri(p)

    def _written(self, eta: str) -> str:
        return f"jax.scipy.special.ndtr({eta})"

    def _written_rest(self, eta: str) -> str:
        return f"jax.scipy.special.ndtr(-({eta}))"

    def _written_logs(self, eta: str) -> tuple[str, str]:
        return f"jax.scipy.special.log_ndtr({eta})", f"jax.scipy.special.log_ndtr(-({eta}))"

    def _logs(self, eta: Any, xp: Any) -> tuple[Any, Any, Any, Any, Any]:
        log_f = -0.5 * (LOG_2PI + eta**2)
        return xp.log_ndtr(eta), xp.log_ndtr(-eta), log_f, -eta, -xp.ones_like(eta)


@dataclass(frozen=True)
class Cloglog(Probability):
    """eta = log(-log(1 - mu))."""

    name = "cloglog"
    latent = (np.pi**2 / 6, "pi^2 / 6")
    ratios = "Hazard ratios"

    def _quantile(self, p: Any, xp: Any) -> Any:
        return xp.log(-xp.log1p(-p))

    def _written(self, eta: str) -> str:
        return f"(-jnp.expm1(-jnp.exp({eta})))"

    def _written_rest(self, eta: str) -> str:
        return f"jnp.exp(-jnp.exp({eta}))"

    def _written_logs(self, eta: str) -> tuple[str, str]:
        return super()._written_logs(eta)[0], f"(-jnp.exp({eta}))"

    def _logs(self, eta: Any, xp: Any) -> tuple[Any, Any, Any, Any, Any]:
        hazard = xp.exp(xp.minimum(eta, HIGHEST))
        # below -36 the hazard is lost beside 1, and log(1 - exp(-h)) is log h
        log_p = xp.where(eta < -36.0, eta, xp.log(-xp.expm1(-xp.maximum(hazard, 1e-300))))
        return log_p, -hazard, eta - hazard, 1 - hazard, -hazard


@dataclass(frozen=True)
class Cauchit(Probability):
    """eta = tan(pi (mu - 1/2))."""

    name = "cauchit"

    def _quantile(self, p: Any, xp: Any) -> Any:
        return xp.tan(np.pi * (p - 0.5))

    def _written(self, eta: str) -> str:
        return f"jnp.arctan2(1.0, -({eta})) / jnp.pi"

    def _written_rest(self, eta: str) -> str:
        return f"jnp.arctan2(1.0, {eta}) / jnp.pi"

    def _logs(self, eta: Any, xp: Any) -> tuple[Any, Any, Any, Any, Any]:
        # arctan2(1, -x) / pi keeps all digits of the lower tail, where 1/2 + arctan(x) / pi cancels
        one = xp.ones_like(eta)
        below, above = xp.arctan2(one, -eta) / np.pi, xp.arctan2(one, eta) / np.pi
        square = 1 + eta**2
        return xp.log(below), xp.log(above), -xp.log(np.pi * square), -2 * eta / square, (2 * (eta**2 - 1) / square**2)


def _between(least: float, height: float, share: str) -> str:
    """The text of an asymptote and a share, itself a text, of the way to the other."""
    start = f"{least!r} + " if least else ""
    return share if height == 1 else f"{start}{height!r} * {share}"
