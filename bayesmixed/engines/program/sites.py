"""The sample sites that every program of a model shares: coefficients, sds, correlations, dispersion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...covariance import Covariance, Values
from ...parameters.names import term_names
from ...parameters.values import compact
from ...priors.distributions import Kind
from ...priors.origin import origins
from ...priors.shapes import shape_prior
from .coefficients import CoefficientSites
from .spreads import Spread, spread
from .vectors import sample

if TYPE_CHECKING:
    from ...model import Model
    from ...parameters.names import TermNames
    from ...priors import Priors


@dataclass(frozen=True)
class TermSites:
    """The static part of one bar: names, sizes, covariance structure, how its sds and shapes are sampled.

    `effect_site` is "Subject_u" for spherical effects, "Subject_b" for effects over a power of their sds,
    None where the effects are integrated out. `moved` says that all of them are those of columns with another origin
    than the one typed, as `priors.origin` has it.
    """

    tag: str
    n_columns: int
    n_levels: int
    covariance: Covariance
    spread: Spread
    shapes: tuple[tuple[str, Kind], ...]
    effect_site: str | None
    moved: bool

    @property
    def centered(self) -> bool:
        """Whether effects over a power of their sds are sampled."""
        return self.effect_site is not None and self.effect_site.endswith("_b")

    def sample(self, scale: Any, priors: dict[str, Any]) -> tuple[Any, Any]:
        """Inside a program: sds (k,) and the Cholesky factor (k, k) of the covariance; `scale` as in `Spread`."""
        import jax.numpy as jnp

        sds = self.spread.sample(scale, priors)
        shapes = tuple(sample(name, kind, priors) for name, kind in self.shapes)
        factor = self.covariance.factor_from(Values(sds, shapes), self.n_columns, jnp)
        own = self.covariance.parameters(self.n_columns).by_column
        return sds if own else jnp.sqrt(jnp.sum(factor**2, axis=1)), factor

    def typed_factor(self, factor: Any, A: Any) -> Any:
        """Inside a program: a root of the covariance for columns as typed, from the one that was sampled."""
        return A @ factor if self.moved else factor

    def typed_effects(self, effects: Any, A: Any) -> Any:
        """Inside a program: effects (levels, k) of columns as typed, from those that were sampled."""
        return effects @ A.T if self.moved else effects

    def sample_effects(self, sds: Any, factor: Any, power: Any) -> Any:
        """Inside a program: the effects (levels, k); `power` as centering in `build_program`."""
        import numpyro
        import numpyro.distributions as dist

        if self.centered:
            rest = sds ** (1 - power)
            if self.n_columns == 1:  # no triangular systems
                single = dist.Normal(0.0, sds / rest).expand([self.n_levels, 1]).to_event(2)
                return numpyro.sample(self.effect_site, single) * rest
            normal = dist.MultivariateNormal(np.zeros(self.n_columns), scale_tril=factor / rest[:, None])
            return numpyro.sample(self.effect_site, normal.expand([self.n_levels]).to_event(1)) * rest
        spherical = dist.Normal(0.0, 1.0).expand([self.n_levels, self.n_columns]).to_event(2)
        return numpyro.sample(self.effect_site, spherical) @ factor.T


@dataclass(frozen=True)
class DispersionSites:
    """Free dispersion parameters with the kinds of their priors, those held constant, and which one scales effects.

    They are sampled before the bars, whose sds may be relative to `scale` (None in a model without scale).
    """

    free: tuple[tuple[str, Kind], ...]
    held: tuple[str, ...]
    scale: str | None

    def sample(self, data: dict[str, Any]) -> dict[str, Any]:
        """Inside a program: every dispersion parameter by name."""
        held = {name: data["constants"][name] for name in self.held}
        return held | {name: sample(name, kind, data["priors"]) for name, kind in self.free}

    def scale_of(self, dispersion: Mapping[str, Any]) -> Any:
        """What relative sds are relative to: sigma, or 1."""
        return 1.0 if self.scale is None else dispersion[self.scale]


def term_sites(model: Model, i: int, effect: str | None, priors: dict[str, Any]) -> TermSites:
    """The sites of bar `i`; `effect` is "u", "b" or None. Puts the numbers of its priors into `priors`."""
    group, every = model.design.groups[i], term_names(model.design)
    names = every[i]
    earlier = sum(other.tag == names.tag for other in every[:i])
    again = f"#{earlier + 1}" if earlier else ""  # a further bar on one factor has sites of its own
    return TermSites(
        tag=names.tag,
        n_columns=len(group.columns),
        n_levels=group.n_levels,
        covariance=model.covariances[i],
        spread=spread(names, again, model.priors, priors),
        shapes=_shapes(names, model.priors, priors),
        effect_site=None if effect is None else f"{names.tag}{again}_{effect}",
        moved=origins(model)[i] is not None,
    )


def compact_factors(terms: Sequence[TermSites], factors: Sequence[Any]) -> tuple[Any, ...]:
    """Inside a program: roots (k, k) of the covariances of all bars as `Parameters` hold them."""
    return tuple(compact(factor, term.covariance) for factor, term in zip(factors, terms, strict=True))


def origin_arrays(model: Model) -> tuple[np.ndarray, ...]:
    """Per bar the A (k, k) with b = A b_c, the identity where columns are as typed: an argument of every program."""
    pairs = zip(origins(model), model.design.groups, strict=True)
    return tuple(np.eye(len(group.columns)) if A is None else A for A, group in pairs)


def _shapes(names: TermNames, chosen: Priors, priors: dict[str, Any]) -> tuple[tuple[str, Kind], ...]:
    found = {name: shape_prior(chosen, names, place) for place, name in enumerate(names.shapes)}
    priors |= {name: prior.values for name, prior in found.items() if prior is not None}
    return tuple((name, prior.kind) for name, prior in found.items() if prior is not None)


def dispersion_sites(model: Model, priors: dict[str, Any]) -> DispersionSites:
    """The dispersion parameters that have no predictor. Puts the numbers of their priors into `priors`."""
    priors |= {name: model.priors[name].values for name in model.free}
    held = tuple(name for name in model.dispersion if name in model.constants)
    kinds = tuple((name, model.priors[name].kind) for name in model.free)
    return DispersionSites(kinds, held, scale="sigma" if model.has_scale else None)


def population_meanings(
    model: Model, predictors: Sequence[CoefficientSites], terms: Sequence[TermSites]
) -> dict[str, str]:
    """What the sites mean, in words."""
    meaning: dict[str, str] = {}
    for sites in predictors:
        meaning |= sites.meanings(model.design.predictors[sites.predictor].names)
    for term, group in zip(terms, model.design.groups, strict=True):
        columns = ["1" if c == "Intercept" else c for c in group.columns]
        bar = f"({', '.join(columns)} | {group.factor})"
        free = term.covariance.parameters(term.n_columns)
        about = [", ".join(columns[i] for i in sd.columns) for sd in free.sds]
        meaning |= term.spread.meanings(about, group.factor)
        for (name, _), shape in zip(term.shapes, free.shapes, strict=True):
            meaning[name] = f"{shape.sampled} of {bar}"
        if term.effect_site:
            kind = "effects over sds^(1 - centering)" if term.centered else "spherical effects u, b = u factor',"
            meaning[term.effect_site] = f"{kind} of {group.factor} (levels x columns)"
    return meaning | {name: f"{name} of the {model.family.name} family" for name in model.free}


def effect_factors(terms: Sequence[TermSites]) -> tuple[tuple[str, ...], ...]:
    """Per factor the sites that hold effects of its levels."""
    found: dict[str, list[str]] = {}
    for term in terms:
        if term.effect_site:
            found.setdefault(term.tag, []).append(term.effect_site)
    return tuple(tuple(sites) for sites in found.values())


def centring_word(power: np.ndarray) -> str:
    """How effects with this centering (k,) are sampled, in a word or two."""
    if np.all(power == 0):
        return "non-centred"
    return "centred" if np.all(power == 1) else "partly centred"
