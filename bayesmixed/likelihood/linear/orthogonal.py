"""Penalised least squares by orthogonal factors: for effects so large beside the residual that cross-products lose it.

With lambda = sd / sigma the elimination of `pls` subtracts numbers whose difference is lambda^-2 of them: nothing is
left of it from lambda = 1e8 on, and a search sees noise from 1e6 on. Here the same elimination is done with square
roots, whose digits go with lambda^-1. Rows of each level of the largest factor are turned (Z_l = Q_l R_l, once) into
Q_l'W_l and what Q_l leaves of W_l = [Z_rest, X, y]; with K = R_l Lambda_0 and E'E = (I + K K')^-1 the factor of

    N = [E_l Q_l'W_l for every level; the rest of the rows; Lambda_t^-1 for the tail]     (tail columns times Lambda_t)

holds S, U and r^2 of `pls` as squares of its diagonal blocks. All gradients come from its orthonormal part P, without
a difference of large numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import qr, solve_triangular

from ..elimination.storage import Matrices
from ..elimination.tail import Tail
from ..working.blocks import Block
from .modes import Modes
from .pls import Largest, Rest, Solution

ENTRIES = 2e7  # numbers in the dense rows (160 MB) up to which they are formed
WORK = 4e9  # multiplications of one factorisation up to which it is made
DEPENDENT = 1e-10  # of a column's length: what is left of it after others where it depends on them
EPSILON = float(np.finfo(float).eps)
DIRECT = 1.0  # singular value of Lambda below which Z'e is formed from residuals, above which from u


@dataclass(frozen=True)
class OrthogonalRows:
    """Rows turned by the largest factor's levels: `R` (L, k, k), `G` = Q'W (L, k, m), `F` (f, m) of what is left.

    W = [columns of the other factors, X, y]; `widths` are levels and columns of each other factor, `p` fixed effects,
    `spare` the rows beyond the rank of all columns, `left` the root mean square over them of what no coefficient
    explains, `rounding` that of the response's last digit.
    """

    R: np.ndarray
    G: np.ndarray
    F: np.ndarray
    widths: tuple[tuple[int, int], ...]
    p: int
    spare: int
    left: float
    rounding: float

    @property
    def n_tail(self) -> int:
        """Columns of the other factors."""
        return sum(levels * k for levels, k in self.widths)


def affordable(blocks: Sequence[Block], tail: Tail | None, n: int, p: int) -> bool:
    """Whether the dense rows and their factorisations are small enough, and the tail keeps whole matrices."""
    if not blocks or (tail is not None and not tail.storage.whole):
        return False
    width = sum(block.n_levels * block.k for block in blocks[1:]) + p + 1
    rows = blocks[0].n_levels * blocks[0].k + 2 * width
    return n * width <= ENTRIES and rows * width**2 <= WORK


def orthogonal_rows(
    blocks: Sequence[Block], Z: Sequence[np.ndarray], W: np.ndarray, response: np.ndarray
) -> OrthogonalRows:
    """Turn the conditioned rows.

    Parameters
    ----------
    blocks, Z, W
        As for `gram`.
    response
        (n,) the weighted response as observed, whose last digit bounds what can be told from zero.
    """
    first, n = blocks[0], len(W)
    others = [_spread(block, z) for block, z in zip(blocks[1:], Z[1:], strict=True)]
    left = np.column_stack([*others, W])
    sums = sparse.csr_array((np.ones(n), (first.codes, np.arange(n))), shape=(first.n_levels, n))
    Q, R = _within_levels(first, Z[0], sums)
    G = np.zeros((first.n_levels, first.k, left.shape[1]))
    for _ in range(2):
        for i, q in enumerate(Q.T):
            step = sums @ (left * q[:, None])
            left -= step[first.codes] * q[:, None]
            G[:, i] += step
    F: np.ndarray = np.linalg.qr(left, mode="r")  # type: ignore[assignment]
    ranks = int(np.sum(np.diagonal(R, axis1=1, axis2=2) > 0))
    spare, rest = _unexplained(F, n - ranks)
    return OrthogonalRows(
        R=R,
        G=G,
        F=F,
        widths=tuple((block.n_levels, block.k) for block in blocks[1:]),
        p=W.shape[1] - 1,
        spare=spare,
        left=rest,
        rounding=EPSILON * float(np.sqrt(np.mean(response**2))),
    )


def _spread(block: Block, z: np.ndarray) -> np.ndarray:
    dense = np.zeros((len(z), block.n_levels, block.k))
    dense[np.arange(len(z)), block.codes] = z
    return dense.reshape(len(z), -1)


def _within_levels(block: Block, Z: np.ndarray, sums: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Q (n, k) and R (L, k, k) with Z = Q R per level, by Gram-Schmidt done twice; dependent columns leave zeros."""
    Q, R = np.zeros_like(Z), np.zeros((block.n_levels, block.k, block.k))
    for j in range(block.k):
        column = Z[:, j].copy()
        length = np.sqrt(sums @ column**2)
        for _ in range(2):
            for i in range(j):
                step = sums @ (Q[:, i] * column)
                column -= step[block.codes] * Q[:, i]
                R[:, i, j] += step
        norm = np.sqrt(sums @ column**2)
        norm[norm <= DEPENDENT * length] = 0.0
        R[:, j, j] = norm
        Q[:, j] = np.where(norm > 0, 1 / np.where(norm > 0, norm, 1.0), 0.0)[block.codes] * column
    return Q, R


def _unexplained(F: np.ndarray, rows: int) -> tuple[int, float]:
    """Rows beyond the rank of the columns, and the root mean square over them of the response's distance."""
    columns, y = F[:, :-1], F[:, -1]
    Q, R, _ = qr(columns, mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(R))
    rank = int(np.sum(diagonal > DEPENDENT * np.max(diagonal, initial=0.0)))
    for _ in range(2):
        y = y - Q[:, :rank] @ (Q[:, :rank].T @ y)
    spare = rows - rank
    return spare, float(np.sqrt(np.sum(y**2) / max(spare, 1)))


@dataclass(frozen=True)
class OrthogonalSolution(Solution):
    """A solution with its orthogonal factor: what gradients and modes need without loss.

    `E`, `K` (L, k, k); `P` (rows, m) and `N` (rows, q_t), the unscaled tail columns without their penalty;
    `triangle` (m, m) the factor of N; `factors` Lambda of each block; `log_det` = log|M|.
    """

    turned: OrthogonalRows
    factors: tuple[np.ndarray, ...]
    E: np.ndarray
    K: np.ndarray
    P: np.ndarray
    N: np.ndarray
    triangle: np.ndarray
    log_det: float

    @property
    def log_det_M(self) -> float:
        """log|M| = log|M_0| + log|S|."""
        return self.log_det

    def modes(self) -> Modes:
        """Conditional modes b and Z'e at `beta`."""
        q, levels = self.turned.n_tail, len(self.turned.R)
        contrast = np.append(-self.beta, 1.0)[:, None]
        residual = self.P[:, q:] @ (self.triangle[q:, q:] @ contrast)
        rho = residual[: levels * self.E.shape[1]].reshape(levels, -1)
        b_0 = np.einsum("lij,li->lj", self.K, np.einsum("lij,li->lj", self.E, rho)) @ self.factors[0].T
        b, first = [b_0], len(self.N)
        for (count, k), Lambda in zip(self.turned.widths, self.factors[1:], strict=True):
            b.append(-residual[first : first + count * k].reshape(count, k) @ Lambda.T)
            first += count * k
        return Modes(tuple(b), tuple(products[:, :, 0] for products in self._products(residual)))

    def fixed_products(self) -> list[np.ndarray]:
        """Per block Z'V^-1 X (L, k, p), V relative to sigma^2."""
        fixed = slice(self.turned.n_tail, self.turned.n_tail + self.turned.p)
        return self._products(self.P[:, fixed] @ self.triangle[fixed, fixed])

    def _products(self, residual: np.ndarray) -> list[np.ndarray]:
        """Per block Z' (L, k, m) times what the effects leave of m columns: `residual` (rows, m) in the turned rows."""
        levels, m = len(self.turned.R), residual.shape[1]
        rho = residual[: levels * self.E.shape[1]].reshape(levels, -1, m)
        found, first = [self.turned.R.transpose(0, 2, 1) @ (self.E.transpose(0, 2, 1) @ rho)], 0
        direct = self.N.T @ residual[: len(self.N)]
        for (count, k), Lambda in zip(self.turned.widths, self.factors[1:], strict=True):
            part = slice(first, first + count * k)
            u = -residual[len(self.N) :][part].reshape(count, k, m)
            turned = _unscaled(np.moveaxis(u, 2, 1), Lambda, np.moveaxis(direct[part].reshape(count, k, m), 2, 1))
            found.append(np.moveaxis(turned, 2, 1))
            first += count * k
        return found

    def log_det_slopes(self, reml: bool) -> list[np.ndarray]:
        """Per block d log|M| / d Lambda (k, k); with `reml` of log|M| + log|U_xx|."""
        q, p, levels = self.turned.n_tail, self.turned.p, len(self.turned.R)
        tt, tx = self.triangle[:q, :q], self.triangle[:q, q : q + p]
        P_t, X = self.P[:, :q], self.P[:, q : q + p] @ self.triangle[q : q + p, q : q + p]
        back = P_t.copy()
        left, right = P_t, P_t
        if reml and p:
            back -= X @ (self.U_inverse @ tx.T)
            left, right = np.column_stack([P_t, X @ self.U_inverse]), np.column_stack([P_t, X])
        rows = levels * self.E.shape[1]
        shape = (levels, self.E.shape[1], left.shape[1])
        EK, ER = self.E @ self.K, self.E @ self.turned.R
        seen = right[:rows].reshape(shape).transpose(0, 2, 1) @ EK
        within = EK - left[:rows].reshape(shape) @ seen
        slopes = [2 * np.einsum("lia,lib->ab", ER, within)]
        products = solve_triangular(tt, back[: len(self.N)].T @ self.N) if q else np.zeros((0, 0))
        first = 0
        for count, k in self.turned.widths:
            where = first + np.arange(count * k).reshape(count, k)
            slopes.append(2 * np.sum(products[where[:, :, None], where[:, None, :]], axis=0).T)
            first += count * k
        return slopes


def _unscaled(u: np.ndarray, Lambda: np.ndarray, direct: np.ndarray) -> np.ndarray:
    """Z'e (.., k) from u = Lambda'Z'e where Lambda is large, from residuals in the directions in which it is not."""
    left, values, right = np.linalg.svd(Lambda)
    large = values > DIRECT
    divided = u @ (right[large].T / values[large]) @ left[:, large].T
    return divided + direct @ left[:, ~large] @ left[:, ~large].T


def solve_orthogonally(turned: OrthogonalRows, tail: Tail | None, factors: Sequence[np.ndarray]) -> OrthogonalSolution:
    """The penalised least-squares problem of `pls.solve`, with its inverses."""
    q, p = turned.n_tail, turned.p
    K = turned.R @ factors[0]
    E, inverse, log_det = _damped(K)
    levels, k = K.shape[:2]
    rows = np.concatenate([(E @ turned.G).reshape(levels * k, -1), turned.F])
    scaled = np.zeros((len(rows) + q, q + p + 1))
    scaled[: len(rows), :q] = _scaled_tail(rows[:, :q], turned.widths, factors)
    scaled[: len(rows), q:] = rows[:, q:]
    scaled[len(rows) + np.arange(q), np.arange(q)] = 1.0
    P, triangle = np.linalg.qr(scaled)
    xx, xy = triangle[q : q + p, q : q + p], triangle[q : q + p, -1]
    half = np.linalg.inv(xx)
    ww = triangle[q:, q:]
    diagonal = np.abs(np.diag(triangle))
    rest, log_det_S = _rest(tail, rows, triangle[:q, :q], turned.widths, factors)
    return OrthogonalSolution(
        rss=float(triangle[-1, -1] ** 2),
        beta=half @ xy,
        U=ww.T @ ww,
        U_inverse=half @ half.T,
        log_det_U=2 * float(np.sum(np.log(diagonal[q : q + p]))),
        largest=Largest(factors[0] @ inverse @ factors[0].T, factors[0] @ inverse, log_det),
        rest=rest,
        turned=turned,
        factors=tuple(factors),
        E=E,
        K=K,
        P=P,
        N=rows[:, :q],
        triangle=triangle,
        log_det=log_det + log_det_S,
    )


def _damped(K: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """E (L, k, k) with E'E = (I + K K')^-1, (I + K'K)^-1 and the sum of log|I + K'K|."""
    k = K.shape[1]
    if k == 1:
        size = np.hypot(1.0, K)
        return 1 / size, 1 / size**2, 2 * float(np.sum(np.log(size)))
    stacked = np.concatenate([K, np.broadcast_to(np.eye(k), K.shape)], axis=1)
    Q, R = np.linalg.qr(stacked, mode="complete")
    half = np.linalg.inv(R[:, :k])
    diagonal = np.abs(np.diagonal(R, axis1=1, axis2=2))
    return Q[:, :k, k:].transpose(0, 2, 1), half @ half.transpose(0, 2, 1), 2 * float(np.sum(np.log(diagonal)))


def _scaled_tail(columns: np.ndarray, widths: Sequence[tuple[int, int]], factors: Sequence[np.ndarray]) -> np.ndarray:
    """The tail's columns times blockdiag(Lambda)."""
    scaled, first = np.empty_like(columns), 0
    for (count, k), Lambda in zip(widths, factors[1:], strict=True):
        part = columns[:, first : first + count * k]
        scaled[:, first : first + count * k] = (part.reshape(len(part), count, k) @ Lambda).reshape(part.shape)
        first += count * k
    return scaled


def _rest(
    tail: Tail | None,
    rows: np.ndarray,
    triangle: np.ndarray,
    widths: Sequence[tuple[int, int]],
    factors: Sequence[np.ndarray],
) -> tuple[Rest | None, float]:
    """The tail as `pls` keeps it, from the triangular factor of S."""
    if tail is None:
        return None, 0.0
    q = len(triangle)
    half = np.linalg.inv(triangle)
    outside = _scaled_tail(half.T, widths, [f.T for f in factors])
    full = {"T": rows[:, :q].T @ rows[:, :q], "K": outside.T @ outside, "S_inverse": half @ half.T}
    log_det = 2 * float(np.sum(np.log(np.abs(np.diag(triangle)))))
    T_tw = rows[:, :q].T @ rows[:, q:]
    matrices = Matrices(full["T"], full["K"], full["S_inverse"], log_det, T_tw.T @ full["K"] @ T_tw)
    return Rest(tail, tail.storage.known(matrices, factors), T_tw), log_det
