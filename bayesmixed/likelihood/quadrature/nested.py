"""Quadrature for a nested pair of factors: the outer effect's nodes outside, inner levels integrated given each.

Outer nodes are placed by the joint mode and the outer effect's marginal curvature S = M_aa - M_ab M_bb^-1 M_ba; at each
of them the inner effects have a mode, a curvature and nodes of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..laplace.approximation import Curved, LaplaceLikelihood
from ..working.gram import Cross
from .adaptive import Evaluated, Integral, Slopes, gradient_of, integrate, one_factor
from .placing import Grid, Placement, moved

INNER, OUTER = 0, 1  # blocks come with the most levels first


@dataclass(frozen=True)
class NestedPair:
    """The log-likelihood of a model whose first factor's levels each lie in one level of the second."""

    laplace: LaplaceLikelihood
    inner: Grid
    outer: Grid

    def loglik(self, x: np.ndarray, curved: Curved) -> float:
        """With every constant."""
        return float(self.logs(x, curved).sum()) + self.laplace.constant

    def logs(self, x: np.ndarray, curved: Curved) -> np.ndarray:
        """log of the integral (A,) of each outer level, without the constant."""
        return self._integral(x, curved, _placed(self.laplace, x, curved), slopes=False).log

    def loglik_and_gradient(self, x: np.ndarray, curved: Curved) -> tuple[float, np.ndarray]:
        """The log-likelihood and its exact gradient in x, the movement of all nodes included."""
        laplace, d = self.laplace, curved.derivatives
        rows, factors, placed = laplace.rows, laplace.factors(x), _placed(laplace, x, curved)
        found = self._integral(x, curved, placed, slopes=True)
        S_slope = placed.nodes.slope(found.P)
        h, slopes = _through_curvature(laplace, curved, factors, placed, S_slope)
        still = np.zeros_like(curved.mode.u[INNER])
        back = moved(rows, curved, factors, h * d.dV, [still, found.centre])
        assert found.factor is not None  # the integrand's
        slopes[INNER] += found.factor.sum(axis=0)
        slopes[OUTER] += found.own.sum(axis=0)
        slopes = [s + back.factor_slopes(i, rows.block_rows[i]).sum(axis=0) for i, s in enumerate(slopes)]
        phi = {name: np.append(found.phi[name], float(np.sum(back.through(name, h)))) for name in laplace.free}
        gradient = gradient_of(laplace, x, found.g + back.zeta, slopes, phi)
        return float(found.log.sum()) + laplace.constant, gradient

    def _integral(self, x: np.ndarray, curved: Curved, placed: _Placed, slopes: bool) -> Integral:
        laplace = self.laplace
        block, Lambda = laplace.rows.block_rows[OUTER], laplace.factors(x)[OUTER]
        integrand = _Inner(laplace, x, curved, placed, self.inner)
        fixed = laplace.rows.offset + laplace.rows.Q @ laplace.beside(x)[0]
        return integrate(integrand, block, Lambda, fixed, placed.nodes, self.outer, slopes=slopes)


@dataclass(frozen=True)
class _Placed:
    """Outer `nodes`; per inner level `of` (B,) its outer level, `E` (B, k_b, k_a) = M_bb^-1 M_ba, `A` = Z_b'VZ_a."""

    nodes: Placement
    of: np.ndarray
    E: np.ndarray
    A: np.ndarray


def _placed(laplace: LaplaceLikelihood, x: np.ndarray, curved: Curved) -> _Placed:
    _, Lambda_a = laplace.factors(x)
    A, of = _by_inner_level(curved.gram.cross[INNER, OUTER], laplace.rows.blocks[INNER].n_levels)
    largest = curved.solution.largest
    assert largest is not None  # there are two blocks
    E = largest.Q.transpose(0, 2, 1) @ A @ Lambda_a
    eliminated = np.zeros_like(curved.gram.zz[OUTER])
    np.add.at(eliminated, of, A.transpose(0, 2, 1) @ largest.W @ A)
    S = Lambda_a.T @ (curved.gram.zz[OUTER] - eliminated) @ Lambda_a + np.eye(len(Lambda_a))
    return _Placed(Placement.of(curved.mode.u[OUTER], S), of, E, A)


def _by_inner_level(cross: Cross, n_levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Z_b'VZ_a (B, k_b, k_a) and the outer level (B,) of each inner level; those without rows count as of the first."""
    A, of = np.zeros((n_levels, *cross.values.shape[1:])), np.zeros(n_levels, dtype=np.int64)
    A[cross.rows], of[cross.rows] = cross.values, cross.columns
    return A, of


def _through_curvature(
    laplace: LaplaceLikelihood, curved: Curved, factors: list[np.ndarray], placed: _Placed, S_slope: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """dF / dV (n,) and dF / dLambda per block through S, for dF / dS (A, k_a, k_a) at the joint mode.

    dS = [-E', I] dM [-E; I] with M the joint Hessian, so that M's slope is [-E; I] dF/dS [-E', I].
    """
    rows, (Lambda_b, Lambda_a), E = laplace.rows, factors, placed.E
    ab = -E @ S_slope[placed.of]
    bb = -ab @ E.transpose(0, 2, 1)
    h = rows.block_rows[OUTER].quadratic(Lambda_a @ S_slope @ Lambda_a.T)
    h += rows.block_rows[INNER].quadratic(Lambda_b @ bb @ Lambda_b.T)
    pairs = rows.pairs[INNER, OUTER]
    h += 2 * pairs.bilinear(rows.block_rows[INNER], rows.block_rows[OUTER], (Lambda_b @ ab @ Lambda_a.T)[pairs.a])
    zz, A = curved.gram.zz, placed.A
    inner = zz[INNER] @ Lambda_b @ bb + A @ Lambda_a @ ab.transpose(0, 2, 1)
    outer = (zz[OUTER] @ Lambda_a @ S_slope).sum(axis=0) + (A.transpose(0, 2, 1) @ Lambda_b @ ab).sum(axis=0)
    return h, [2 * inner.sum(axis=0), 2 * outer]


@dataclass(frozen=True)
class _Inner:
    """log f(y | outer effects) by outer level: the inner effects integrated at each outer node."""

    laplace: LaplaceLikelihood
    x: np.ndarray
    curved: Curved
    placed: _Placed
    grid: Grid

    def __call__(self, eta: np.ndarray, u: np.ndarray, slopes: bool) -> Evaluated:
        found = [self._at(one, effects, slopes) for one, effects in zip(eta, u, strict=True)]
        log = np.stack([self._by_outer(part.log) for part in found])
        if not slopes:
            return Evaluated(log)
        phi = {name: np.stack([self._by_outer(part.phi[name]) for part in found]) for name in self.laplace.free}
        factor = np.stack([self._by_outer(part.factor) for part in found])
        return Evaluated(log, np.stack([part.eta for part in found]), phi, factor)

    def _at(self, eta: np.ndarray, u: np.ndarray, slopes: bool) -> Slopes:
        """Integrals over the inner effects at outer effects u (A, k_a), which eta (n,) holds."""
        laplace, x = self.laplace, self.x
        rows = laplace.rows
        beta, dispersion = laplace.beside(x)
        alone = replace(
            rows,
            offset=eta - rows.Q @ beta,
            blocks=rows.blocks[:1],
            block_rows=rows.block_rows[:1],
            pairs={},
        )
        conditional = LaplaceLikelihood(alone, None, laplace.held, 0.0)
        away = (u - self.curved.mode.u[OUTER])[self.placed.of]
        start = self.curved.mode.u[INNER] - (self.placed.E @ away[:, :, None])[:, :, 0]
        curved = conditional.curved(x, conditional.mode(x, (start,)))
        Lambda = conditional.factors(x)[0]
        return one_factor(alone, Lambda, (dispersion, laplace.free), curved, self.grid, slopes=slopes)

    def _by_outer(self, values: np.ndarray) -> np.ndarray:
        """Sums (A, ...) by outer level of values (B, ...) by inner level."""
        total = np.zeros((self.laplace.rows.blocks[OUTER].n_levels, *values.shape[1:]))
        np.add.at(total, self.placed.of, values)
        return total
