"""The sample sites of one predictor's coefficients, and what they make of its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...priors.distributions import Kind
from ...priors.origin import stated_rows
from .vectors import VectorSite, sample, sample_vector, vector_sites

if TYPE_CHECKING:
    from ...design.design import Design, Predictor
    from ...priors import Priors


@dataclass(frozen=True)
class CoefficientSites:
    """The static part of one predictor: its name, the site of its intercept and those of its slopes.

    `intercept` is None where there is none or it is integrated out, `position` its place among the coefficients, -1
    where there is none. Members of `slopes` are positions among the `n_slopes` others.
    """

    predictor: str
    intercept: str | None
    position: int
    kind: Kind | None
    slopes: tuple[VectorSite, ...]
    n_slopes: int

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.n_slopes + (self.position >= 0)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of prior of each site."""
        found = {site.name: site.kind for site in self.slopes}
        return found if self.intercept is None or self.kind is None else found | {self.intercept: self.kind}

    def sample(self, priors: dict[str, Any]) -> tuple[Any, Any]:
        """Inside a program: slopes and intercept that priors speak of, zero where they are integrated out.

        The intercept is None where there is none.
        """
        import jax.numpy as jnp

        slopes = sample_vector(self.slopes, self.n_slopes, priors)
        if self.position < 0:
            return slopes, None
        if self.intercept is None or self.kind is None:
            return slopes, jnp.zeros(())
        return slopes, jnp.asarray(sample(self.intercept, self.kind, priors))

    def joined(self, slopes: Any, intercept: Any) -> Any:
        """Inside a program: all coefficients (p,) in their order."""
        import jax.numpy as jnp

        at = self.position
        return slopes if intercept is None else jnp.concatenate([slopes[:at], intercept[None], slopes[at:]])

    def rows(self, slopes: Any, intercept: Any, data: Mapping[str, Any]) -> Any:
        """Inside a program: the fixed part (n,) of the predictor, its offset included."""
        fixed = slopes @ data["columns"][self.predictor]
        return data["offset"][self.predictor] + (fixed if intercept is None else fixed + intercept)

    def values_at(self, stated: np.ndarray) -> dict[str, np.ndarray]:
        """Values of the sites at which the coefficients that priors speak of are `stated` (p,)."""
        slopes = np.delete(stated, self.position) if self.position >= 0 else stated
        found = {site.name: slopes[list(site.members)] for site in self.slopes}
        return found if self.intercept is None else found | {self.intercept: np.asarray(stated[self.position])}

    def meanings(self, names: tuple[str, ...]) -> dict[str, str]:
        """What the sites mean, in words; `names` (p,) are those of the coefficients."""
        what = "eta" if self.predictor == "mu" else f"the predictor of {self.predictor}"
        slopes = [name for j, name in enumerate(names) if j != self.position]
        found = {}
        if self.intercept:
            at = "their means" if self.intercept.endswith("Intercept_centered") else "zero"
            found[self.intercept] = f"{what} where all other columns are at {at}"
        return found | {
            site.name: "coefficients of " + ", ".join(slopes[i] for i in site.members) for site in self.slopes
        }


def coefficient_sites(
    predictor: Predictor, chosen: Priors, priors: dict[str, Any], sampled: Collection[int] | None = None
) -> CoefficientSites:
    """The sites of the coefficients at the positions `sampled`, all by default. Puts the numbers into `priors`."""
    names = predictor.names
    at = predictor.coefficients.index("Intercept") if predictor.has_intercept else -1
    some = range(len(names)) if sampled is None else sampled
    slopes = [name for j, name in enumerate(names) if j != at]
    which = [i for i, name in enumerate(slopes) if names.index(name) in some]
    intercept = next((n for n in (names[at], f"{names[at]}_centered") if n in chosen), None) if at in some else None
    if intercept:
        priors[intercept] = chosen[intercept].values
    return CoefficientSites(
        predictor=predictor.name,
        intercept=intercept,
        position=at,
        kind=chosen[intercept].kind if intercept else None,
        slopes=vector_sites(f"{predictor.prefix}b", slopes, which, chosen, priors),
        n_slopes=len(slopes),
    )


def predictor_arrays(design: Design, chosen: Priors) -> dict[str, dict[str, np.ndarray]]:
    """What programs need of each predictor, by name: `stated` C (p, p), `typed` its inverse, `columns`, `offset`.

    Priors speak of C beta; `columns` (p', n) are those of the slopes that they speak of, of the rows used.
    """
    found: dict[str, dict[str, np.ndarray]] = {"stated": {}, "typed": {}, "columns": {}, "offset": {}}
    for name, predictor in design.predictors.items():
        stated = stated_rows(predictor, design.used, chosen)
        typed = np.linalg.inv(stated)
        slopes = [j for j, column in enumerate(predictor.coefficients) if column != "Intercept"]
        found["stated"][name], found["typed"][name] = stated, typed
        found["columns"][name] = np.ascontiguousarray(_about(predictor.X[design.used], typed)[:, slopes].T)
        found["offset"][name] = predictor.offset[design.used]
    return found


def _about(X: np.ndarray, typed: np.ndarray) -> np.ndarray:
    """X typed (n, p), the columns whose coefficients are the stated ones, the means subtracted first."""
    means = X.mean(axis=0)
    return (X - means) @ typed + means @ typed
