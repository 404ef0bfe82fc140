"""The program with effects and normal coefficients integrated out: NUTS sees sds, correlations and sigma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...likelihood import collapsed as density
from ...likelihood.at import likelihood_of
from ...priors.default import rows_used
from ...priors.distributions import Kind
from .sites import (
    DispersionSites,
    TermSites,
    VectorSite,
    dispersion_sites,
    sample,
    sample_vector,
    term_sites,
    vector_sites,
)

if TYPE_CHECKING:
    from ...model import Model

MAX_TAIL = 256  # columns of the dense tail, factorised at every gradient
MAX_ELEMENTS = 20_000_000  # of the coupling of the largest factor with everything else, held densely (160 MB)


@dataclass(frozen=True)
class CollapsedProgram:
    """A NumPyro model whose likelihood is the collapsed Gaussian density; hashable, as `ExplicitProgram`.

    `complete` adds to a draw of its sites the exact draw of coefficients and effects.
    """

    intercept: str | None
    intercept_position: int
    intercept_kind: Kind | None
    coefficients: tuple[VectorSite, ...]
    n_slopes: int
    terms: tuple[TermSites, ...]
    dispersion: DispersionSites
    layout: density.Layout

    def __call__(self, **data: Any) -> dict[str, Any]:
        """Sample the parameters and add the density of ``y``."""
        import numpyro

        found = self.parameters(**data)
        numpyro.factor("y", density.log_density(self.layout, data["gram"], data["normal"], self._given(found)))
        return found

    def parameters(self, **data: Any) -> dict[str, Any]:
        """Sample sds, correlations, dispersion and the coefficients that are not integrated out (`kept`, (p,))."""
        blocks = [term.sample(data["priors"]) for term in self.terms]
        return {
            "kept": self._kept(data),
            "sds": tuple(block[0] for block in blocks),
            "factors": tuple(block[1] for block in blocks),
            "dispersion": self.dispersion.sample(data),
        }

    def complete(self, found: dict[str, Any], key: Any, data: dict[str, Any]) -> dict[str, Any]:
        """The natural parameters of a draw: `beta` and `effects` from their normal conditional."""
        beta, effects = density.draw(self.layout, data["gram"], data["normal"], self._given(found), key)
        return {name: value for name, value in found.items() if name != "kept"} | {"beta": beta, "effects": effects}

    def route(self, data: dict[str, Any]) -> str:
        """How effects are treated, in words."""
        count = len(self.layout.kept)
        kept = f", {count} coefficient{'s' * (count > 1)} sampled" if count else ""
        return f"collapsed, full (tail of {self.layout.tail} columns{kept})"

    def _given(self, found: dict[str, Any]) -> dict[str, Any]:
        return {"factors": found["factors"], "sigma": found["dispersion"]["sigma"], "kept": found["kept"]}

    def _kept(self, data: dict[str, Any]) -> Any:
        import jax.numpy as jnp

        slopes = sample_vector(self.coefficients, self.n_slopes, data["priors"])
        at = self.intercept_position
        if at < 0:
            return slopes
        intercept = jnp.zeros(())
        if self.intercept is not None and self.intercept_kind is not None:
            intercept = sample(self.intercept, self.intercept_kind, data["priors"])
        return jnp.concatenate([slopes[:at], intercept[None], slopes[at:]])


def why_not_collapsed(model: Model) -> str | None:
    """The reason why effects cannot be integrated out fully, None where they can."""
    if not model.has_scale:
        return "effects integrate out exactly only under a normal response with an identity link."
    sizes: dict[str, tuple[int, int]] = {}
    for group in model.design.groups:
        levels, k = sizes.get(group.factor, (group.n_levels, 0))
        sizes[group.factor] = (levels, k + group.Z.shape[1])
    if not sizes:
        return None
    largest = max(sizes.values())
    tail = sum(levels * k for levels, k in sizes.values()) - largest[0] * largest[1]
    if tail > MAX_TAIL:
        return f"{tail} effects remain beside the largest factor, more than {MAX_TAIL} (dense at every step)."
    if largest[0] * largest[1] * (tail + model.design.mu.X.shape[1] + 1) > MAX_ELEMENTS:
        return "the largest factor's cross-products with the rest would not fit."
    return None


def collapsed_program(model: Model) -> tuple[CollapsedProgram, dict[str, Any]]:
    """The program and its arguments."""
    mu = model.design.mu
    priors: dict[str, Any] = {}
    slopes = [c for c in mu.coefficients if c != "Intercept"]
    name = next((n for n in ("Intercept", "Intercept_centered") if n in model.priors), None)
    name = name if mu.has_intercept else None
    at = mu.coefficients.index("Intercept") if name else -1
    names = [name if name and j == at else c for j, c in enumerate(mu.coefficients)]
    forms = [model.priors[n].normal_form for n in names]
    kept = tuple(j for j, form in enumerate(forms) if form is None)
    sampled = [i for i, c in enumerate(slopes) if mu.coefficients.index(c) in kept]
    sampled_intercept = name if name and at in kept else None
    if sampled_intercept:
        priors[sampled_intercept] = model.priors[sampled_intercept].values
    likelihood = likelihood_of(model)
    means = _means(model, name)
    gram = density.arrays(likelihood, _centring(means, at))
    program = CollapsedProgram(
        intercept=sampled_intercept,
        intercept_position=at,
        intercept_kind=model.priors[sampled_intercept].kind if sampled_intercept else None,
        coefficients=vector_sites("b", slopes, sampled, model.priors, priors),
        n_slopes=len(slopes),
        terms=tuple(term_sites(model, i, None, priors) for i in range(len(model.design.groups))),
        dispersion=dispersion_sites(model, priors),
        layout=density.layout(likelihood, kept, sparse="pairs" in gram),
    )
    return program, {
        "priors": priors,
        "constants": {held: float(model.constants[held]) for held in program.dispersion.held},
        "means": means,
        "normal": _normal(forms),
        "gram": gram,
    }


def _means(model: Model, intercept: str | None) -> np.ndarray:
    """Means of the slopes' columns over the rows used; zero where the intercept is the raw one."""
    slopes = [j for j, c in enumerate(model.design.mu.coefficients) if c != "Intercept"]
    X = model.design.mu.X[rows_used(model.design)][:, slopes]
    return X.mean(axis=0) if intercept == "Intercept_centered" else np.zeros(len(slopes))


def _centring(means: np.ndarray, at: int) -> np.ndarray:
    """The map from coefficients to those of the design with centred columns."""
    if at < 0:
        return np.eye(len(means))
    centring = np.eye(len(means) + 1)
    centring[at, np.arange(len(means) + 1) != at] = means
    return centring


def _normal(forms: list[tuple[float, float] | None]) -> dict[str, np.ndarray]:
    pairs = [(0.0, 0.0) if form is None else form for form in forms]
    return {
        "mean": np.array([mean for mean, _ in pairs], dtype=float),
        "precision": np.array([precision for _, precision in pairs], dtype=float),
    }
