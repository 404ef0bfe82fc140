"""The program with every effect sampled: conditional density times priors, data as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...families import Family, observed
from ...families.numeric.arrays import jax_arrays
from .coefficients import CoefficientSites, coefficient_sites, predictor_arrays
from .response_site import level_rows, sample_response, spread
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
    from ...model import Model


@dataclass(frozen=True)
class ExplicitProgram:
    """A NumPyro model with every effect sampled; hashable, so that equal structures share compiled code.

    Call it as ``program(**data)`` inside a NumPyro handler. It returns what `parameters` does but `rows`. `predictors`
    are those of the coefficients, the main one first; `constant` says per bar which columns are ones.
    """

    family: Family
    predictors: tuple[CoefficientSites, ...]
    terms: tuple[TermSites, ...]
    constant: tuple[tuple[bool, ...], ...]
    dispersion: DispersionSites

    def __call__(self, **data: Any) -> dict[str, Any]:
        """Sample the parameters and condition on ``data["y"]``."""
        found = self.parameters(**data)
        rows = found.pop("rows")
        eta = rows.pop("mu")
        bars = zip(found["effects"], data["codes"], data["tables"], data["Z"], self.constant, strict=True)
        for effects, codes, table, columns, constant in bars:
            eta = eta + spread(effects, codes, table, columns, constant)
        by_row = {name: self.family.parameter(name).link.inverse(each, jax_arrays()) for name, each in rows.items()}
        sample_response(self.family, eta, found["dispersion"] | by_row, data)
        return found

    def parameters(self, **data: Any) -> dict[str, Any]:
        """Sample every parameter from its prior.

        By predictor `stated` (p,), the coefficients that priors speak of, and `rows` (n,), what they make of the rows;
        per bar `factors` (k, k), roots of the covariances, and `effects` (levels, k); `dispersion` by name.
        """
        drawn = [(sites, *sites.sample(data["priors"])) for sites in self.predictors]
        dispersion = self.dispersion.sample(data)
        scale = self.dispersion.scale_of(dispersion)
        bars = zip(self.terms, data["centering"], data["origins"], strict=True)
        blocks = []
        for term, power, A in bars:
            sds, factor = term.sample(scale, data["priors"])
            effects = term.typed_effects(term.sample_effects(sds, factor, power), A)
            blocks.append((term.typed_factor(factor, A), effects))
        return {
            "stated": {sites.predictor: sites.joined(slopes, at) for sites, slopes, at in drawn},
            "rows": {sites.predictor: sites.rows(slopes, at, data) for sites, slopes, at in drawn},
            "factors": tuple(block[0] for block in blocks),
            "effects": tuple(block[1] for block in blocks),
            "dispersion": dispersion,
        }

    def complete(self, found: dict[str, Any], key: Any, data: dict[str, Any]) -> dict[str, Any]:
        """What `Parameters` have of a draw: here it was all sampled."""
        return {
            "coefficients": {name: data["typed"][name] @ stated for name, stated in found["stated"].items()},
            "factors": compact_factors(self.terms, found["factors"]),
            "b": found["effects"],
            "dispersion": found["dispersion"],
        }

    @property
    def effect_factors(self) -> tuple[tuple[str, ...], ...]:
        """Per factor the sites that hold effects of its levels."""
        return effect_factors(self.terms)

    @property
    def levels_independent(self) -> bool:
        """Whether levels of one factor are independent given everything else."""
        return True

    @property
    def batches(self) -> bool:
        """Whether `complete` may be batched over draws; here it only sorts out what was sampled."""
        return True

    def route(self, data: dict[str, Any]) -> str:
        """How effects are treated, in words."""
        ways = [f"{t.tag} {centring_word(power)}" for t, power in zip(self.terms, data["centering"], strict=True)]
        ways += [f"{sites.predictor} has a predictor" for sites in self.predictors[1:]]
        return "explicit" + (f" ({', '.join(ways)})" if ways else "")

    def sentence(self, data: dict[str, Any]) -> str:
        """How effects are treated, as a sentence."""
        why = f", as {self.predictors[1].predictor} has a predictor" if self.predictors[1:] else ""
        if not self.terms:
            return f"Every coefficient was sampled{why}."
        pairs = zip(self.terms, data["centering"], strict=True)
        ways = "; ".join(dict.fromkeys(f"{term.tag}: {centring_word(power)}" for term, power in pairs))
        return f"Every coefficient and effect was sampled{why} (effects of {ways})."


def explicit_program(model: Model, centering: Sequence[np.ndarray]) -> tuple[ExplicitProgram, dict[str, Any]]:
    """The program and its arguments; `centering` as in `build_program`."""
    priors: dict[str, Any] = {}
    predictors = tuple(coefficient_sites(each, model.priors, priors) for each in model.design.predictors.values())
    effects = ["b" if np.any(power > 0) else "u" for power in centering]
    rows = model.design.used
    program = ExplicitProgram(
        family=model.family,
        predictors=predictors,
        terms=tuple(term_sites(model, i, effect, priors) for i, effect in enumerate(effects)),
        constant=tuple(tuple(map(bool, np.all(group.Z[rows] == 1.0, axis=0))) for group in model.design.mu.groups),
        dispersion=dispersion_sites(model, priors),
    )
    return program, _data(model, program, priors, tuple(centering))


def _data(
    model: Model, program: ExplicitProgram, priors: dict[str, Any], centering: tuple[np.ndarray, ...]
) -> dict[str, Any]:
    design = model.design
    # Rows of weight zero have no density (an infinite sd) and say nothing.
    used = design.used
    seen = observed(design, used)
    bars = zip(design.mu.groups, program.constant, strict=True)
    codes = tuple(np.ascontiguousarray(group.codes[used], dtype=np.int32) for group in design.mu.groups)
    data: dict[str, Any] = {
        "y": seen.y,
        "constant": np.sum(model.family.constant(seen)),
        **predictor_arrays(design, model.priors),
        "Z": tuple(np.ascontiguousarray(group.Z[used][:, ~np.array(ones)].T) for group, ones in bars),
        "codes": codes,
        "tables": tuple(level_rows(c, group.n_levels) for c, group in zip(codes, design.mu.groups, strict=True)),
        "priors": priors,
        "centering": centering,
        "origins": origin_arrays(model),
        "constants": {name: float(model.constants[name]) for name in program.dispersion.held},
    }
    extra = {"weights": seen.weights, "trials": seen.trials}
    return data | {name: value for name, value in extra.items() if value is not None}
