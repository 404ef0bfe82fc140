"""Many hyperparameters at once where one grouping factor has all effects: its levels are integrals of their own.

The same conditional modes, curvatures and quadrature as one at a time, over arrays (points, levels): for small data the
time goes into calls, not into numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..laplace.approximation import LaplaceLikelihood
from ..quadrature.adaptive import level_sums
from ..quadrature.placing import Grid
from .marginal import Drawn, Places, by_term

SMALL = 5_000  # rows up to which points are evaluated side by side
MAX_STEPS, MAX_HALVINGS = 50, 20
FLOOR = 1e-3  # of the mean curvature: what a row without curvature of its own is given in a step
FLAT = 1e-13  # smallest over largest eigenvalue of M, which is at least the identity but for rounding
SETTLED = 1e-8  # Newton decrement of a level whose step leaves an error of the order of its square


@dataclass(frozen=True)
class Together:
    """Points x (N, .) with their modes `u` (N, L, k), and C'^-1 of the Hessians M = C C' there, `half` (N, L, k, k).

    `fixed` (N, n) is the predictor without effects, `kernel` (N, L) log f at the modes by level without what is
    constant; `found` (N,) False where no mode was found this way.
    """

    likelihood: LaplaceLikelihood
    fixed: np.ndarray
    factors: np.ndarray
    dispersion: dict[str, np.ndarray]
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
        rows, first = likelihood.rows, likelihood.n_theta
        fixed = rows.offset + x[:, first : first + likelihood.p] @ rows.Q.T
        factors = np.stack([likelihood.factors(each)[0] for each in x])
        values = [likelihood.split(each)[2] for each in x]
        dispersion = {name: np.array([[v[name]] for v in values]) for name in rows.family.dispersion}
        nothing = np.zeros(0)
        start = cls(likelihood, fixed, factors, dispersion, u, nothing, nothing, nothing)
        with np.errstate(over="ignore", invalid="ignore"):  # points far out overflow, and are not found
            return start._settled()

    def log_values(self, grid: Grid | None) -> np.ndarray:
        """log marginal likelihood (N,), by quadrature where there is a grid; NaN where no mode was found."""
        with np.errstate(divide="ignore", invalid="ignore"):  # of points where no mode was found
            log_det = -2 * np.sum(np.log(np.diagonal(self.half, axis1=2, axis2=3)), axis=2)
        if grid is None:
            log = self.kernel - 0.5 * np.sum(self.u**2, axis=2)
        else:
            terms = [self._term(z) + w for z, w in zip(grid.z, grid.log_w, strict=True)]
            log = np.logaddexp.reduce(terms, axis=0)
        total = np.sum(log - 0.5 * log_det, axis=1) + self.likelihood.constant
        return np.where(self.found, total, np.nan)

    def draws(self, x: np.ndarray, rng: np.random.Generator) -> list[Drawn]:
        """Coefficients as x (N, .) has them, and a draw of the effects of each point."""
        z = rng.standard_normal(self.u.shape)
        b = self._effects(self.u + (self.half @ z[..., None])[..., 0])
        rows = self.likelihood.rows
        effects = [by_term(rows.blocks, rows.term_bases, [each]) for each in b]
        return [(self.likelihood.beta(each), parts) for each, parts in zip(x, effects, strict=True)]

    def _effects(self, u: np.ndarray) -> np.ndarray:
        return u @ self.factors.transpose(0, 2, 1)

    def _predictor(self, u: np.ndarray) -> np.ndarray:
        rows, b = self.likelihood.rows.block_rows[0], self._effects(u)
        eta = self.fixed.copy()
        for j in range(rows.k):
            eta += rows.weighted(j, b[:, rows.codes, j])
        return eta

    def _log(self, u: np.ndarray) -> np.ndarray:
        """log f by level (N, L), -inf outside the domain of the link."""
        rows = self.likelihood.rows
        low, high = rows.family.eta_range
        eta = self._predictor(u)
        with np.errstate(all="ignore"):
            kernel = rows.family.derivatives(rows.observed, eta, self.dispersion, 0).kernel
        kernel = np.where((eta > low) & (eta < high) & np.isfinite(kernel), kernel, -np.inf)
        return level_sums(rows.block_rows[0], kernel)

    def _term(self, z: np.ndarray) -> np.ndarray:
        u = self.u + self.half @ z
        return self._log(u) - 0.5 * np.sum(u**2, axis=2)

    def _slopes(self, u: np.ndarray, *, raised: bool) -> tuple[np.ndarray, np.ndarray]:
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

    def _settled(self) -> Together:
        u, found = self.u, np.ones(len(self.u), dtype=bool)
        log = self._log(u)
        value, settled = log - 0.5 * np.sum(u**2, axis=2), np.zeros(len(u), dtype=bool)
        for _ in range(MAX_STEPS):
            gradient, M = self._slopes(u, raised=True)
            found &= np.all(np.isfinite(value), axis=1)
            step = _steps(M, gradient, found)
            settled = np.max(np.sum(gradient * step, axis=2), axis=1, initial=0.0) < SETTLED
            u, log, value = self._halved(u, step, log, value)
            if np.all(settled | ~found):
                break
        _, M = self._slopes(u, raised=False)
        found &= settled & np.all(np.linalg.eigvalsh(M)[..., 0] > 0, axis=1)
        M[~found] = np.eye(M.shape[2])
        half = np.swapaxes(np.linalg.inv(np.linalg.cholesky(M)), 2, 3)
        return replace(self, u=u, half=half, kernel=log, found=found)

    def _halved(
        self, u: np.ndarray, step: np.ndarray, log: np.ndarray, value: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first of the full, half ... steps of each level that does not lower its value."""
        size = np.ones(value.shape)
        for _ in range(MAX_HALVINGS):
            new = u + size[..., None] * step
            new_log = self._log(new)
            new_value = new_log - 0.5 * np.sum(new**2, axis=2)
            worse = ~(new_value >= value - 1e-12 * (1 + np.abs(value)))
            if not worse.any():
                break
            size[worse] /= 2
        stays = worse[..., None]
        return np.where(stays, u, new), np.where(worse, log, new_log), np.where(worse, value, new_value)


def _steps(M: np.ndarray, gradient: np.ndarray, found: np.ndarray) -> np.ndarray:
    """M^-1 gradient (N, L, k); points where sds so large that the identity in M is lost make it singular are given up.

    Their `found` and their steps become False and zero.
    """
    try:
        return np.linalg.solve(M, gradient[..., None])[..., 0]
    except np.linalg.LinAlgError:
        finite = np.all(np.isfinite(M), axis=(1, 2, 3))
        lost = ~finite
        values = np.linalg.eigvalsh(M[finite])
        lost[finite] = np.any(values[..., 0] < FLAT * values[..., -1], axis=1)
        found &= ~lost
        step = np.zeros_like(gradient)
        step[~lost] = np.linalg.solve(M[~lost], gradient[~lost][..., None])[..., 0]
        return step
