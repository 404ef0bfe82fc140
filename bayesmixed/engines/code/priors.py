"""The lines of a script that sample parameters from their priors, with a comment on what they are and whose priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...describe.prior_summary import sized, unit_words
from ...interop.naming import safe
from ...page import listed
from ...priors.distributions import Distribution
from .distributions import written
from .scope import comment, quoted

if TYPE_CHECKING:
    from ...model import Model
    from ...priors.distributions import Prior

SHOWN = 3  # intervals of a vector of parameters in one comment
CENTRAL = np.array([0.025, 0.975])
SOURCES = {"default": "default prior", "user": "your prior"}


@dataclass(frozen=True)
class PriorLines:
    """The lines for the parameters of one model."""

    model: Model

    def one(self, variable: str, site: str, name: str, what: str) -> list[str]:
        """Of the parameter called `name` in priors: sampled as `site`."""
        return self.of(self.model.priors.distribution(name), variable, site, name, what)

    def of(self, prior: Distribution, variable: str, site: str, name: str, what: str) -> list[str]:
        """The same with a prior that is part of the one called `name`."""
        return [*self._comment([name], [prior], what), sampled(variable, site, _text(prior, name))]

    def several(self, variable: str, site: str, names: Sequence[str], what: str) -> list[str]:
        """Of a vector of parameters whose priors are of one kind, or else of each."""
        priors = [self.model.priors.distribution(name) for name in names]
        said = self._comment(names, priors, what)
        first = priors[0]
        if first.stacks and all(prior.kind == first.kind for prior in priors):
            same = all(prior == first for prior in priors)
            together = first if same else first.kind.with_numbers(_stacked(priors))
            expanded = f".expand([{len(names)}])" if same or not first.values else ""
            return [*said, sampled(variable, site, f"{_text(together, names[0])}{expanded}.to_event(1)")]
        parts = [f"numpyro.sample({quoted(safe(n))}, {_text(p, n)})," for n, p in zip(names, priors, strict=True)]
        stacked = f"{variable} = numpyro.deterministic({quoted(site)}, jnp.stack(["
        return [*said, stacked, *(f"    {part}" for part in parts), "]))"]

    def _comment(self, names: Sequence[str], priors: Sequence[Distribution], what: str) -> list[str]:
        """What they are, their units, where 95 % of their priors lies, and where these come from."""
        known = unit_words(self.model)
        unit = listed(list(dict.fromkeys(filter(None, (known.get(name, "") for name in names)))))
        ranges = list(dict.fromkeys(map(_range, priors)))
        between = "; ".join([*ranges[:SHOWN], "..."] if len(ranges) > SHOWN else ranges)
        sources = listed(list(dict.fromkeys(self.source(name) for name in names)))
        return comment("; ".join(filter(None, (what, f"in {unit}" if unit else "", between, sources))))

    def source(self, name: str) -> str:
        """Whose prior it is."""
        source = self.model.priors.sources.get(name, "")
        return SOURCES.get(source, f'prior of the preset "{source}"' if source else "")


def sampled(variable: str, site: str, distribution: str) -> str:
    """The line that samples one site."""
    return f"{variable} = numpyro.sample({quoted(site)}, {distribution})"


def part(prior: Distribution, name: str) -> str:
    """The text of a prior of an array, as one event."""
    return _text(prior, name) + (".to_event(1)" if prior.stacks and prior.length is not None else "")


def _text(prior: Distribution, name: str) -> str:
    return written(prior.numpyro(), name, prior.written())


def _stacked(priors: Sequence[Prior]) -> dict[str, np.ndarray]:
    """The numbers of several priors as vectors, those that all share as one number."""
    found = {key: np.array([float(prior.values[key]) for prior in priors]) for key in priors[0].values}
    return {key: values[0] if np.all(values == values[0]) else values for key, values in found.items()}


def _range(prior: Distribution) -> str:
    if not prior.proper:
        return prior.describe()
    low, high = (sized(float(end)) for end in np.broadcast_to(prior.quantile(CENTRAL), 2))
    return f"95 % between {low} and {high}"
