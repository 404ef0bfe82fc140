"""The program with every effect sampled: conditional density times priors, data as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FitError
from ...families import Family
from ...priors.default import rows_used
from ...priors.distributions import Kind
from .sites import DispersionSites, TermSites, centring_word, dispersion_sites, term_sites
from .vectors import VectorSite, sample, sample_vector, vector_sites

if TYPE_CHECKING:
    from ...model import Model


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
    terms: tuple[TermSites, ...]
    dispersion: DispersionSites

    def __call__(self, **data: Any) -> dict[str, Any]:
        """Sample the parameters and condition on ``data["y"]``."""
        import numpyro

        natural = self.parameters(**data)
        eta = data["offset"] + natural.pop("fixed")
        for Z, codes, effects in zip(data["Z"], data["codes"], natural["effects"], strict=True):
            eta = eta + (Z * effects[codes]).sum(-1)
        mu = self.family.link.inverse(eta)
        distribution = self.family.distribution(mu, natural["dispersion"], data.get("weights"), data.get("trials"))
        numpyro.sample("y", distribution.to_event(1), obs=data["y"])
        return natural

    def parameters(self, **data: Any) -> dict[str, Any]:
        """Sample every parameter from its prior; `fixed` (n,) is the fixed part of eta without offset."""
        fixed, beta = self._coefficients(data)
        dispersion = self.dispersion.sample(data)
        scale = self.dispersion.scale_of(dispersion)
        bars = zip(self.terms, data["centering"], strict=True)
        blocks = []
        for term, power in bars:
            sds, factor = term.sample(scale, data["priors"])
            blocks.append((sds, factor, term.sample_effects(sds, factor, power)))
        return {
            "fixed": fixed,
            "beta": beta,
            "sds": tuple(block[0] for block in blocks),
            "factors": tuple(block[1] for block in blocks),
            "effects": tuple(block[2] for block in blocks),
            "dispersion": dispersion,
        }

    def complete(self, found: dict[str, Any], key: Any, data: dict[str, Any]) -> dict[str, Any]:
        """The natural parameters of a draw: here they are all among those sampled."""
        return {name: value for name, value in found.items() if name != "fixed"}

    @property
    def effect_sites(self) -> tuple[str, ...]:
        """The sites that hold effects of levels."""
        return tuple(term.effect_site for term in self.terms if term.effect_site)

    @property
    def batches(self) -> bool:
        """Whether `complete` may be batched over draws; here it only sorts out what was sampled."""
        return True

    def route(self, data: dict[str, Any]) -> str:
        """How effects are treated, in words."""
        ways = [f"{t.tag} {centring_word(power)}" for t, power in zip(self.terms, data["centering"], strict=True)]
        return "explicit" + (f" ({', '.join(ways)})" if ways else "")

    def _coefficients(self, data: dict[str, Any]) -> tuple[Any, Any]:
        import jax.numpy as jnp

        slopes = sample_vector(self.coefficients, self.n_slopes, data["priors"])
        fixed = data["X"] @ slopes
        if self.intercept is None or self.intercept_kind is None:
            return fixed, slopes
        intercept = sample(self.intercept, self.intercept_kind, data["priors"])
        raw = intercept - data["means"] @ slopes
        at = self.intercept_position
        return fixed + intercept, jnp.concatenate([slopes[:at], raw[None], slopes[at:]])


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
    program = ExplicitProgram(
        family=model.family,
        intercept=intercept,
        intercept_position=mu.coefficients.index("Intercept") if intercept else -1,
        intercept_kind=model.priors[intercept].kind if intercept else None,
        coefficients=coefficients,
        n_slopes=len(slopes),
        terms=tuple(term_sites(model, i, effect, priors) for i, effect in enumerate(effects)),
        dispersion=dispersion_sites(model, priors),
    )
    return program, _data(model, program, priors, tuple(centering))


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
        "constants": {name: float(model.constants[name]) for name in program.dispersion.held},
    }
    if design.weights is not None:
        data["weights"] = design.weights[used]
    return data


def _response(model: Model) -> np.ndarray:
    if model.design.response is None:
        raise FitError("This model has no response to condition on. Build it from a table that has one.")
    return model.design.response.y
