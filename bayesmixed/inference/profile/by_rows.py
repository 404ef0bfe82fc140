"""How a parameter of a model that is evaluated row by row is held: generalized models, and sigma with a predictor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...covariance.pins import Pin
from ...likelihood.at import heteroscedastic_of, laplace_of
from ...likelihood.criteria.criterion import Criterion
from ...likelihood.criteria.laplace_deviance import LaplaceCriterion
from ...likelihood.criteria.quadrature_deviance import QuadratureCriterion
from ...likelihood.criteria.with_sigma import NormalPrior
from ...likelihood.criteria.with_sigmas import SigmasCriterion
from ...likelihood.quadrature.factoring import quadrature
from ...likelihood.working.coordinates import Coordinates, Natural
from ...likelihood.working.pinned_block import pinned
from ...likelihood.working.theta import Theta
from .charts import Chart, Combination, Element
from .ground import Ground, Held, Point

if TYPE_CHECKING:
    from ...fits.point import PointFit


@dataclass(frozen=True, eq=False)
class RowsGround(Ground):
    """Every parameter is a coordinate, a coefficient after a turn of all; `criterion` makes that of a layout."""

    own: Theta
    criterion: Callable[[Theta], Criterion]
    reported: Coordinates

    @classmethod
    def generalized(cls, fit: PointFit) -> RowsGround:
        """Of a fit by Laplace's approximation or by quadrature."""
        rows, nodes = laplace_of(fit.model), fit.engine.quadrature

        def criterion(theta: Theta) -> Criterion:
            likelihood = replace(rows, rows=replace(rows.rows, theta=theta), _last=[])
            if nodes <= 1 or not rows.rows.blocks:
                return LaplaceCriterion(likelihood)
            return QuadratureCriterion(likelihood, rule=quadrature(likelihood, nodes))

        return cls(fit, rows.theta, criterion, rows.coordinates())

    @classmethod
    def with_sigmas(cls, fit: PointFit) -> RowsGround:
        """Of a linear fit whose sigma has a predictor."""
        every, reml = heteroscedastic_of(fit.model), fit.engine.restricted

        def criterion(theta: Theta) -> Criterion:
            rows = replace(every, rows=replace(every.rows, theta=theta))
            return SigmasCriterion(rows, reml, NormalPrior.none(rows.basis), free=not reml)

        moved = 0 if fit.curvature is None else len(fit.curvature.x) - every.rows.theta.size - every.S.shape[1]
        alone = SigmasCriterion(every, reml, NormalPrior.none(every.basis), free=moved > 0)  # as the fit had it
        return cls(fit, every.rows.theta, criterion, alone.coordinates())

    @property
    def layout(self) -> Theta:
        return self.own

    @property
    def point(self) -> Point:
        return partial(_said, self.reported)

    def block(self, j: int, pin: Pin) -> Held:
        layout = pinned(self.own, j, pin)
        first = layout.slices[j].start
        held = self._held(self.criterion(layout), Element(first))
        return replace(held, signed=tuple(1 + first + i for i in pin.signed))

    def coefficient(self, i: int) -> Held:
        criterion = self.criterion(self.own)
        coordinates = criterion.coordinates()
        c, origin = coordinates.basis[i], float(coordinates.origin[i])
        return self._held(criterion, Combination(coordinates.coefficients.start, c, origin))

    def dispersion(self, name: str) -> Held:
        criterion = self.criterion(self.own)
        coordinates = criterion.coordinates()
        place = coordinates.coefficients.stop + list(coordinates.dispersion).index(name)
        return self._held(criterion, Element(place, coordinates.dispersion[name]))

    def _held(self, criterion: Criterion, chart: Chart) -> Held:
        coordinates, parameters = criterion.coordinates(), self.fit.parameters
        factors = tuple(parameters.factor(j)[0, 0] for j in range(len(parameters.factors)))
        x = coordinates.at(Natural(factors, parameters.stacked[0, 0], self.fit.dispersion))

        return Held(criterion, chart, x, partial(_said, coordinates))


def _said(coordinates: Coordinates, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], dict[str, float]]:
    found = coordinates.natural(x)
    return found.beta, list(found.factors), found.dispersion
