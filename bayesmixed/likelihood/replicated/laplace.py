"""Laplace's deviance of many responses of one generalized model, each at parameters of its own, with its gradient.

`laplace.approximation` with a trailing axis over the responses, for one grouping factor or none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...families import MAIN, Observed
from ..laplace.approximation import LaplaceLikelihood
from ..working.theta import Theta
from .modes import LevelRows, ManyValues, derivatives, find_modes
from .small import applied, lower_inverse, lower_root, product, transposed

WIDEST = 6  # columns of the factor's effects, whose matrices are written out


def approximates(likelihood: LaplaceLikelihood) -> bool:
    """Whether many responses can be approximated together: one factor of few columns, factors linear in theta.

    Derivatives that are compiled for each shape would be compiled again whenever a search ends.
    """
    rows = likelihood.rows
    if rows.family.compiled:
        return False
    few = len(rows.blocks) <= 1 and all(block.k <= WIDEST for block in rows.blocks)
    return few and all(structure.linear for structure in rows.theta.covariances)


@dataclass(frozen=True, eq=False)
class ManyLaplace:
    """The deviances of responses `y` (n, B).

    `u` (k, L, B) remembers the last modes: where the next are looked for first.
    """

    likelihood: LaplaceLikelihood
    y: np.ndarray
    u: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, likelihood: LaplaceLikelihood, y: np.ndarray) -> ManyLaplace:
        """The deviances of these responses."""
        k, levels = next(((block.k, block.n_levels) for block in likelihood.rows.blocks), (0, 0))
        return cls(likelihood, y, np.zeros((k, levels, y.shape[1])))

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.likelihood.theta

    def one(self, member: int) -> None:
        """None: a search that did not end well is left to a full fit, which knows what has no maximum."""

    @cached_property
    def levels(self) -> LevelRows | None:
        """The rows by level."""
        return LevelRows.of(self.likelihood.rows)

    @cached_property
    def elements(self) -> np.ndarray:
        """d Lambda / d theta (m, k, k): factors are linear in theta."""
        theta, blocks = self.theta, self.likelihood.rows.blocks
        return np.array([theta.block_factor(one, blocks[0]) for one in np.eye(theta.size)]) if blocks else np.zeros(0)

    @cached_property
    def constants(self) -> np.ndarray:
        """The terms (B,) of log f without parameters."""
        rows = self.likelihood.rows
        return np.array([np.sum(rows.family.constant(Observed(y, *rows.observed[1:]))) for y in self.y.T])

    def values(self, x: np.ndarray, members: np.ndarray) -> np.ndarray:
        """The deviances (b,) of some responses at x (b, m); infinite where there is no mode."""
        return self._evaluated(x, members, gradient=False)[0]

    def values_and_gradients(self, x: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The deviances (b,) of some responses and their exact gradients (b, m) at x (b, m)."""
        return self._evaluated(x, members, gradient=True)

    def points(self, x: np.ndarray, members: np.ndarray) -> ManyValues:
        """What x (b, m) stands for."""
        likelihood, rows = self.likelihood, self.likelihood.rows
        where = likelihood.coefficients
        fixed = rows.offset[:, None] + rows.Q @ x[:, where].T
        free = {
            each.name: np.asarray(each.value(at))[None, :]
            for each, at in zip(likelihood.free_parameters, x[:, where.stop :].T, strict=True)
        }
        held = {name: np.full((1, len(x)), value) for name, value in likelihood.held.items()}
        dispersion = {name: (held | free)[name] for name in rows.family.dispersion}
        Lambda = np.zeros((0, 0, len(x)))
        if rows.blocks:
            Lambda = np.einsum("mij,bm->ijb", self.elements, x[:, : self.theta.size])
        return ManyValues(self.y[:, members], fixed, Lambda, dispersion)

    def _evaluated(self, x: np.ndarray, members: np.ndarray, gradient: bool) -> tuple[np.ndarray, np.ndarray]:
        values = self.points(x, members)
        with np.errstate(all="ignore"):  # what overflows on the way is halved or given up
            found = find_modes(self.likelihood.rows, self.levels, values, self.u[:, :, members])
            good = np.isfinite(found.values)
            self.u[:, :, members[good]] = found.u[:, :, good]
            deviance, slopes = self._curved(x, values, found.u, found.eta, gradient)
        deviance = found.values - 2 * self.constants[members] + deviance
        return np.where(np.isfinite(deviance), deviance, np.inf), slopes

    def _curved(
        self, x: np.ndarray, values: ManyValues, u: np.ndarray, eta: np.ndarray, gradient: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """log|M| (b,) at the modes and the gradient (b, m) of the deviance."""
        rows, levels, Lambda = self.likelihood.rows, self.levels, values.Lambda[:, :, None]
        d = derivatives(rows, values, eta, 3 if gradient else 2)
        kappa, spread, h = -2 * d.g if gradient else None, np.zeros_like(eta), np.zeros_like(eta)
        log_det, theta = np.zeros(len(x)), np.zeros((0, len(x)))
        if levels is not None:
            A = levels.products(d.V)
            M = product(transposed(Lambda), product(A, Lambda))
            M[np.arange(len(M)), np.arange(len(M))] += 1.0
            root = lower_root(M)
            log_det = 2 * sum(np.log(root[i, i]).sum(axis=0) for i in range(len(M)))
            if kappa is not None:
                half = lower_inverse(root)
                left = product(half, np.broadcast_to(transposed(Lambda), M.shape))
                W, Q = product(transposed(left), left), product(transposed(left), half)
                h = levels.quadratic(W)
                t = h * d.dV
                spread = levels.spread(applied(W, levels.sums(t)))
                zeta = t - d.V * spread
                kappa = kappa + zeta
                a = applied(transposed(Lambda), levels.sums(zeta))
                slope = 2 * product(A, Q).sum(axis=2)
                slope += np.einsum("alb,clb->acb", levels.sums(kappa), u)
                slope += np.einsum("alb,clb->acb", levels.sums(d.g), a)
                theta = np.einsum("mij,ijb->mb", self.elements, slope)
        if kappa is None:
            return log_det, np.zeros_like(x)
        phi = [
            (h * d.third(MAIN, MAIN, each.name) - spread * d.curvature(MAIN, each.name) - 2 * d.slope(each.name)).sum(
                axis=0
            )
            * each.slope(values.dispersion[each.name][0])
            for each in self.likelihood.free_parameters
        ]
        return log_det, np.concatenate([theta, rows.Q.T @ kappa, np.array(phi).reshape(-1, len(x))]).T
