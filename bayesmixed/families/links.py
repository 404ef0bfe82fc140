"""The links by name, and those with options as functions that make them."""

from __future__ import annotations

from ..errors import ModelError, nearest, with_known_options
from .link_base import HIGHEST as HIGHEST
from .link_base import Link as Link
from .plain_links import Identity as Identity
from .plain_links import Inverse as Inverse
from .plain_links import InverseSquare as InverseSquare
from .plain_links import Log as Log
from .plain_links import Power as Power
from .plain_links import Sqrt as Sqrt
from .probability_links import LOG_2PI as LOG_2PI
from .probability_links import Cauchit, Cloglog, Logit, Probit
from .probability_links import Probability as Probability

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
