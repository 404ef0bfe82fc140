"""Refits of a linear mixed model whose searches go on side by side, evaluated as arrays over the responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...likelihood.at import likelihood_of
from ...likelihood.boundary import SNAP
from ...likelihood.linear.likelihood import LinearLikelihood
from ...likelihood.replicated.criterion import ManyCriteria, batches
from ...likelihood.replicated.elimination import SharedProducts, shared_products
from ...likelihood.replicated.responses import Responses, responses
from ...parameters.values import Parameters
from ..machine.blas import blas_threads
from ..search.many import search_many
from .alone import chosen_way, fitted, warm
from .blocks import many_blocks
from .refits import Refits, Refitter

if TYPE_CHECKING:
    from ...fits.point import PointFit

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
        levels = max((block.n_levels for block in self._likelihood.blocks), default=1)
        step = max(8, NUMBERS // levels)
        with blas_threads(0):
            return Refits.joined([self._part(y[first : first + step]) for first in range(0, len(y), step)])

    def fits(self, y: np.ndarray) -> Iterator[PointFit | None]:
        found = self.refits(y)
        for one, theta, converged, singular in zip(y, found.theta, found.converged, found.singular, strict=True):
            start = theta if converged and not singular else None
            yield fitted(self.fit.model, one, warm(self.fit.engine, start))

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

    def _part(self, y: np.ndarray) -> Refits:
        criteria = ManyCriteria(
            self._shared, self._responses(y), self.fit.engine.restricted, self.fit.model.constants.get("sigma")
        )
        start = np.tile(self._start, (len(y), 1))
        found = search_many(criteria, start, self._likelihood.metric(self._start))
        return self._collected(criteria, found.x, found.values, found.converged)

    def _responses(self, y: np.ndarray) -> Responses:
        model, family = self.fit.model, self.fit.model.family
        used, design = model.design.used, model.design
        y = y[:, used]
        root = None if design.weights is None else np.sqrt(design.weights[used])
        jacobian = np.array([float(np.sum(family.log_jacobian(one))) for one in y])
        normal = family.normalised(y) - design.mu.offset[used]
        return responses(self._likelihood, normal, root, jacobian)

    def _collected(self, criteria: ManyCriteria, x: np.ndarray, values: np.ndarray, converged: np.ndarray) -> Refits:
        model = self.fit.model
        solution = criteria.solve(x)
        sigma, basis = criteria.sds(solution), self._likelihood.basis
        beta = criteria.given.beta0 + np.linalg.solve(basis.R, solution.beta.T).T if len(basis.R) else solution.beta
        blocks = many_blocks(model, self._likelihood.theta, x, sigma)
        parameters = Parameters({"mu": beta[None]}, blocks.factors, blocks.b, {"sigma": sigma[None]})
        return Refits(parameters, blocks.theta, -0.5 * values, converged, blocks.singular)
