"""Vector sites: how several parameters whose priors are of one kind become one sample site of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...priors.distributions import Kind, Prior


@dataclass(frozen=True)
class VectorSite:
    """One sample site for several parameters whose priors are of one kind; `members` are their positions."""

    name: str
    kind: Kind
    members: tuple[int, ...]


def vector_sites(
    whole: str, names: Sequence[str], which: Sequence[int], chosen: Mapping[str, Prior], priors: dict[str, Any]
) -> tuple[VectorSite, ...]:
    """Group the parameters at positions `which` by the kind of their prior; puts the stacked numbers into `priors`."""
    groups: dict[Any, list[int]] = {}
    for i in which:
        kind = chosen[names[i]].kind
        groups.setdefault(kind if chosen[names[i]].stacks else (kind, i), []).append(i)
    sites = []
    for members in groups.values():
        first: Prior = chosen[names[members[0]]]
        # A parameter with a kind of prior of its own is a site under its own name.
        single = names[members[0]] if len(members) == 1 else f"{whole}_{type(first).__name__}"
        name = whole if len(members) == len(names) else single
        priors[name] = _stacked([chosen[names[i]] for i in members])
        sites.append(VectorSite(name, first.kind, tuple(members)))
    return tuple(sites)


def sample(name: str, kind: Kind, priors: dict[str, Any]) -> Any:
    """Inside a program: one site, of the shape its prior's numbers have."""
    import numpyro

    return numpyro.sample(name, kind.build(priors[name]))


def sample_vector(sites: tuple[VectorSite, ...], n: int, priors: dict[str, Any]) -> Any:
    """Inside a program: the vector (n,) that several vector sites make together, zero elsewhere."""
    import jax.numpy as jnp
    import numpyro

    vector = jnp.zeros(n)
    for site in sites:
        distribution = site.kind.build(priors[site.name]).expand([len(site.members)]).to_event(1)
        value = numpyro.sample(site.name, distribution)
        vector = value if len(site.members) == n else vector.at[np.array(site.members)].set(value)
    return vector


def _stacked(priors: list[Prior]) -> dict[str, Any]:
    """The numbers of several priors of one kind as vectors; those of one that does not stack as they are."""
    if not priors[0].stacks:
        return priors[0].values
    return {key: np.array([prior.values[key] for prior in priors]) for key in priors[0].values}
