"""How a parameter of a linear mixed model with one sigma is held: everything else at its best, most in closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...covariance.pins import Pin
from ...likelihood.at import likelihood_of
from ...likelihood.criteria.profiled import ProfiledCriterion
from ...likelihood.criteria.with_coefficient import CoefficientCriterion
from ...likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from ...likelihood.linear.likelihood import LinearLikelihood
from ...likelihood.working.pinned_block import pinned
from ...likelihood.working.theta import Theta
from .charts import Element, RelativeSd
from .ground import Ground, Held, Point

if TYPE_CHECKING:
    from ...fits.point import PointFit


@dataclass(frozen=True, eq=False)
class LinearGround(Ground):
    """An sd is held by theta and sigma, a correlation and a coefficient by theta alone, sigma beside theta.

    sds and correlations of a `restricted` fit are held in the REML criterion.
    """

    likelihood: LinearLikelihood
    sigma: float | None
    restricted: bool

    @classmethod
    def of(cls, fit: PointFit) -> LinearGround:
        """Of a fit."""
        return cls(fit, likelihood_of(fit.model), fit.model.constants.get("sigma"), fit.engine.restricted)

    @property
    def layout(self) -> Theta:
        return self.likelihood.theta

    def block(self, j: int, pin: Pin) -> Held:
        layout = pinned(self.likelihood.theta, j, pin)
        likelihood, first = replace(self.likelihood, theta=layout), layout.slices[j].start
        theta = layout.of_factors([np.linalg.solve(C, F) for C, F in zip(layout.bases, self.fit.factors, strict=True)])
        if pin.relative:
            beside = self._with_sigma(likelihood)
            return Held(beside, RelativeSd(first, beside.unit, self.sigma), beside.start(theta), self._point(beside))
        alone = ProfiledCriterion(likelihood, self.restricted, self.sigma)
        return Held(alone, Element(first), theta, self._point(alone), tuple(1 + first + i for i in pin.signed))

    def coefficient(self, i: int) -> Held:
        criterion = CoefficientCriterion(self.likelihood, i, self.sigma)
        return Held(
            criterion, Element(len(self._theta)), np.append(self._theta, self.fit.beta[i]), self._point(criterion)
        )

    def dispersion(self, name: str) -> Held:
        criterion = self._with_sigma(self.likelihood)
        x, coordinate = criterion.start(self._theta), criterion.coordinates().dispersion[name]
        return Held(criterion, Element(len(x) - 1, coordinate), x, self._point(criterion))

    @property
    def _theta(self) -> np.ndarray:
        return self.likelihood.theta.working(self.fit.theta)

    def _with_sigma(self, likelihood: LinearLikelihood) -> SigmaCriterion:
        flat = NormalPrior.none(likelihood.basis)
        return SigmaCriterion(likelihood, self.restricted, self.sigma, flat, free=False)

    def _point(self, criterion: ProfiledCriterion | SigmaCriterion | CoefficientCriterion) -> Point:
        def point(x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], dict[str, float]]:
            sigma = criterion.residual_sd(x)
            factors = [sigma * F for F in criterion.theta.typed(x)]
            return self.likelihood.beta(criterion.solution(x)), factors, {"sigma": sigma}

        return point
