"""The log posterior density of hyperparameters on the whole real line, with its gradient, mode and curvature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...priors.origin import origins
from ..at import heteroscedastic_of, laplace_of, likelihood_of
from ..criteria.with_sigma import NormalPrior, SigmaCriterion
from ..criteria.with_sigmas import SigmasCriterion
from ..laplace.approximation import LaplaceLikelihood
from ..linear.likelihood import LOG_2PI
from ..penalty.penalty import CoefficientPenalty
from .generalized import JointMarginal, laplace_marginal
from .log_prior import PriorDensity, coefficients_of, prior_density
from .marginal import LinearMarginal, Marginal, OneSigmaMarginal, Places
from .normality import Normality
from .space import STEP, Space
from .standardised import Standardised, normal_form

if TYPE_CHECKING:
    from ...model import Model

MANY = 30  # elements of psi beyond which coefficients are integrated out with the effects
WIDE_STEP = 1e-2  # in units of `scales`, of differences of a marginal likelihood without a gradient


@dataclass
class LogPosterior:
    """log of prior times marginal likelihood as a function of psi; `scales` (m,) are rough posterior sds."""

    space: Space
    prior: PriorDensity
    marginal: Marginal
    scales: np.ndarray

    def log_prior(self, psi: np.ndarray) -> np.ndarray:
        """Of psi (N, m), Jacobians included."""
        return self.prior.log_density(self.space.points(psi))

    def values(self, psi: np.ndarray) -> np.ndarray:
        """Of psi (N, m); -inf where the density is zero or cannot be found."""
        return self.values_and_places(psi)[0]

    def values_and_places(self, psi: np.ndarray) -> tuple[np.ndarray, Places | None]:
        """`values`, and where the modes of effects are at each of psi (N, m); None where they are not kept."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # proposals far out have no density
            points = self.space.points(psi)
            found = self.prior.log_density(points)
            x = self.space.x(psi, points)
        inside = np.isfinite(found)
        values, some = self.marginal.values_and_places(x[inside])
        found[inside] += values
        places = None
        if some is not None:
            places = tuple(np.zeros((len(psi), *part.shape[1:])) for part in some)
            for whole, part in zip(places, some, strict=True):
                whole[inside] = part
        return np.where(np.isnan(found), -np.inf, found), places

    def value_and_gradient(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        """At psi (m,); LinAlgError where the marginal likelihood cannot be found."""
        steps = STEP * np.eye(len(psi))
        around = self.log_prior(np.concatenate([psi[None], psi + steps, psi - steps]))
        if not np.all(np.isfinite(around)):
            return -np.inf, np.zeros_like(psi)
        m = len(psi)
        slope = (around[1 : m + 1] - around[m + 1 :]) / (2 * STEP)
        value, gradient = self._marginal(psi)
        return float(around[0]) + value, slope + gradient

    def _marginal(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        x = self._x(psi)
        if self.marginal.has_slopes:
            value, gradient = self.marginal.value_and_gradient(x)
            return value, self.space.slopes(psi).T @ gradient
        steps = WIDE_STEP * self.scales
        ends = [[self.marginal.value(self._x(psi + sign * h * e)) for sign in (1, -1)] for h, e in self._steps(steps)]
        value = self.marginal.value(x)
        if not np.all(np.isfinite(ends)):
            raise np.linalg.LinAlgError("the marginal likelihood was not found beside a point")
        return value, np.array([(up - down) / (2 * h) for (up, down), h in zip(ends, steps, strict=True)])

    def hessian(self, psi: np.ndarray, step: float) -> np.ndarray:
        """Second derivatives (m, m) of minus the log posterior, by differences of its gradient over `step` scales."""
        found = np.zeros((len(psi), len(psi)))
        for i, (h, e) in enumerate(self._steps(step * self.scales)):
            ends = [self.value_and_gradient(psi + sign * h * e)[1] for sign in (1, -1)]
            found[i] = (ends[1] - ends[0]) / (2 * h)
        return 0.5 * (found + found.T)

    def track(self, psi: np.ndarray) -> None:
        """Learn how modes of effects move from points (N, m) about the mode, itself the first."""
        self.marginal.track(self.space.x(psi, self.space.points(psi)))

    def standardised(self, psi: np.ndarray) -> Standardised | None:
        """Coordinates in which proposals are made, by the model linearised at psi (m,); None: psi are good enough."""
        linearised = self.marginal.linearised(self._x(psi), normal_form(self.prior.coefficients))
        return None if linearised is None else Standardised.about(self.space, linearised, psi)

    def normality(self, psi: np.ndarray) -> list[Normality]:
        """How normal effects are given the hyperparameters at psi (m,); empty where they are exactly."""
        return self.marginal.normality(self._x(psi))

    def _x(self, psi: np.ndarray) -> np.ndarray:
        return self.space.x(psi[None], self.space.points(psi[None]))[0]

    @staticmethod
    def _steps(sizes: np.ndarray) -> list[tuple[float, np.ndarray]]:
        return list(zip(sizes, np.eye(len(sizes)), strict=True))


def log_posterior(model: Model) -> LogPosterior:
    """The log posterior of a model under its priors; `scales` are those before any data are seen: rough."""
    marginal = marginal_of(model)
    space = Space(marginal.coordinates(), "sigma" if model.has_scale else None, origins(model))
    free = bool(np.any(space.coordinates.basis[model.design.places["mu"]]))
    return LogPosterior(space, prior_density(model, with_coefficients=free), marginal, rough_scales(model, space))


def marginal_of(model: Model) -> Marginal:
    """What is integrated out, and how."""
    every = coefficients_of(model)
    coefficients = None if every is None else every.within(model.design.places["mu"])
    normal = coefficients is None or coefficients.not_normal is None
    if model.linear:
        basis = likelihood_of(model).basis if model.has_scale else heteroscedastic_of(model).basis
        prior = NormalPrior.none(basis)
        if coefficients is not None and normal:
            prior = NormalPrior.of(basis, *coefficients.normal_form())
        if not model.has_scale:
            return LinearMarginal(SigmasCriterion(heteroscedastic_of(model), normal, prior, free=not normal))
        held = model.constants.get("sigma")
        return OneSigmaMarginal(SigmaCriterion(likelihood_of(model), normal, held, prior, free=not normal))
    laplace = laplace_of(model)
    hyper = Space(laplace.coordinates(), None, origins(model)).dimension
    if coefficients is not None and normal and hyper > MANY:
        return joint_marginal(laplace, coefficients)
    return laplace_marginal(laplace)


def joint_marginal(laplace: LaplaceLikelihood, coefficients: CoefficientPenalty) -> JointMarginal:
    """Coefficients with normal or flat priors integrated with the effects."""
    rows, means, precisions = coefficients.normal_form()
    B = np.linalg.solve(laplace.rows.R.T, rows.T).T
    proper = precisions > 0
    mean = np.linalg.lstsq(B[proper], means[proper])[0] if proper.any() else np.zeros(laplace.p)
    constant = 0.5 * float(np.sum(np.log(precisions[proper]) - LOG_2PI))
    return JointMarginal(laplace, mean, B.T @ (precisions[:, None] * B), constant)


def rough_scales(model: Model, space: Space) -> np.ndarray:
    """About how uncertain each element of psi is (m,): what steps and starts of a search are measured in."""
    parts = [
        np.concatenate([np.full(k, 1 / np.sqrt(2 * term.n_levels)), np.full(m, 1 / np.sqrt(term.n_levels))])
        for term, (k, m) in zip(model.design.groups, space.sizes, strict=True)
    ]
    n = max(model.n_obs, 1)
    parts.append(np.full(space.coordinates.basis.shape[1], 1 / np.sqrt(n)))
    parts.append(np.full(len(space.coordinates.dispersion), 1 / np.sqrt(2 * n)))
    return np.concatenate(parts)
