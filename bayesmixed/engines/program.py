"""The NumPyro program of a model: priors on what users speak of, effects sampled explicitly, data as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..covariance import Covariance
from ..errors import FitError
from ..families import Family
from ..priors.default import rows_used
from ..priors.distributions import Kind, Prior
from ..priors.names import term_names

if TYPE_CHECKING:
    from ..model import Model


@dataclass(frozen=True)
class VectorSite:
    """One sample site for several parameters whose priors are of one kind; `members` are their positions."""

    name: str
    kind: Kind
    members: tuple[int, ...]


@dataclass(frozen=True)
class TermProgram:
    """The static part of one bar: names, sizes, covariance structure, kinds of priors, parameterisation."""

    tag: str
    n_columns: int
    n_levels: int
    covariance: Covariance
    sds: tuple[VectorSite, ...]
    correlation: tuple[str, Kind] | None
    centered: bool

    @property
    def effect_site(self) -> str:
        """"Subject_u" holds spherical effects, "Subject_b" effects over a power of their sds (1 minus the centring)."""
        return f"{self.tag}_{'b' if self.centered else 'u'}"


@dataclass(frozen=True)
class ExplicitProgram:
    """A NumPyro model with every effect sampled; hashable, so that equal structures share compiled code.

    Call it as ``program(**data)`` inside a NumPyro handler. It returns the natural parameters: `beta`
    (p,) for columns as the user wrote them, `sds` and `effects` per bar ((k,) and (levels, k)),
    `factors` (k, k), the Cholesky factors of the covariances, and `dispersion` by name.
    """

    family: Family
    intercept: str | None
    intercept_position: int
    intercept_kind: Kind | None
    coefficients: tuple[VectorSite, ...]
    n_slopes: int
    terms: tuple[TermProgram, ...]
    dispersion: tuple[tuple[str, Kind], ...]
    constants: tuple[str, ...]

    def __call__(self, **data: Any) -> dict[str, Any]:
        """Sample the parameters and condition on ``data["y"]``."""
        import numpyro

        natural = self.parameters(**data)
        eta = data["offset"] + natural.pop("fixed")
        for Z, codes, effects in zip(data["Z"], data["codes"], natural["effects"], strict=True):
            eta = eta + (Z * effects[codes]).sum(-1)
        mu = self.family.link.inverse(eta)
        numpyro.sample(
            "y", self.family.distribution(mu, natural["dispersion"], data.get("weights")).to_event(1), obs=data["y"]
        )
        return natural

    def parameters(self, **data: Any) -> dict[str, Any]:
        """Sample every parameter from its prior; `fixed` (n,) is the fixed part of eta without offset."""
        fixed, beta = self._coefficients(data)
        blocks = [self._block(*pair, data["priors"]) for pair in zip(self.terms, data["centering"], strict=True)]
        return {
            "fixed": fixed,
            "beta": beta,
            "sds": tuple(block[0] for block in blocks),
            "factors": tuple(block[1] for block in blocks),
            "effects": tuple(block[2] for block in blocks),
            "dispersion": self._dispersion(data),
        }

    def _coefficients(self, data: dict[str, Any]) -> tuple[Any, Any]:
        import jax.numpy as jnp

        slopes = _sample_vector(self.coefficients, self.n_slopes, data["priors"])
        fixed = data["X"] @ slopes
        if self.intercept is None or self.intercept_kind is None:
            return fixed, slopes
        intercept = _sample(self.intercept, self.intercept_kind, data["priors"])
        raw = intercept - data["means"] @ slopes
        at = self.intercept_position
        return fixed + intercept, jnp.concatenate([slopes[:at], raw[None], slopes[at:]])

    def _block(self, term: TermProgram, power: Any, priors: dict[str, Any]) -> tuple[Any, Any, Any]:
        import numpyro
        import numpyro.distributions as dist

        sds = _sample_vector(term.sds, term.n_columns, priors)
        factor = self._factor(term, sds, priors)
        if term.centered:
            rest = sds ** (1 - power)
            normal = dist.MultivariateNormal(np.zeros(term.n_columns), scale_tril=factor / rest[:, None])
            scaled = numpyro.sample(term.effect_site, normal.expand([term.n_levels]).to_event(1))
            return sds, factor, scaled * rest
        spherical = dist.Normal(0.0, 1.0).expand([term.n_levels, term.n_columns]).to_event(2)
        return sds, factor, numpyro.sample(term.effect_site, spherical) @ factor.T

    def _factor(self, term: TermProgram, sds: Any, priors: dict[str, Any]) -> Any:
        if term.n_columns == 1:
            return sds[:, None]
        name, kind = term.correlation or ("", None)
        return term.covariance.sample(sds, term.n_columns, name, kind and kind.build(priors[name]))

    def _dispersion(self, data: dict[str, Any]) -> dict[str, Any]:
        held = {name: data["constants"][name] for name in self.constants}
        return held | {name: _sample(name, kind, data["priors"]) for name, kind in self.dispersion}


@dataclass(frozen=True)
class Program:
    """A model as NumPyro sees it.

    Attributes
    ----------
    function
        The NumPyro model; call it as ``function(**data)`` inside ``with bm.x64():``.
    data
        Its arguments: arrays (and nested dicts and tuples of arrays), never closed over.
    sites
        What each sample site means, by name.
    """

    function: ExplicitProgram
    data: dict[str, Any]
    sites: dict[str, str]


def build_program(
    model: Model, collapsed: str | bool = "auto", centering: Sequence[np.ndarray] | None = None
) -> Program:
    """The program of a Gaussian mixed model with explicit effects.

    Parameters
    ----------
    model
        Any model whose distributional parameters are constants (one predictor, `mu`).
    collapsed
        "auto" or False: effects are sampled. (Other routes do not exist yet.)
    centering
        Per bar a vector (k,) between 0 and 1. All zero, or None: spherical effects are sampled. Else b over
        sds^(1 - centering) is: at 1 the effects themselves, between them part of the way (Gorinova, Moore
        & Hoffman 2020, Automatic reparameterisation of probabilistic programs).

    Raises
    ------
    FitError
        For a collapsed program, or a model with several predictors.
    """
    if collapsed not in ("auto", False):
        raise FitError(f"collapsed={collapsed!r} is not available yet. Use collapsed=False: effects are sampled.")
    if len(model.design.predictors) > 1:
        raise FitError("NUTS takes one predictor so far; this model predicts " + ", ".join(model.design.predictors))
    if centering is None:
        centering = [np.zeros(len(group.columns)) for group in model.design.groups]
    function, priors = _structure(model, tuple(bool(np.any(power > 0)) for power in centering))
    return Program(function, _data(model, function, priors, tuple(centering)), _sites(model, function))


def _structure(model: Model, centered: tuple[bool, ...]) -> tuple[ExplicitProgram, dict[str, Any]]:
    mu = model.design.mu
    priors: dict[str, Any] = {}
    slopes = [c for c in mu.coefficients if c != "Intercept"]
    coefficients = _vector_sites("b", slopes, model.priors, priors)
    intercept = next((n for n in ("Intercept", "Intercept_centered") if n in model.priors), None)
    if not mu.has_intercept:
        intercept = None
    terms = tuple(_term(model, i, flag, priors) for i, flag in enumerate(centered))
    free = [name for name in model.family.dispersion if name not in model.constants]
    for name in [*([intercept] if intercept else []), *free]:
        priors[name] = model.priors[name].values
    program = ExplicitProgram(
        family=model.family,
        intercept=intercept,
        intercept_position=mu.coefficients.index("Intercept") if intercept else -1,
        intercept_kind=model.priors[intercept].kind if intercept else None,
        coefficients=coefficients,
        n_slopes=len(slopes),
        terms=terms,
        dispersion=tuple((name, model.priors[name].kind) for name in free),
        constants=tuple(name for name in model.family.dispersion if name in model.constants),
    )
    return program, priors


def _term(model: Model, i: int, centered: bool, priors: dict[str, Any]) -> TermProgram:
    group, names = model.design.groups[i], term_names(model.design.groups)[i]
    correlation = None
    if names.correlation is not None:
        correlation = (names.correlation, model.priors[names.correlation].kind)
        priors[names.correlation] = model.priors[names.correlation].values
    return TermProgram(
        tag=names.tag,
        n_columns=len(group.columns),
        n_levels=group.n_levels,
        covariance=model.covariances[i],
        sds=_vector_sites(names.all_sds, names.sds, model.priors, priors),
        correlation=correlation,
        centered=centered,
    )


def _vector_sites(
    whole: str, names: Sequence[str], chosen: Any, priors: dict[str, Any]
) -> tuple[VectorSite, ...]:
    """Group parameters by the kind of their prior; puts the stacked numbers into `priors`."""
    groups: dict[Any, list[int]] = {}
    for i, name in enumerate(names):
        kind = chosen[name].kind
        groups.setdefault(kind if chosen[name].stacks else (kind, i), []).append(i)
    sites = []
    for members in groups.values():
        first: Prior = chosen[names[members[0]]]
        # A parameter with a kind of prior of its own is a site under its own name.
        single = names[members[0]] if len(members) == 1 else f"{whole}_{type(first).__name__}"
        name = whole if len(groups) == 1 else single
        priors[name] = _stacked([chosen[names[i]] for i in members])
        sites.append(VectorSite(name, first.kind, tuple(members)))
    return tuple(sites)


def _stacked(priors: list[Prior]) -> dict[str, Any]:
    """The numbers of several priors of one kind as vectors; those of one that does not stack as they are."""
    if not priors[0].stacks:
        return priors[0].values
    return {key: np.array([prior.values[key] for prior in priors]) for key in priors[0].values}


def _sample(name: str, kind: Kind, priors: dict[str, Any]) -> Any:
    import numpyro

    return numpyro.sample(name, kind.build(priors[name]))


def _sample_vector(sites: tuple[VectorSite, ...], n: int, priors: dict[str, Any]) -> Any:
    """The vector (n,) that several vector sites make together."""
    import jax.numpy as jnp
    import numpyro

    vector = jnp.zeros(n)
    for site in sites:
        distribution = site.kind.build(priors[site.name]).expand([len(site.members)]).to_event(1)
        value = numpyro.sample(site.name, distribution)
        vector = value if len(sites) == 1 else vector.at[np.array(site.members)].set(value)
    return vector


def _data(
    model: Model, program: ExplicitProgram, priors: dict[str, Any], centering: tuple[np.ndarray, ...]
) -> dict[str, Any]:
    design = model.design
    # Rows of weight zero have no density (an infinite sd) and say nothing.
    used = rows_used(design)
    slopes = [j for j, name in enumerate(design.mu.coefficients) if name != "Intercept"]
    X = design.mu.X[used][:, slopes]
    means = X.mean(axis=0) if program.intercept == "Intercept_centered" else np.zeros(len(slopes))
    data: dict[str, Any] = {
        "y": _response(model)[used],
        "X": X - means,
        "means": means,
        "offset": design.mu.offset[used],
        "Z": tuple(group.Z[used] for group in design.groups),
        "codes": tuple(group.codes[used] for group in design.groups),
        "priors": priors,
        "centering": centering,
        "constants": {name: float(model.constants[name]) for name in program.constants},
    }
    if design.weights is not None:
        data["weights"] = design.weights[used]
    return data


def _response(model: Model) -> np.ndarray:
    if model.design.response is None:
        raise FitError("This model has no response to condition on. Build it from a table that has one.")
    return model.design.response.y


def _sites(model: Model, program: ExplicitProgram) -> dict[str, str]:
    slopes = [c for c in model.design.mu.coefficients if c != "Intercept"]
    meaning = {}
    if program.intercept:
        at = "their means" if program.intercept == "Intercept_centered" else "zero"
        meaning[program.intercept] = f"eta where all other columns are at {at}"
    for site in program.coefficients:
        meaning[site.name] = "coefficients of " + ", ".join(slopes[i] for i in site.members)
    for term, group in zip(program.terms, model.design.groups, strict=True):
        columns = ["1" if c == "Intercept" else c for c in group.columns]
        for site in term.sds:
            meaning[site.name] = f"sds of ({', '.join(columns[i] for i in site.members)} | {group.factor})"
        if term.correlation:
            bar = f"({', '.join(columns)} | {group.factor})"
            meaning[term.correlation[0]] = f"Cholesky factor of the correlation of {bar}"
        kind = "effects over sds^(1 - centering)" if term.centered else "spherical effects u, b = u factor',"
        meaning[term.effect_site] = f"{kind} of {group.factor} (levels x columns)"
    for name, _ in program.dispersion:
        meaning[name] = f"{name} of the {model.family.name} family"
    return meaning
