"""What priors add to a criterion: minus twice their log density on the natural scale, with its slopes.

Sds, correlation matrices, coefficients and dispersion are penalised as the priors speak of them, without Jacobians of
the coordinates a search moves in, so that flat priors add nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...families import FamilyParameter
from ...parameters.names import term_names
from ...priors.distributions import Distribution
from ...priors.origin import origins, stated_rows
from ...priors.priors import Priors
from ..working.coordinates import Natural
from .blocks import BoundaryAvoiding, term_parts
from .bounds import Bounds, Opened, limited, worded
from .summand import Elsewhere, Summand

if TYPE_CHECKING:
    from ...design.design import Design
    from ...model import Model

STEP = 1e-4  # of a prior's interquartile range: of the difference that gives its curvature
MIDDLE = 1.349  # interquartile range of a standard normal


@dataclass(frozen=True)
class Penalty:
    """The priors of a model, independent of each other."""

    parts: tuple[Summand, ...]
    coefficients: CoefficientPenalty | None = None

    @property
    def unbounded(self) -> list[int]:
        """The terms whose sds some part pushes up without bound."""
        return [part.unbounded for part in self.parts if part.unbounded is not None]

    @property
    def relative(self) -> bool:
        """Whether it speaks of relative covariances alone, so that coefficients and sigma can be profiled out."""
        return self.coefficients is None and all(part.relative for part in self.parts)

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        """-2 log density and its slopes."""
        total, slopes = 0.0, natural.zeros()
        for part in self._all():
            value, slope = part.value_and_slopes(natural)
            total, slopes = total + value, slopes + slope
        return total, slopes

    def flat_in(self, where: slice) -> Penalty:
        """The same, flat in the coefficients at `where`."""
        return Penalty(self.parts, None if self.coefficients is None else self.coefficients.beyond(where))

    def inside(self, natural: Natural) -> Natural:
        """The parameters, those outside a support moved into it."""
        for part in self._all():
            natural = part.inside(natural)
        return natural

    def limits(self, natural: Natural) -> list[Bounds]:
        """The numbers whose priors allow less than the parameter space does."""
        return [found for part in self._all() for found in part.limits(natural)]

    def opened(self) -> Penalty:
        """The same without those limits."""
        coefficients = None if self.coefficients is None else self.coefficients.opened()
        return Penalty(tuple(part.opened() for part in self.parts), coefficients)

    def __add__(self, other: Penalty) -> Penalty:
        return Penalty(self.parts + other.parts, self.coefficients or other.coefficients)

    def _all(self) -> tuple[Summand, ...]:
        return self.parts if self.coefficients is None else (*self.parts, self.coefficients)


@dataclass(frozen=True)
class CoefficientPenalty(Summand):
    """Priors of the elements of `rows` beta, `rows` (m, p), beta of all predictors; `names` for error messages."""

    names: tuple[str, ...]
    priors: tuple[Distribution, ...]
    rows: np.ndarray

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        values = self.rows @ natural.beta
        found = [prior.log_density(value) for prior, value in zip(self.priors, values, strict=True)]
        slopes = np.array([float(slope) for _, slope in found])
        total = -2 * float(sum(float(density) for density, _ in found))
        return total, replace(natural.zeros(), beta=-2 * self.rows.T @ slopes)

    def within(self, where: slice) -> CoefficientPenalty | None:
        """The priors of the coefficients at `where` alone, as if there were no others; None where there are none."""
        return self._of(np.any(self.rows[:, where] != 0, axis=1), where)

    def beyond(self, where: slice) -> CoefficientPenalty | None:
        """The priors of all coefficients but those at `where`; None where there are none."""
        return self._of(np.all(self.rows[:, where] == 0, axis=1), slice(None))

    def _of(self, kept: np.ndarray, columns: slice) -> CoefficientPenalty | None:
        if not kept.any():
            return None
        names = tuple(name for name, keep in zip(self.names, kept, strict=True) if keep)
        priors = tuple(prior for prior, keep in zip(self.priors, kept, strict=True) if keep)
        return CoefficientPenalty(names, priors, self.rows[kept][:, columns])

    def normal_form(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows (m, p), means (m,) and precisions (m,), 0 where flat, NaN where not normal."""
        forms = [prior.normal_form or (0.0, np.nan) for prior in self.priors]
        return self.rows, np.array([mean for mean, _ in forms]), np.array([precision for _, precision in forms])

    @property
    def proper(self) -> list[str]:
        """The names of those whose priors are proper."""
        return [name for name, prior in zip(self.names, self.priors, strict=True) if prior.proper]

    @property
    def not_normal(self) -> str | None:
        """The first whose prior is neither normal nor flat, with that prior in words; None where there is none."""
        pairs = zip(self.names, self.priors, strict=True)
        return next((f"{name!r} is {p.describe()}" for name, p in pairs if p.normal_form is None), None)

    def normal_approximation(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows (m, p), means (m,) and precisions (m,) of normals with the quartiles of the priors, 0 where flat."""
        forms = [prior.normal_form or _by_quartiles(prior) for prior in self.priors]
        return self.rows, np.array([mean for mean, _ in forms]), np.array([precision for _, precision in forms])

    def curvature(self, beta: np.ndarray) -> np.ndarray:
        """-d2 log density / d beta2 (p, p), negative in the tails of heavy-tailed priors."""
        values = self.rows @ beta
        bends = [_bend(prior, float(value)) for prior, value in zip(self.priors, values, strict=True)]
        return self.rows.T @ (np.array(bends)[:, None] * self.rows)

    def limits(self, natural: Natural) -> Iterator[Bounds]:
        for name, prior, row in zip(self.names, self.priors, self.rows, strict=True):
            if limited(prior):
                slopes = replace(natural.zeros(), beta=row)
                yield Bounds.of(worded(name, prior), prior, float(row @ natural.beta), slopes)

    def opened(self) -> CoefficientPenalty:
        return replace(self, priors=tuple(Opened(prior) if limited(prior) else prior for prior in self.priors))

    def inside(self, natural: Natural) -> Natural:
        values = self.rows @ natural.beta
        pairs = zip(self.priors, values, strict=True)
        wanted = np.array([float(prior.inside(value)) if prior.proper else value for prior, value in pairs])
        return replace(natural, beta=natural.beta + np.linalg.lstsq(self.rows, wanted - values)[0])


@dataclass(frozen=True)
class DispersionPenalty(Summand):
    """The prior of one dispersion parameter."""

    parameter: FamilyParameter
    prior: Distribution

    @property
    def name(self) -> str:
        """What the parameter is called."""
        return self.parameter.name

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        density, slope = self.prior.log_density(natural.dispersion[self.name])
        slopes = natural.zeros()
        return -2 * float(density), replace(slopes, dispersion=slopes.dispersion | {self.name: -2 * float(slope)})

    def inside(self, natural: Natural) -> Natural:
        if not self.prior.proper:
            return natural
        moved = float(self.prior.inside(natural.dispersion[self.name]))
        return replace(natural, dispersion=natural.dispersion | {self.name: moved})

    def limits(self, natural: Natural) -> Iterator[Bounds]:
        if limited(self.prior, *self.parameter.bounds):
            slopes = natural.zeros()
            slopes = replace(slopes, dispersion=slopes.dispersion | {self.name: 1.0})
            yield Bounds.of(worded(self.name, self.prior), self.prior, natural.dispersion[self.name], slopes)

    def opened(self) -> DispersionPenalty:
        return replace(self, prior=Opened(self.prior)) if limited(self.prior, *self.parameter.bounds) else self


def boundary_avoiding(model: Model) -> Penalty:
    """The default penalty: zero density where a covariance is singular, flat in everything else."""
    return Penalty(tuple(BoundaryAvoiding(j, structure) for j, structure in enumerate(model.covariances)))


def penalty(model: Model, priors: Priors) -> Penalty:
    """The penalty of priors by parameter name; a parameter without one has none."""
    parts: list[Summand] = []
    scale = "sigma" if model.has_scale else None
    places = origins(model, priors)
    for j, (named, A) in enumerate(zip(term_names(model.design), places, strict=True)):
        found = term_parts(j, model.covariances[j], named, priors, scale)
        parts += found if A is None else [Elsewhere(j, A, part) for part in found]
    parts += [
        DispersionPenalty(each, priors.distribution(each.name)) for each in model.family.others if each.name in priors
    ]
    return Penalty(tuple(parts), _coefficients(model.design, priors))


def _coefficients(design: Design, priors: Priors) -> CoefficientPenalty | None:
    names, found = [], []
    for predictor in design.predictors.values():
        own = [f"{predictor.prefix}Intercept_centered", *predictor.names]
        own = [name for name in own if name in priors]
        stated = np.zeros((len(predictor.names), len(design.coefficients)))
        stated[:, design.places[predictor.name]] = stated_rows(predictor, design.used, priors)
        found.append(stated[[predictor.names.index(name.removesuffix("_centered")) for name in own]])
        names += own
    if not names:
        return None
    return CoefficientPenalty(tuple(names), tuple(priors.distribution(name) for name in names), np.concatenate(found))


def _by_quartiles(prior: Distribution) -> tuple[float, float]:
    """Mean and precision of the normal with these quartiles; flat for an improper prior."""
    if not prior.proper:
        return 0.0, 0.0
    low, middle, high = (float(prior.quantile(p)) for p in (0.25, 0.5, 0.75))
    return middle, (MIDDLE / (high - low)) ** 2


def _bend(prior: Distribution, value: float) -> float:
    """-d2 log density, exact for a normal; 0 next to a limit, where differences cross it."""
    if prior.normal_form is not None:
        return prior.normal_form[1]
    h = STEP * float(prior.quantile(0.75) - prior.quantile(0.25))
    (below, above), (first, last) = prior.log_density(np.array([value - h, value + h]))
    return float((first - last) / (2 * h)) if np.isfinite(below + above) else 0.0
