"""Refits of a generalized mixed model by Laplace's approximation, their searches side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...families import Observed
from ...fits.point import PointFit
from ...likelihood.at import laplace_of
from ...likelihood.boundary import SNAP
from ...likelihood.criteria.laplace_deviance import LaplaceCriterion
from ...likelihood.laplace.approximation import LaplaceLikelihood
from ...likelihood.laplace.start import starts
from ...likelihood.replicated.hessians import covariances, many_hessians
from ...likelihood.replicated.laplace import ManyLaplace, approximates
from ...parameters.values import Parameters
from ...priors.default import column_spreads
from ..generalized.runaway import reaches
from ..machine.blas import blas_threads
from ..search.many import ManyFound, search_many
from .alone import chosen_way, fitted, warm
from .blocks import ManyBlocks, many_blocks
from .refits import Refits, Refitter

if TYPE_CHECKING:
    from ..base import Engine

NUMBERS = 2**16  # rows times responses of a part that is searched at once: its arrays stay in the cache
WIDE = 3.0  # sd of an effect on the scale of the link from which it is asked whether it has a maximum


def approximated_together(fit: PointFit) -> bool:
    """Whether refits of a generalized model can be searched as arrays: see `approximates`."""
    if fit.engine.quadrature != 1 or chosen_way(fit.engine) or fit.curvature is None:
        return False
    return len(fit.model.design.predictors) == 1 and approximates(laplace_of(fit.model))


@dataclass(frozen=True, eq=False)
class Approximated(Refitter):
    """Laplace's maximum-likelihood refits of the model of `fit`, from its estimates."""

    fit: PointFit

    together = True
    curved = True

    def refits(self, y: np.ndarray) -> Refits:
        step = max(8, NUMBERS // max(self._likelihood.rows.n, 1))
        with blas_threads(0):
            return Refits.joined([self._part(y[first : first + step]) for first in range(0, len(y), step)])

    def fits(self, y: np.ndarray) -> Iterator[PointFit | None]:
        for one in y:
            yield fitted(self.fit.model, one, self._warm)

    def covariances(self, y: np.ndarray, refits: Refits) -> np.ndarray:
        """By the Hessian of the deviance; of replicates where that is not positive those of full fits."""
        step = max(8, NUMBERS // max(self._likelihood.rows.n, 1))
        with blas_threads(0):
            parts = [slice(first, first + step) for first in range(0, len(y), step)]
            found = np.concatenate([self._curved(y[part], refits.take(np.arange(len(y))[part])) for part in parts])
        lost = np.flatnonzero(np.isnan(found).any(axis=(1, 2)) & refits.converged)
        for i, fit in zip(lost, self.fits(y[lost]), strict=True):
            if fit is not None:
                found[i] = fit.coefficient_covariance
        return found

    @property
    def _warm(self) -> Engine:
        return warm(self.fit.engine, None if self.fit.status.singular_scaled else self.fit.theta)

    @cached_property
    def _likelihood(self) -> LaplaceLikelihood:
        return laplace_of(self.fit.model)

    @cached_property
    def _start(self) -> tuple[np.ndarray, np.ndarray]:
        """x of the fit and its inverse Hessian; a start from moments where the fit is at a boundary."""
        likelihood, curvature = self._likelihood, self.fit.curvature
        assert curvature is not None  # asked before
        x = np.array(curvature.x)
        near = any(edge.distance < SNAP for group in likelihood.theta.edges(x) for edge in group)
        if near or not np.all(curvature.eigenvalues > 0) or len(curvature.free) < len(x):
            x = starts(likelihood).x
            return x, LaplaceCriterion(likelihood).metric(x)
        inverse = np.linalg.inv(curvature.hessian)
        return x, 0.5 * (inverse + inverse.T)

    def _seen(self, y: np.ndarray) -> np.ndarray:
        """Responses (n, B) of the rows that count, as the likelihood has them."""
        design = self.fit.model.design
        return np.ascontiguousarray(design.read(y)[:, design.used].T)

    def _curved(self, y: np.ndarray, refits: Refits) -> np.ndarray:
        likelihood, theta = self._likelihood, self._likelihood.theta
        x, held = self._at(refits), np.zeros((len(y), len(self._start[0])), dtype=bool)
        for i in np.flatnonzero(refits.singular):
            held[i, theta.on_bound(x[i])] = True
        H = many_hessians(ManyLaplace.of(likelihood, self._seen(y)), x, 2 * np.abs(np.diag(self._start[1])))
        where, inverse = likelihood.coefficients, np.linalg.inv(likelihood.rows.R)
        found: np.ndarray = inverse @ covariances(H, held)[:, where, where] @ inverse.T
        return found

    def _at(self, refits: Refits) -> np.ndarray:
        """x (B, m) of estimates; what a failed one has not stays where the search began."""
        likelihood, values = self._likelihood, refits.parameters
        x = np.tile(self._start[0], (len(refits), 1))
        where = likelihood.coefficients
        for i in np.flatnonzero(refits.converged):
            x[i, : where.start] = likelihood.theta.working(refits.theta[i])
            x[i, where] = likelihood.rows.R @ values.beta[0, i]
            for j, each in enumerate(likelihood.free_parameters, where.stop):
                x[i, j] = each.working(values.dispersion[each.name][0, i])
        return x

    def _part(self, y: np.ndarray) -> Refits:
        seen = self._seen(y)
        criteria = ManyLaplace.of(self._likelihood, seen)
        start, metric = self._start
        found = search_many(criteria, np.tile(start, (len(y), 1)), metric)
        refits = self._collected(found)
        return self._checked(y, seen, refits)

    def _collected(self, found: ManyFound) -> Refits:
        likelihood, x = self._likelihood, found.x
        where = likelihood.coefficients
        rows = likelihood.rows
        blocks: ManyBlocks = many_blocks(self.fit.model, rows.theta, x, np.ones(len(x)), rows.unit)
        beta = np.linalg.solve(rows.R, x[:, where].T).T if likelihood.p else x[:, where]
        dispersion = {name: np.full((1, len(x)), value) for name, value in likelihood.held.items()}
        for each, at in zip(likelihood.free_parameters, x[:, where.stop :].T, strict=True):
            dispersion[each.name] = np.asarray(each.value(at))[None]
        ordered = {name: dispersion[name] for name in self.fit.parameters.dispersion}
        parameters = Parameters({"mu": beta[None]}, blocks.factors, blocks.b, ordered)
        return Refits(parameters, blocks.theta, -0.5 * found.values, found.converged, blocks.singular)

    def _checked(self, y: np.ndarray, seen: np.ndarray, refits: Refits) -> Refits:
        """The same with full fits, which know what has no maximum, of all that may have none or did not converge."""
        model, design = self.fit.model, self.fit.model.design
        far = min(reaches(model.family), default=np.inf)
        sizes = np.abs(refits.parameters.beta[0]) * column_spreads(design.mu.X[design.used])
        doubtful = ~refits.converged | np.any(sizes > far, axis=1) | self._mute(seen)
        if model.family.discrete:
            for sds, term in zip(refits.parameters.sds, design.groups, strict=True):
                spread = sds[0] * np.sqrt(np.mean(term.Z[design.used] ** 2, axis=0))
                doubtful |= np.any(spread > WIDE, axis=1)
        some = np.flatnonzero(doubtful)
        if not len(some):
            return refits
        again = Refits.of(list(self.fits(y[some])), self.fit)
        return refits.replaced(some, again)

    def _mute(self, seen: np.ndarray) -> np.ndarray:
        """Responses (B,) that say nothing of the parameters, such as zeros alone."""
        rows = self._likelihood.rows
        return np.array([rows.family.says_nothing(Observed(y, *rows.observed[1:]), rows.offset) for y in seen.T])
