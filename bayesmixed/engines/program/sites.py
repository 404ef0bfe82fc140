"""The sample sites that every program of a model shares: coefficients, sds, correlations, dispersion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...covariance import Covariance
from ...priors.distributions import Kind, Prior
from ...priors.names import term_names

if TYPE_CHECKING:
    from ...model import Model


@dataclass(frozen=True)
class VectorSite:
    """One sample site for several parameters whose priors are of one kind; `members` are their positions."""

    name: str
    kind: Kind
    members: tuple[int, ...]


@dataclass(frozen=True)
class TermSites:
    """The static part of one bar: names, sizes, covariance structure, kinds of priors.

    `effect_site` is "Subject_u" for spherical effects, "Subject_b" for effects over a power of their sds,
    None where the effects are integrated out.
    """

    tag: str
    n_columns: int
    n_levels: int
    covariance: Covariance
    sds: tuple[VectorSite, ...]
    correlation: tuple[str, Kind] | None
    effect_site: str | None

    @property
    def centered(self) -> bool:
        """Whether effects over a power of their sds are sampled."""
        return self.effect_site is not None and self.effect_site.endswith("_b")

    def sample(self, priors: dict[str, Any]) -> tuple[Any, Any]:
        """Inside a program: sds (k,) and the Cholesky factor (k, k) of the covariance."""
        sds = sample_vector(self.sds, self.n_columns, priors)
        if self.n_columns == 1:
            return sds, sds[:, None]
        name, kind = self.correlation or ("", None)
        return sds, self.covariance.sample(sds, self.n_columns, name, kind and kind.build(priors[name]))


@dataclass(frozen=True)
class DispersionSites:
    """Free dispersion parameters with the kinds of their priors, and those held constant."""

    free: tuple[tuple[str, Kind], ...]
    held: tuple[str, ...]

    def sample(self, data: dict[str, Any]) -> dict[str, Any]:
        """Inside a program: every dispersion parameter by name."""
        held = {name: data["constants"][name] for name in self.held}
        return held | {name: sample(name, kind, data["priors"]) for name, kind in self.free}


def term_sites(model: Model, i: int, effect: str | None, priors: dict[str, Any]) -> TermSites:
    """The sites of bar `i`; `effect` is "u", "b" or None. Puts the numbers of its priors into `priors`."""
    group, every = model.design.groups[i], term_names(model.design.groups)
    names = every[i]
    earlier = sum(other.tag == names.tag for other in every[:i])
    again = f"#{earlier + 1}" if earlier else ""  # a further bar on one factor has sites of its own
    correlation = None
    if names.correlation is not None:
        correlation = (names.correlation, model.priors[names.correlation].kind)
        priors[names.correlation] = model.priors[names.correlation].values
    return TermSites(
        tag=names.tag,
        n_columns=len(group.columns),
        n_levels=group.n_levels,
        covariance=model.covariances[i],
        sds=vector_sites(names.all_sds + again, names.sds, range(len(names.sds)), model.priors, priors),
        correlation=correlation,
        effect_site=None if effect is None else f"{names.tag}{again}_{effect}",
    )


def dispersion_sites(model: Model, priors: dict[str, Any]) -> DispersionSites:
    """The dispersion parameters of the family. Puts the numbers of their priors into `priors`."""
    free = [name for name in model.family.dispersion if name not in model.constants]
    priors |= {name: model.priors[name].values for name in free}
    held = tuple(name for name in model.family.dispersion if name in model.constants)
    return DispersionSites(tuple((name, model.priors[name].kind) for name in free), held)


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
    """Inside a program: one scalar site."""
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


def population_meanings(
    model: Model, intercept: str | None, coefficients: Sequence[VectorSite], terms: Sequence[TermSites]
) -> dict[str, str]:
    """What the sites mean, in words."""
    slopes = [c for c in model.design.mu.coefficients if c != "Intercept"]
    meaning = {}
    if intercept:
        at = "their means" if intercept == "Intercept_centered" else "zero"
        meaning[intercept] = f"eta where all other columns are at {at}"
    for site in coefficients:
        meaning[site.name] = "coefficients of " + ", ".join(slopes[i] for i in site.members)
    for term, group in zip(terms, model.design.groups, strict=True):
        columns = ["1" if c == "Intercept" else c for c in group.columns]
        for site in term.sds:
            meaning[site.name] = f"sds of ({', '.join(columns[i] for i in site.members)} | {group.factor})"
        if term.correlation:
            bar = f"({', '.join(columns)} | {group.factor})"
            meaning[term.correlation[0]] = f"Cholesky factor of the correlation of {bar}"
        if term.effect_site:
            kind = "effects over sds^(1 - centering)" if term.centered else "spherical effects u, b = u factor',"
            meaning[term.effect_site] = f"{kind} of {group.factor} (levels x columns)"
    for name in model.family.dispersion:
        if name not in model.constants:
            meaning[name] = f"{name} of the {model.family.name} family"
    return meaning
