"""Response distributions: one file each, one line in the registry.

By name, with the parameters besides the mean and what a weight does:

gaussian, lognormal [sigma]
    Precision weights. mu of a lognormal is the mean of the logarithm.
student [sigma, nu], gamma [alpha: shape], inverse_gaussian [lam], beta [phi]
    All others: frequency weights, a weight of 2 is the row twice.
poisson, negbinomial [alpha: variance mu + mu^2 / alpha], negbinomial1 [phi: variance mu (1 + phi)]
    Counts; an exposure is ``offset(log(exposure))``.
bernoulli, binomial, betabinomial [phi]
    0 and 1, bools, two levels (the second is the success), ``prop(successes, trials)``,
    ``cbind(successes, failures)``, ``successes | trials(n)``, or proportions with their trials as weights.

``FAMILIES["poisson"].links`` are the links that a family takes, the default first. `custom` makes a family of any
NumPyro distribution.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import ModelError, nearest
from .base import Family as Family
from .base import Observed as Observed
from .base import observed as observed
from .bernoulli import Bernoulli as Bernoulli
from .beta import Beta as Beta
from .betabinomial import BetaBinomial as BetaBinomial
from .binomial import Binomial as Binomial
from .custom import custom as custom
from .derivatives import MAIN as MAIN
from .derivatives import Derivatives as Derivatives
from .gamma import Gamma as Gamma
from .gaussian import Gaussian as Gaussian
from .inverse_gaussian import InverseGaussian as InverseGaussian
from .links import LINKS as LINKS
from .links import Link as Link
from .links import link as link
from .lognormal import LogNormal as LogNormal
from .negbinomial import NegativeBinomial as NegativeBinomial
from .negbinomial1 import NegativeBinomial1 as NegativeBinomial1
from .other_names import unknown
from .parameters import FamilyParameter as FamilyParameter
from .parameters import parameter as parameter
from .poisson import Poisson as Poisson
from .student import Student as Student

_ALL: tuple[type[Family], ...] = (
    Gaussian,
    Student,
    Bernoulli,
    Binomial,
    BetaBinomial,
    Poisson,
    NegativeBinomial,
    NegativeBinomial1,
    Gamma,
    InverseGaussian,
    Beta,
    LogNormal,
)
FAMILIES: dict[str, type[Family]] = {kind.name: kind for kind in _ALL}


def family(value: str | Family, link_value: str | Link | None = None) -> Family:
    """The family of that name (or the value itself) with a link, its default one if None.

    Parameters
    ----------
    value
        A name of ``bm.families.FAMILIES``, or a family.
    link_value
        A name of ``bm.links.LINKS``, or a link; the family's first by default.

    Returns
    -------
    Family

    Raises
    ------
    ModelError
        A family that is not known, or a link that it does not take; the message names those it does.

    Examples
    --------
    >>> family("poisson").link.name, family("binomial", "probit").link.name
    ('log', 'probit')
    """
    known: Family | type[Family]
    value = _named_by(value)
    if isinstance(value, Family):
        known = value
        chosen = value.link if link_value is None else link_value
    else:
        if not isinstance(value, str) or value not in FAMILIES:
            raise ModelError(_unknown(value), topic="unknown-family")
        known = FAMILIES[value]
        chosen = known.links[0] if link_value is None else link_value
    resolved = chosen if isinstance(chosen, Link) else link(chosen)
    if resolved.name not in known.links:
        raise ModelError(
            f"The {known.name} family does not take the link {resolved.name!r}. {nearest(resolved.name, known.links)}",
            topic="family-and-link",
        )
    return replace(known, link=resolved) if isinstance(known, Family) else known(link=resolved)


def _named_by(value: Any) -> Any:
    """A module of this folder, ``families.poisson``, stands for the family that it holds; all else for itself."""
    return {f"{__name__}.{name}": name for name in FAMILIES}.get(getattr(value, "__name__", ""), value)


def _unknown(value: object) -> str:
    if isinstance(value, type) and issubclass(value, Family):
        return f"family={value.__name__} is a class: write family={value.name!r}, or {value.__name__}() with options."
    return unknown(value, FAMILIES)


__all__ = [
    "FAMILIES",
    "LINKS",
    "MAIN",
    "Bernoulli",
    "Beta",
    "BetaBinomial",
    "Binomial",
    "Derivatives",
    "Family",
    "FamilyParameter",
    "Gamma",
    "Gaussian",
    "InverseGaussian",
    "Link",
    "LogNormal",
    "NegativeBinomial",
    "NegativeBinomial1",
    "Observed",
    "Poisson",
    "Student",
    "custom",
    "family",
    "link",
    "observed",
    "parameter",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"bm.families has no {name!r}." if name.startswith("_") else unknown(name, FAMILIES))
