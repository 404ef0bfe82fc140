"""The program with effects and normal coefficients integrated out: NUTS sees sds, correlations and sigma."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...likelihood import collapsed as density
from ...likelihood.at import likelihood_of
from ...page import listed
from ...priors.origin import stated_rows
from .coefficients import CoefficientSites, coefficient_sites
from .sites import (
    DispersionSites,
    TermSites,
    centring_word,
    compact_factors,
    dispersion_sites,
    effect_factors,
    origin_arrays,
    term_sites,
)

if TYPE_CHECKING:
    from ...likelihood.linear.likelihood import LinearLikelihood
    from ...model import Model

MAX_TAIL = 256  # columns of the dense tail, factorised at every gradient
MAX_ELEMENTS = 20_000_000  # of the coupling of the largest factor with everything else, held densely (160 MB)
BATCHED_ELEMENTS = 10_000  # of a draw's largest array up to which a hundred draws are completed together


@dataclass(frozen=True)
class CollapsedProgram:
    """A NumPyro model whose likelihood is the collapsed Gaussian density; hashable, as `ExplicitProgram`.

    Bars whose `effect_site` is set are sampled (the partial route), the others integrated out; `complete` adds to a
    draw of its sites the exact draw of the rest.
    """

    predictors: tuple[CoefficientSites]
    terms: tuple[TermSites, ...]
    dispersion: DispersionSites
    layout: density.Layout

    def __call__(self, **data: Any) -> dict[str, Any]:
        """Sample the parameters and add the density of ``y``."""
        import numpyro

        found = self.parameters(**data)
        numpyro.factor("y", density.log_density(self.layout, data["gram"], _given(found)))
        return found

    def parameters(self, **data: Any) -> dict[str, Any]:
        """Sample factors, dispersion, and what is not integrated out: `kept` (p,), `held` effects per bar."""
        dispersion = self.dispersion.sample(data)
        scale = self.dispersion.scale_of(dispersion)
        blocks = [term.sample(scale, data["priors"]) for term in self.terms]
        bars = list(zip(self.terms, blocks, data["centering"], data["origins"], strict=True))
        return {
            "kept": self.predictors[0].joined(*self.predictors[0].sample(data["priors"])),
            "factors": tuple(term.typed_factor(block[1], A) for term, block, _, A in bars),
            "held": tuple(
                term.typed_effects(term.sample_effects(*block, power), A) if term.effect_site else None
                for term, block, power, A in bars
            ),
            "dispersion": dispersion,
        }

    def complete(self, found: dict[str, Any], key: Any, data: dict[str, Any]) -> dict[str, Any]:
        """What `Parameters` have of a draw, what was integrated out drawn from its normal conditional."""
        beta, drawn = density.draw(self.layout, data["gram"], _given(found), key)
        return {
            "coefficients": {"mu": beta},
            "factors": compact_factors(self.terms, found["factors"]),
            "b": tuple(b if held is None else held for b, held in zip(drawn, found["held"], strict=True)),
            "dispersion": found["dispersion"],
        }

    @property
    def effect_factors(self) -> tuple[tuple[str, ...], ...]:
        """Per factor the sites that hold effects of its levels."""
        return effect_factors(self.terms)

    @property
    def levels_independent(self) -> bool:
        """Whether levels of one factor are independent given everything else: not where effects are integrated out."""
        return False

    @property
    def batches(self) -> bool:
        """Whether `complete` may be batched over draws: without LAPACK calls, and small."""
        levels, k = self.layout.blocks[0][:2] if self.layout.blocks else (0, 0)
        return self.layout.system <= density.WRITTEN_OUT and levels * k * self.layout.system <= BATCHED_ELEMENTS

    def route(self, data: dict[str, Any]) -> str:
        """How effects are treated, in words."""
        count = len(self.layout.kept)
        kept = f", {count} coefficient{'s' * (count > 1)} sampled" if count else ""
        if not self.layout.held:
            return f"collapsed, full (tail of {self.layout.tail} columns{kept})"
        bars = zip(self.terms, data["centering"], strict=True)
        sampled = ", ".join(f"{term.tag} {centring_word(power)}" for term, power in bars if term.effect_site)
        return f"collapsed, partial ({self.layout.others} effects sampled: {sampled}{kept})"

    def sentence(self, data: dict[str, Any]) -> str:
        """How effects are treated, as a sentence."""
        count, p = len(self.layout.kept), self.predictors[0].size
        gone = list(dict.fromkeys(term.tag for term in self.terms if not term.effect_site))
        sampled = [tag for tag in dict.fromkeys(term.tag for term in self.terms) if tag not in gone]
        what = ["the random effects" if not sampled else f"the effects of {listed(gone)}"] if gone else []
        what += ["the coefficients" if not count else f"{p - count} of {p} coefficients"] if count < p else []
        others = [f"the effects of {listed(sampled)}"] if sampled else []
        others += [f"{count} coefficient{'s' * (count > 1)}"] if count else []
        if not what:
            return "Every coefficient was sampled."
        said = f"{listed(what)} were integrated out while sampling and drawn afterwards"
        rest = f"; {listed(others)} {'was' if others == ['1 coefficient'] else 'were'} sampled" if others else ""
        return f"{said[0].upper()}{said[1:]}{rest}."


def _given(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "factors": found["factors"],
        "sigma": found["dispersion"]["sigma"],
        "kept": found["kept"],
        "effects": found["held"],
    }


def why_not_full(model: Model) -> str | None:
    """The reason why effects cannot all be integrated out, None where they can."""
    if not model.has_scale:
        return _why_never(model)
    sizes = _sizes(model)
    if not sizes:
        return None
    largest = sizes[0]
    tail = sum(levels * k for levels, k in sizes[1:])
    if tail > MAX_TAIL:
        return f"{tail} effects remain beside the largest factor, more than {MAX_TAIL} (dense at every step)."
    if largest[0] * largest[1] * (tail + model.design.mu.X.shape[1] + 1) > MAX_ELEMENTS:
        return "the largest factor's cross-products with the rest would not fit."
    return None


def why_not_partial(model: Model) -> str | None:
    """The reason why the largest factor's effects cannot be integrated out alone, None where they can."""
    if not model.has_scale:
        return _why_never(model)
    if len(_sizes(model)) < 2:
        return "it samples the effects of all grouping factors but the largest, and there are fewer than two."
    return None


def _why_never(model: Model) -> str:
    if model.linear:
        return "sigma has a predictor, so that cross-products would be formed anew at every step."
    return "effects integrate out exactly only under a normal response with an identity link."


def _sizes(model: Model) -> list[tuple[int, int]]:
    """(levels, columns) of each grouping factor, all its bars together, the one that is eliminated first."""
    return [(block.n_levels, block.k) for block in likelihood_of(model).blocks]


def collapsed_program(
    model: Model, centering: Sequence[np.ndarray], *, held: bool
) -> tuple[CollapsedProgram, dict[str, Any]]:
    """The program and its arguments; `held`: sample the effects of all factors but the largest."""
    mu = model.design.mu
    priors: dict[str, Any] = {}
    names = [name if name in model.priors else f"{name}_centered" for name in mu.names]
    forms = [model.priors[n].normal_form for n in names]
    kept = tuple(j for j, form in enumerate(forms) if form is None)
    likelihood = likelihood_of(model)
    stated = stated_rows(model.design.mu, model.design.used, model.priors)
    gram = density.arrays(likelihood, stated, *_normal(forms), kept, held=held)
    sites = _effect_sites(likelihood, centering) if held else [None] * len(model.design.groups)
    program = CollapsedProgram(
        predictors=(coefficient_sites(mu, model.priors, priors, kept),),
        terms=tuple(term_sites(model, i, site, priors) for i, site in enumerate(sites)),
        dispersion=dispersion_sites(model, priors),
        layout=density.layout(likelihood, kept, held=held, sparse="pairs" in gram),
    )
    return program, {
        "priors": priors,
        "constants": {name: float(model.constants[name]) for name in program.dispersion.held},
        "stated": {"mu": stated},
        "centering": tuple(centering),
        "origins": origin_arrays(model),
        "gram": gram,
    }


def _effect_sites(likelihood: LinearLikelihood, centering: Sequence[np.ndarray]) -> list[str | None]:
    """How each bar's effects are sampled; None for those of the largest factor."""
    largest = likelihood.blocks[0].terms
    return [None if i in largest else ("b" if np.any(power > 0) else "u") for i, power in enumerate(centering)]


def _normal(forms: list[tuple[float, float] | None]) -> tuple[np.ndarray, np.ndarray]:
    """Means and precisions of the coefficients' priors, zero for those that are not normal."""
    pairs = np.array([(0.0, 0.0) if form is None else form for form in forms], dtype=float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
