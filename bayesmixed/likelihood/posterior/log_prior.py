"""The log prior density of hyperparameters on the whole real line, Jacobians included, for many points at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...covariance import Free
from ...families import FamilyParameter
from ...parameters.names import TermNames, term_names
from ...priors.distributions import BlockPrior, Distribution
from ...priors.priors import Priors
from ...priors.shapes import shape_prior
from ..penalty.penalty import CoefficientPenalty, penalty
from .space import Points

if TYPE_CHECKING:
    from ...model import Model

SMALL = 1e-30  # of the imaginary step that gives a derivative without rounding


@dataclass(frozen=True)
class TermPrior:
    """Priors of one group term: of each sd or of all together (`block`), and of each of its `shapes`.

    `scale` names the dispersion parameter that a block's sds are relative to, `free` the parameters of the block.
    """

    term: int
    free: Free
    sds: tuple[Distribution, ...]
    block: BlockPrior | None
    shapes: tuple[Distribution, ...]
    scale: str | None

    def log_density(self, points: Points) -> np.ndarray:
        """Of log sds and of shapes on the whole real line (N,)."""
        sds, shapes = points.blocks[self.term]
        total = self.free.log_volume(points.reals[self.term])
        for prior, shape, value in zip(self.shapes, self.free.shapes, shapes, strict=True):
            total = total + shape.each(prior.log_density, value)
        if self.block is None:
            densities = [prior.log_density(sds[:, i])[0] for i, prior in enumerate(self.sds)]
            return total + np.sum(densities, axis=0) + np.sum(np.log(sds), axis=1)
        scales = np.ones(len(sds)) if self.scale is None else points.dispersion[self.scale]
        return total + [self._of_block(*each) for each in zip(sds, scales, strict=True)]

    def _of_block(self, sds: np.ndarray, scale: float) -> float:
        """log density of the parts plus log |d parts / d log sds|, by an imaginary step: the parts are closed forms."""
        assert self.block is not None
        correlated = bool(self.shapes)
        shapes = self.block.parts(len(sds), correlated)
        columns = []
        for i in range(len(sds)):
            moved = sds.astype(complex)
            moved[i] *= 1 + SMALL * 1j
            parts = self.block.parts_at(moved, scale, correlated)
            free = [np.ravel(value)[: np.size(value) - shapes[name].determined] for name, value in parts.items()]
            columns.append(np.concatenate(free).imag / SMALL)
        volume = np.linalg.slogdet(np.array(columns))[1]
        return self.block.log_density(sds, scale, correlated)[0] + float(volume)


@dataclass(frozen=True)
class PriorDensity:
    """The priors of a model's hyperparameters; of coefficients those that are not integrated out, None without any."""

    terms: tuple[TermPrior, ...]
    dispersion: tuple[tuple[FamilyParameter, Distribution], ...]
    coefficients: CoefficientPenalty | None

    def log_density(self, points: Points) -> np.ndarray:
        """With Jacobians (N,); -inf outside the support."""
        total = np.zeros(len(points.beta))
        for term in self.terms:
            total = total + term.log_density(points)
        for parameter, prior in self.dispersion:
            values = points.dispersion[parameter.name]
            total = total + prior.log_density(values)[0] + np.log(parameter.slope(values))
        if self.coefficients is not None:
            values = points.beta @ self.coefficients.rows.T
            for i, prior in enumerate(self.coefficients.priors):
                total = total + prior.log_density(values[:, i])[0]
        return np.where(np.isnan(total), -np.inf, total)


def prior_density(model: Model, *, with_coefficients: bool) -> PriorDensity:
    """The model's priors; those of the mean's coefficients only where they are not integrated out."""
    priors, scale = model.priors, "sigma" if model.has_scale else None
    named = term_names(model.design)
    terms = tuple(_term(j, names, priors, scale) for j, names in enumerate(named))
    dispersion = tuple((model.family.parameter(name), priors.distribution(name)) for name in model.free)
    coefficients = coefficients_of(model)
    if coefficients is not None and not with_coefficients:
        coefficients = coefficients.beyond(model.design.places["mu"])
    return PriorDensity(terms, dispersion, coefficients)


def coefficients_of(model: Model) -> CoefficientPenalty | None:
    """The priors of the coefficients of all predictors, None in a model without."""
    return penalty(model, model.priors).coefficients


def _term(j: int, names: TermNames, priors: Priors, scale: str | None) -> TermPrior:
    whole = names.covariance in priors
    block = priors.block(names.covariance) if whole else None
    sds = () if whole else tuple(priors.distribution(name) for name in names.sds)
    found = [shape_prior(priors, names, place) for place in range(len(names.shapes))]
    return TermPrior(j, names.free, sds, block, tuple(prior for prior in found if prior is not None), scale)
