"""The program with every effect sampled: conditional density times priors, data as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...families import Family, observed
from ...priors.distributions import Kind
from ...priors.origin import stated_rows
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
from .vectors import VectorSite, sample, sample_vector, vector_sites

if TYPE_CHECKING:
    from ...model import Model


@dataclass(frozen=True)
class ExplicitProgram:
    """A NumPyro model with every effect sampled; hashable, so that equal structures share compiled code.

    Call it as ``program(**data)`` inside a NumPyro handler. It returns what `parameters` does but `fixed`. `constant`
    says per bar which columns are ones.
    """

    family: Family
    intercept: str | None
    intercept_position: int
    intercept_kind: Kind | None
    coefficients: tuple[VectorSite, ...]
    n_slopes: int
    terms: tuple[TermSites, ...]
    constant: tuple[tuple[bool, ...], ...]
    dispersion: DispersionSites

    def __call__(self, **data: Any) -> dict[str, Any]:
        """Sample the parameters and condition on ``data["y"]``."""
        found = self.parameters(**data)
        eta = data["offset"] + found.pop("fixed")
        bars = zip(found["effects"], data["codes"], data["tables"], data["Z"], self.constant, strict=True)
        for effects, codes, table, columns, constant in bars:
            eta = eta + spread(effects, codes, table, columns, constant)
        sample_response(self.family, eta, found["dispersion"], data)
        return found

    def parameters(self, **data: Any) -> dict[str, Any]:
        """Sample every parameter from its prior.

        `beta` (p,) for columns as the user wrote them, `fixed` (n,) the fixed part of eta without offset; per bar
        `factors` (k, k), roots of the covariances, and `effects` (levels, k); `dispersion` by name.
        """
        fixed, beta = self._coefficients(data)
        dispersion = self.dispersion.sample(data)
        scale = self.dispersion.scale_of(dispersion)
        bars = zip(self.terms, data["centering"], data["origins"], strict=True)
        blocks = []
        for term, power, A in bars:
            sds, factor = term.sample(scale, data["priors"])
            effects = term.typed_effects(term.sample_effects(sds, factor, power), A)
            blocks.append((term.typed_factor(factor, A), effects))
        return {
            "fixed": fixed,
            "beta": beta,
            "factors": tuple(block[0] for block in blocks),
            "effects": tuple(block[1] for block in blocks),
            "dispersion": dispersion,
        }

    def complete(self, found: dict[str, Any], key: Any, data: dict[str, Any]) -> dict[str, Any]:
        """What `Parameters` have of a draw: here it was all sampled."""
        return {
            "coefficients": {"mu": found["beta"]},
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
        return "explicit" + (f" ({', '.join(ways)})" if ways else "")

    def sentence(self, data: dict[str, Any]) -> str:
        """How effects are treated, as a sentence."""
        if not self.terms:
            return "Every coefficient was sampled."
        pairs = zip(self.terms, data["centering"], strict=True)
        ways = "; ".join(dict.fromkeys(f"{term.tag}: {centring_word(power)}" for term, power in pairs))
        return f"Every coefficient and effect was sampled (effects of {ways})."

    def _coefficients(self, data: dict[str, Any]) -> tuple[Any, Any]:
        import jax.numpy as jnp

        slopes = sample_vector(self.coefficients, self.n_slopes, data["priors"])
        fixed = slopes @ data["columns"]
        if self.intercept is None or self.intercept_kind is None:
            return fixed, data["typed"] @ slopes
        intercept = sample(self.intercept, self.intercept_kind, data["priors"])
        at = self.intercept_position
        stated = jnp.concatenate([slopes[:at], jnp.asarray(intercept)[None], slopes[at:]])
        return fixed + intercept, data["typed"] @ stated


def explicit_program(model: Model, centering: Sequence[np.ndarray]) -> tuple[ExplicitProgram, dict[str, Any]]:
    """The program and its arguments; `centering` as in `build_program`."""
    mu = model.design.mu
    priors: dict[str, Any] = {}
    slopes = [c for c in mu.coefficients if c != "Intercept"]
    coefficients = vector_sites("b", slopes, range(len(slopes)), model.priors, priors)
    intercept = next((n for n in ("Intercept", "Intercept_centered") if n in model.priors), None)
    intercept = intercept if mu.has_intercept else None
    if intercept:
        priors[intercept] = model.priors[intercept].values
    effects = ["b" if np.any(power > 0) else "u" for power in centering]
    rows = model.design.used
    program = ExplicitProgram(
        family=model.family,
        intercept=intercept,
        intercept_position=mu.coefficients.index("Intercept") if intercept else -1,
        intercept_kind=model.priors[intercept].kind if intercept else None,
        coefficients=coefficients,
        n_slopes=len(slopes),
        terms=tuple(term_sites(model, i, effect, priors) for i, effect in enumerate(effects)),
        constant=tuple(tuple(map(bool, np.all(group.Z[rows] == 1.0, axis=0))) for group in model.design.groups),
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
    slopes = [j for j, name in enumerate(design.mu.coefficients) if name != "Intercept"]
    stated = stated_rows(design, model.priors)
    typed = np.linalg.inv(stated)
    X = _about(design.mu.X[used], typed)[:, slopes]
    bars = zip(design.groups, program.constant, strict=True)
    codes = tuple(np.ascontiguousarray(group.codes[used], dtype=np.int32) for group in design.groups)
    data: dict[str, Any] = {
        "y": seen.y,
        "constant": np.sum(model.family.constant(seen)),
        "columns": np.ascontiguousarray(X.T),
        "stated": stated,
        "typed": typed,
        "offset": design.mu.offset[used],
        "Z": tuple(np.ascontiguousarray(group.Z[used][:, ~np.array(ones)].T) for group, ones in bars),
        "codes": codes,
        "tables": tuple(level_rows(c, group.n_levels) for c, group in zip(codes, design.groups, strict=True)),
        "priors": priors,
        "centering": centering,
        "origins": origin_arrays(model),
        "constants": {name: float(model.constants[name]) for name in program.dispersion.held},
    }
    extra = {"weights": seen.weights, "trials": seen.trials}
    return data | {name: value for name, value in extra.items() if value is not None}


def _about(X: np.ndarray, typed: np.ndarray) -> np.ndarray:
    """X typed (n, p), the columns whose coefficients are the stated ones, the means subtracted first."""
    means = X.mean(axis=0)
    return (X - means) @ typed + means @ typed
