"""Refits of a linear mixed model whose searches go on side by side, evaluated as arrays over the responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...likelihood.at import likelihood_of
from ...likelihood.boundary import SNAP, worst_direction
from ...likelihood.criteria.profiled import ProfiledCriterion
from ...likelihood.linear.likelihood import LinearLikelihood
from ...likelihood.replicated.criterion import ManyCriteria, batches
from ...likelihood.replicated.elimination import SharedProducts, shared_products
from ...likelihood.replicated.responses import Responses, counted_levels, responses
from ...parameters.values import Parameters
from ..machine.blas import blas_threads
from ..profiled import collect
from ..search.many import ManyFound, search_many
from ..search.optimizer import HUGE, Optimum
from .alone import chosen_way, fitted, warm
from .blocks import many_blocks
from .refits import Refits, Refitter

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from ...model import Model

DETERMINED = 1e-10  # of the largest eigenvalue of X'X in orthonormal columns of all rows: less is rounding
NUMBERS = 2**16  # levels times responses of a part that is searched at once: its arrays stay in the cache


def searched_together(fit: PointFit) -> bool:
    """Whether refits of a linear model can be searched as arrays: see `batches`; a chosen optimizer has its own way."""
    model, engine = fit.model, fit.engine
    return model.has_scale and not chosen_way(engine) and batches(likelihood_of(model))


@dataclass(frozen=True, eq=False)
class SideBySide(Refitter):
    """ML or REML refits of the model of `fit`, from its estimates."""

    fit: PointFit

    together = True

    def refits(self, y: np.ndarray) -> Refits:
        with blas_threads(0):
            return Refits.joined([self._searched(self._responses(y[part])) for part in self._parts(len(y))])

    def resampled(self, counts: np.ndarray) -> Refits | None:
        if len(self._likelihood.blocks) != 1:
            return None
        with blas_threads(0):
            return Refits.joined([self._resampled(counts[part]) for part in self._parts(len(counts))])

    def fits(self, y: np.ndarray) -> Iterator[PointFit | None]:
        found = self.refits(y)
        for one, theta, converged in zip(y, found.theta, found.converged, strict=True):
            if not converged:
                yield fitted(self.fit.model, one, warm(self.fit.engine, None))
                continue
            with blas_threads(0):
                yield self._at(self.fit.model.with_response(one), self._likelihood.theta.working(theta))

    def _at(self, model: Model, x: np.ndarray) -> PointFit:
        """The full fit of a model whose optimum is known."""
        engine = self.fit.engine
        criterion = ProfiledCriterion(likelihood_of(model), engine.restricted, model.constants.get("sigma"))
        value, gradient = criterion.value_and_gradient(x)
        edge = worst_direction(criterion.value, criterion.theta, x)
        return collect(model, engine, criterion, Optimum(x, value, gradient, 0.0, 1, ""), edge)

    @cached_property
    def _likelihood(self) -> LinearLikelihood:
        return likelihood_of(self.fit.model)

    @cached_property
    def _shared(self) -> SharedProducts:
        return shared_products(self._likelihood)

    @cached_property
    def _start(self) -> np.ndarray:
        """The working theta of the fit; that from moments where it is at a boundary, which is always stationary."""
        likelihood, x = self._likelihood, self._likelihood.theta.working(self.fit.theta)
        near = any(edge.distance < SNAP for group in likelihood.theta.edges(x) for edge in group)
        return likelihood.start(self.fit.model.constants.get("sigma")) if near else x

    def _parts(self, count: int) -> Iterator[slice]:
        """Which responses are searched at once."""
        levels = max((block.n_levels for block in self._likelihood.blocks), default=1)
        step = max(8, NUMBERS // levels)
        return (slice(first, first + step) for first in range(0, count, step))

    def _searched(self, given: Responses) -> Refits:
        if not len(given):
            return Refits.failed(0, self.fit)
        criteria = ManyCriteria(self._shared, given, self.fit.engine.restricted, self.fit.model.constants.get("sigma"))
        start = np.tile(self._start, (len(given), 1))
        found = search_many(criteria, start, self._likelihood.metric(self._start))
        some = found.values < HUGE
        if some.all():
            return self._collected(criteria, found)
        if not some.any():
            return Refits.failed(len(some), self.fit)
        good = np.flatnonzero(some)
        left = ManyFound(found.x[good], found.values[good], found.converged[good])
        return self._collected(replace(criteria, given=given.take(good)), left).among(some, self.fit)

    def criteria(self, y: np.ndarray) -> ManyCriteria:
        held = self.fit.model.constants.get("sigma")
        return ManyCriteria(self._shared, self._responses(y), self.fit.engine.restricted, held)

    def _responses(self, y: np.ndarray) -> Responses:
        model, family = self.fit.model, self.fit.model.family
        used, design = model.design.used, model.design
        y = y[:, used]
        root = None if design.weights is None else np.sqrt(design.weights[used])
        jacobian = np.array([float(np.sum(family.log_jacobian(one))) for one in y])
        normal = family.normalised(y) - design.mu.offset[used]
        return responses(self._likelihood, normal, root, jacobian)

    def _resampled(self, counts: np.ndarray) -> Refits:
        """Refits, failed where the rows that are left do not determine the coefficients."""
        given = self._counted(counts)
        assert given.levels is not None  # counted
        if not self._likelihood.p:
            return self._searched(given)
        sizes = np.linalg.eigvalsh(given.levels.base)
        some = sizes[:, 0] > DETERMINED * sizes[:, -1]
        return self._searched(given.take(np.flatnonzero(some))).among(some, self.fit)

    def _counted(self, counts: np.ndarray) -> Responses:
        design, family = self.fit.model.design, self.fit.model.family
        assert design.response is not None  # fitted
        used = design.used
        weights = np.ones(design.n_rows) if design.weights is None else design.weights
        jacobian = family.log_jacobian(design.response.y[used])
        return counted_levels(self._likelihood, counts, np.log(weights[used]), jacobian)

    def _collected(self, criteria: ManyCriteria, found: ManyFound) -> Refits:
        model, x = self.fit.model, found.x
        solution = criteria.solve(x)
        sigma, basis = criteria.sds(solution), self._likelihood.basis
        beta = criteria.given.beta0 + np.linalg.solve(basis.R, solution.beta.T).T if len(basis.R) else solution.beta
        blocks = many_blocks(model, self._likelihood.theta, x, sigma)
        parameters = Parameters({"mu": beta[None]}, blocks.factors, blocks.b, {"sigma": sigma[None]})
        return Refits(parameters, blocks.theta, -0.5 * found.values, found.converged, blocks.singular)
