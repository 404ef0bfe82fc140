"""Many hyperparameters at once where one grouping factor has all effects: its levels are integrals of their own.

The same conditional modes, curvatures and quadrature as one at a time, over arrays (points, levels): for small data the
time goes into calls, not into numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..laplace.approximation import LaplaceLikelihood
from ..newton import Ascent, Point, Step, climb
from ..quadrature.adaptive import level_sums
from ..quadrature.placing import Grid
from .marginal import Drawn, Places, by_term

SMALL = 5_000  # rows up to which points are evaluated side by side
MAX_STEPS = 50
FLOOR = 1e-3  # of the mean curvature: what a row without curvature of its own is given in a step
FLAT = 1e-13  # smallest over largest eigenvalue of M, which is at least the identity but for rounding


@dataclass(frozen=True)
class _Levels(Point):
    """Effects `u` (N, L, k), their log integrands `value` and log f by level without what is constant, `log` (N, L)."""

    u: np.ndarray
    log: np.ndarray


@dataclass(frozen=True)
class _LevelsStep(Step):
    """A full step of all levels (N, L, k), each with its decrement (N, L)."""

    u: np.ndarray


@dataclass(frozen=True)
class Integrands(Ascent[_Levels, _LevelsStep]):
    """log f(y | u) - u'u / 2 by level at N points; `fixed` (N, n) is the predictor without effects."""

    likelihood: LaplaceLikelihood
    fixed: np.ndarray
    factors: np.ndarray
    dispersion: dict[str, np.ndarray]
    in_step = True

    @classmethod
    def at(cls, likelihood: LaplaceLikelihood, x: np.ndarray) -> Integrands:
        """Those of x (N, .)."""
        rows = likelihood.rows
        fixed = rows.offset + x[:, likelihood.coefficients] @ rows.Q.T
        factors = np.stack([likelihood.factors(each)[0] for each in x])
        values = [likelihood.beside(each)[1] for each in x]
        dispersion = {name: np.array([[v[name]] for v in values]) for name in rows.family.dispersion}
        return cls(likelihood, fixed, factors, dispersion)

    def of(self, some: np.ndarray) -> Integrands:
        dispersion = {name: value[some] for name, value in self.dispersion.items()}
        return Integrands(self.likelihood, self.fixed[some], self.factors[some], dispersion)

    def point(self, u: np.ndarray) -> _Levels:
        """At effects u (N, L, k)."""
        log = self.log(u)
        return _Levels(log - 0.5 * np.sum(u**2, axis=2), u, log)

    def moved(self, at: _Levels, step: _LevelsStep, size: Any, last: Any) -> _Levels:
        return self.point(at.u + np.asarray(size)[..., None] * step.u)

    def step(self, at: _Levels) -> _LevelsStep:
        gradient, M = self.slopes(at.u, raised=True)
        step = _steps(M, gradient)
        decrement = np.sum(gradient * step, axis=2)
        return _LevelsStep(np.where(np.isfinite(at.value), decrement, np.nan), step)

    def effects(self, u: np.ndarray) -> np.ndarray:
        """b (N, L, k)."""
        return u @ self.factors.transpose(0, 2, 1)

    def log(self, u: np.ndarray) -> np.ndarray:
        """log f by level (N, L), -inf outside the domain of the link."""
        rows = self.likelihood.rows
        low, high = rows.family.eta_range
        eta = self._predictor(u)
        with np.errstate(all="ignore"):
            kernel = rows.family.derivatives(rows.observed, eta, self.dispersion, 0).kernel
        kernel = np.where((eta > low) & (eta < high) & np.isfinite(kernel), kernel, -np.inf)
        return level_sums(rows.block_rows[0], kernel)

    def slopes(self, u: np.ndarray, *, raised: bool) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (N, L, k) of the log integrand and minus its Hessian M (N, L, k, k).

        `raised` gives rows without curvature of their own a little, so that a step climbs.
        """
        rows = self.likelihood.rows
        block = rows.block_rows[0]
        with np.errstate(all="ignore"):
            d = rows.family.derivatives(rows.observed, self._predictor(u), self.dispersion, 2)
        g, V = np.nan_to_num(d.g), np.nan_to_num(d.V)
        if raised and np.min(V, initial=0.0) < 0:
            V = np.where(V > 0, V, np.maximum(np.abs(V), FLOOR * np.mean(np.abs(V), axis=1, keepdims=True)))
        Zg = np.stack([level_sums(block, g, j) for j in range(block.k)], axis=2)
        A = np.empty((*u.shape, block.k))
        for i in range(block.k):
            weighted = block.weighted(i, V)
            for j in range(i + 1):
                A[:, :, i, j] = A[:, :, j, i] = level_sums(block, weighted, j)
        Lambda = self.factors[:, None]
        M = np.swapaxes(Lambda, 2, 3) @ A @ Lambda + np.eye(block.k)
        return Zg @ self.factors - u, M

    def _predictor(self, u: np.ndarray) -> np.ndarray:
        rows, b = self.likelihood.rows.block_rows[0], self.effects(u)
        eta = self.fixed.copy()
        for j in range(rows.k):
            eta += rows.weighted(j, b[:, rows.codes, j])
        return eta


@dataclass(frozen=True)
class Together:
    """Points x (N, .) with their modes `u` (N, L, k), and C'^-1 of the Hessians M = C C' there, `half` (N, L, k, k).

    `kernel` (N, L) is log f at the modes by level without what is constant; `found` (N,) False where no mode was found
    this way.
    """

    integrands: Integrands
    u: np.ndarray
    half: np.ndarray
    kernel: np.ndarray
    found: np.ndarray

    @staticmethod
    def fits(likelihood: LaplaceLikelihood) -> bool:
        """Whether all effects are of one factor, and rows so few that calls would cost more than numbers."""
        return len(likelihood.rows.blocks) == 1 and likelihood.rows.n <= SMALL

    @property
    def places(self) -> Places:
        """The modes, to start a later search at."""
        return (self.u,)

    @classmethod
    def at(cls, likelihood: LaplaceLikelihood, x: np.ndarray, u: np.ndarray) -> Together:
        """Newton steps for every point and level from u (N, L, k)."""
        integrands = Integrands.at(likelihood, x)
        with np.errstate(over="ignore", invalid="ignore"):  # points far out overflow, and are not found
            ended = climb(integrands, integrands.point(u), MAX_STEPS)
            _, M = integrands.slopes(ended.at.u, raised=False)
            found = ended.settled & np.all(np.linalg.eigvalsh(M)[..., 0] > 0, axis=1)
        M[~found] = np.eye(M.shape[2])
        half = np.swapaxes(np.linalg.inv(np.linalg.cholesky(M)), 2, 3)
        return cls(integrands, ended.at.u, half, ended.at.log, found)

    def log_values(self, grid: Grid | None) -> np.ndarray:
        """log marginal likelihood (N,), by quadrature where there is a grid; NaN where no mode was found."""
        with np.errstate(divide="ignore", invalid="ignore"):  # of points where no mode was found
            log_det = -2 * np.sum(np.log(np.diagonal(self.half, axis1=2, axis2=3)), axis=2)
        if grid is None:
            log = self.kernel - 0.5 * np.sum(self.u**2, axis=2)
        else:
            terms = [self._term(z) + w for z, w in zip(grid.z, grid.log_w, strict=True)]
            log = np.logaddexp.reduce(terms, axis=0)
        total = np.sum(log - 0.5 * log_det, axis=1) + self.integrands.likelihood.constant
        return np.where(self.found, total, np.nan)

    def draws(self, x: np.ndarray, rng: np.random.Generator) -> list[Drawn]:
        """Coefficients as x (N, .) has them, and a draw of the effects of each point."""
        z = rng.standard_normal(self.u.shape)
        b = self.integrands.effects(self.u + (self.half @ z[..., None])[..., 0])
        likelihood = self.integrands.likelihood
        effects = [by_term(likelihood.rows.blocks, likelihood.rows.theta.bases, [each]) for each in b]
        return [(likelihood.beta(each), parts) for each, parts in zip(x, effects, strict=True)]

    def _term(self, z: np.ndarray) -> np.ndarray:
        u = self.u + self.half @ z
        return self.integrands.log(u) - 0.5 * np.sum(u**2, axis=2)


def _steps(M: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """M^-1 gradient (N, L, k), NaN at points where sds so large that the identity in M is lost make it singular."""
    try:
        return np.linalg.solve(M, gradient[..., None])[..., 0]
    except np.linalg.LinAlgError:
        finite = np.all(np.isfinite(M), axis=(1, 2, 3))
        lost = ~finite
        values = np.linalg.eigvalsh(M[finite])
        lost[finite] = np.any(values[..., 0] < FLAT * values[..., -1], axis=1)
        step = np.full_like(gradient, np.nan)
        step[~lost] = np.linalg.solve(M[~lost], gradient[~lost][..., None])[..., 0]
        return step
