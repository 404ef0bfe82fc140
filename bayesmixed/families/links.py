"""The links by name, and those that are distribution functions between asymptotes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError, nearest, with_known_options
from .link_base import HIGHEST as HIGHEST
from .link_base import Link as Link
from .numeric.arrays import NUMPY
from .plain_links import Identity as Identity
from .plain_links import Inverse as Inverse
from .plain_links import InverseSquare as InverseSquare
from .plain_links import Log as Log
from .plain_links import Power as Power
from .plain_links import Sqrt as Sqrt

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

    def forward(self, mu: Any, xp: Any = NUMPY) -> Any:
        return self._quantile((mu - self.guess) / self.height, xp)

    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        return self.guess + self.height * xp.exp(self._logs(eta, xp)[0])

    def written(self, eta: str) -> str:
        inside = self._written(eta)
        return inside if self.height == 1 else f"{self.guess!r} + {self.height!r} * {inside}"

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

    def written_log_odds(self, eta: str) -> str:
        return eta if self.height == 1 else ""

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

    def _logs(self, eta: Any, xp: Any) -> tuple[Any, Any, Any, Any, Any]:
        # arctan2(1, -x) / pi keeps all digits of the lower tail, where 1/2 + arctan(x) / pi cancels
        one = xp.ones_like(eta)
        below, above = xp.arctan2(one, -eta) / np.pi, xp.arctan2(one, eta) / np.pi
        square = 1 + eta**2
        return xp.log(below), xp.log(above), -xp.log(np.pi * square), -2 * eta / square, (2 * (eta**2 - 1) / square**2)


LINKS: dict[str, Link] = {
    value.name: value
    for value in (Identity(), Log(), Logit(), Probit(), Cloglog(), Cauchit(), Inverse(), Sqrt(), InverseSquare())
}

_ALIASES = {"1/mu2": "1/mu^2", "inverse_squared": "1/mu^2", "reciprocal": "inverse"}


def link(name: str) -> Link:
    """The link of that name.

    Parameters
    ----------
    name
        One of ``bm.links.LINKS``.

    Returns
    -------
    Link

    Raises
    ------
    ModelError
        For an unknown one, with the nearest names.

    Examples
    --------
    >>> float(link("log").inverse(0.0))
    1.0
    """
    found = LINKS.get(_ALIASES.get(name, name)) if isinstance(name, str) else None
    if found is None:
        raise ModelError(f"Unknown link {name!r}. {nearest(str(name), LINKS)}", topic="unknown-link")
    return found


@with_known_options
def logit(guess: float = 0.0, lapse: float = 0.0) -> Logit:
    """The logistic link, with asymptotes for psychophysics.

    mu = guess + (1 - guess - lapse) / (1 + exp(-eta)); without asymptotes a coefficient is a log odds ratio.

    Parameters
    ----------
    guess, lapse
        The probabilities of a success by chance and of a failure by lapse, each in [0, 1) and together below 1: 0.5 in
        a task with two alternatives.

    Returns
    -------
    Logit

    Raises
    ------
    ModelError
        For asymptotes that leave nothing between them.

    References
    ----------
    Treutwein & Strasburger (1999), Percept. Psychophys. 61, 87-106.

    Examples
    --------
    >>> round(float(logit(guess=0.5, lapse=0.02).inverse(0.0)), 2)
    0.74
    """
    return Logit(guess, lapse)


@with_known_options
def probit(guess: float = 0.0, lapse: float = 0.0) -> Probit:
    """The probit link (cumulative normal), with asymptotes for psychophysics.

    mu = guess + (1 - guess - lapse) Phi(eta).

    Parameters
    ----------
    guess, lapse
        As in `logit`.

    Returns
    -------
    Probit

    Examples
    --------
    >>> round(float(probit(guess=0.5).inverse(0.0)), 2)
    0.75
    """
    return Probit(guess, lapse)


@with_known_options
def cloglog(guess: float = 0.0, lapse: float = 0.0) -> Cloglog:
    """The complementary log-log link (Weibull psychometric function in log stimulus), with asymptotes.

    mu = guess + (1 - guess - lapse) (1 - exp(-exp(eta))); without asymptotes a coefficient is a log hazard ratio.

    Parameters
    ----------
    guess, lapse
        As in `logit`.

    Returns
    -------
    Cloglog

    Examples
    --------
    >>> round(float(cloglog().inverse(0.0)), 3)
    0.632
    """
    return Cloglog(guess, lapse)


@with_known_options
def cauchit(guess: float = 0.0, lapse: float = 0.0) -> Cauchit:
    """The inverse Cauchy link, with asymptotes.

    mu = guess + (1 - guess - lapse) (1/2 + arctan(eta) / pi): approaches its asymptotes slowly.

    Parameters
    ----------
    guess, lapse
        As in `logit`.

    Returns
    -------
    Cauchit

    Examples
    --------
    >>> round(float(cauchit().inverse(1.0)), 2)
    0.75
    """
    return Cauchit(guess, lapse)


__all__ = [
    "LINKS",
    "Cauchit",
    "Cloglog",
    "Identity",
    "Inverse",
    "InverseSquare",
    "Link",
    "Log",
    "Logit",
    "Power",
    "Probability",
    "Probit",
    "Sqrt",
    "cauchit",
    "cloglog",
    "link",
    "logit",
    "probit",
]


def __dir__() -> list[str]:
    return sorted(__all__)
