"""Response distributions: one file each, one line in the registry."""

from __future__ import annotations

from dataclasses import replace

from ..errors import ModelError, nearest
from .base import Derivatives as Derivatives
from .base import Family as Family
from .base import Observed as Observed
from .base import observed as observed
from .bernoulli import Bernoulli as Bernoulli
from .binomial import Binomial as Binomial
from .gaussian import Gaussian as Gaussian
from .links import LINKS as LINKS
from .links import Link as Link
from .links import link as link
from .poisson import Poisson as Poisson

FAMILIES: dict[str, type[Family]] = {family.name: family for family in (Gaussian, Bernoulli, Binomial, Poisson)}


def family(value: str | Family, link_value: str | Link | None = None) -> Family:
    """The family of that name (or the value itself) with a link, its default one if None."""
    if isinstance(value, Family):
        kind: type[Family] = type(value)
        chosen = value.link if link_value is None else link_value
    else:
        if not isinstance(value, str) or value not in FAMILIES:
            raise ModelError(_unknown(value))
        kind = FAMILIES[value]
        chosen = kind.links[0] if link_value is None else link_value
    resolved = chosen if isinstance(chosen, Link) else link(chosen)
    if resolved.name not in kind.links:
        raise ModelError(
            f"The {kind.name} family does not take the link {resolved.name!r}. {nearest(resolved.name, kind.links)}"
        )
    return replace(value, link=resolved) if isinstance(value, Family) else kind(link=resolved)


_ALIASES = {"normal": "gaussian", "norm": "gaussian", "lm": "gaussian", "lmm": "gaussian"}
_LATER = tuple("bernoulli binomial betabinomial poisson negbinomial gamma beta student lognormal cumulative".split())


def _unknown(value: object) -> str:
    if isinstance(value, type) and issubclass(value, Family):
        return f"family={value.__name__} is a class: write family={value.name!r}, or {value.__name__}() with options."
    name = str(value).lower()
    if name in _LATER:
        return f"The family {value!r} is not available yet. Known: {', '.join(FAMILIES)}."
    if name in _ALIASES:
        return f"Unknown family {value!r}. Did you mean {_ALIASES[name]!r}?"
    return f"Unknown family {value!r}. {nearest(name, FAMILIES)}"
