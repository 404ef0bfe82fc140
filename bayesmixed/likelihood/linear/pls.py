"""Penalised least squares at given Lambda: the equations of Bates et al. (2015), section 3, solved by elimination.

With Sigma_j = Lambda_j Lambda_j' (relative to sigma^2) for the factors j = 0 (largest), 1, 2, ... and cross-products A:

    M_0 = Lambda_0' A_00 Lambda_0 + I      per level          W = Lambda_0 M_0^-1 Lambda_0'
    T   = A_rest - A_rest,0 W A_0,rest     over the tail t, X and y
    S   = Lambda_t' T_tt Lambda_t + I      per component      K = Lambda_t S^-1 Lambda_t'
    U   = T_ww - T_wt K T_tw               (p + 1, p + 1)
    beta = U_xx^-1 U_xy,  r^2 = U_yy - U_yx beta,  log|M| = log|M_0| + log|S|
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas

from ..elimination.storage import Solved
from ..elimination.tail import Tail
from ..working.gram import Gram


@dataclass(frozen=True)
class Largest:
    """The eliminated factor: `W` and `Q` = Lambda_0 M_0^-1, both (L, k, k), `log_det` = log|M_0|."""

    W: np.ndarray
    Q: np.ndarray
    log_det: float


@dataclass(frozen=True)
class Rest:
    """The tail: its structure, its system solved, and `T_tw` (q_t, p + 1)."""

    tail: Tail
    solved: Solved
    T_tw: np.ndarray

    def pulled(self, shape: tuple[int, int, int]) -> np.ndarray:
        """Blocks (L, k, k) of coupling K coupling' at the levels of the eliminated factor."""
        return self.tail.pull(self.solved.K, shape)


@dataclass(frozen=True)
class Solution:
    """The solved equations at one Lambda.

    `rss` = r^2, `beta` (p,), `U` (p + 1, p + 1), `U_inverse` (p, p) of its first p rows and columns,
    `log_det_U` = log|U_xx|; `largest` is None without bars, `rest` with fewer than two factors.
    """

    rss: float
    beta: np.ndarray
    U: np.ndarray
    U_inverse: np.ndarray
    log_det_U: float
    largest: Largest | None
    rest: Rest | None

    @property
    def log_det_M(self) -> float:
        """log|M| = log|M_0| + log|S|."""
        eliminated = 0.0 if self.largest is None else self.largest.log_det
        return eliminated if self.rest is None else eliminated + self.rest.solved.log_det


def solve(gram: Gram, tail: Tail | None, factors: Sequence[np.ndarray], *, invert: bool) -> Solution:
    """Solve the penalised least-squares problem.

    Parameters
    ----------
    gram, tail
        Cross-products and the symbolic structure of the tail.
    factors
        Per block Lambda (k, k).
    invert
        Also form what gradients, modes and conditional variances need (S^-1).

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a matrix is not positive definite in floating point (absurdly large Lambda).
    """
    U, largest, rest = gram.ww, None, None
    if gram.zz:
        largest = shrink(gram.zz[0], factors[0])
        shrunk = largest.W @ gram.zw[0]
        flat = shrunk.reshape(-1, shrunk.shape[2])
        U = U - blas.dgemm(1.0, gram.zw[0].reshape(flat.shape), flat, trans_a=True)
        if tail is not None:
            T_tw = np.concatenate([zw.reshape(-1, flat.shape[1]) for zw in gram.zw[1:]]) - tail.coupling_t @ flat
            solved = tail.storage.solve(tail.schur(largest.W), T_tw, factors, invert=invert)
            rest, U = Rest(tail, solved, T_tw), U - solved.explained
    log_det_U, inverse, beta, rss = _fixed(U)
    return Solution(rss, beta, U, inverse, log_det_U, largest, rest)


def shrink(A: np.ndarray, Lambda: np.ndarray) -> Largest:
    """W and Q of one factor with cross-products A (L, k, k); one column needs no factorisation."""
    if len(Lambda) == 1:
        M = A * Lambda[0, 0] ** 2 + 1.0
        if not (M > 0).all():  # negative curvature of a log-likelihood that is not concave
            raise np.linalg.LinAlgError("a 1 x 1 block is not positive definite")
        return Largest(Lambda[0, 0] ** 2 / M, Lambda[0, 0] / M, float(np.sum(np.log(M))))
    M = Lambda.T @ A @ Lambda
    M[:, np.arange(len(Lambda)), np.arange(len(Lambda))] += 1.0
    if len(Lambda) == 2:
        inverse, log_det = _invert_pairs(M)
    else:
        half = np.linalg.cholesky(M)
        log_det = 2 * float(np.sum(np.log(np.diagonal(half, axis1=1, axis2=2))))
        inverse = np.linalg.inv(M)
    Q = Lambda @ inverse
    return Largest(Q @ Lambda.T, Q, log_det)


def _invert_pairs(M: np.ndarray) -> tuple[np.ndarray, float]:
    """Inverse and log-determinant of (L, 2, 2) positive definite matrices, written out: no call per level."""
    pivot = M[:, 1, 1] - M[:, 0, 1] ** 2 / M[:, 0, 0]
    if not ((pivot > 0) & (M[:, 0, 0] > 0)).all():  # an indefinite block may have this pivot
        raise np.linalg.LinAlgError("a 2 x 2 block is not positive definite")
    inverse = np.empty_like(M)
    inverse[:, 1, 1] = 1 / pivot
    inverse[:, 0, 1] = inverse[:, 1, 0] = -M[:, 0, 1] / (M[:, 0, 0] * pivot)
    inverse[:, 0, 0] = M[:, 1, 1] / (M[:, 0, 0] * pivot)
    return inverse, float(np.sum(np.log(M[:, 0, 0] * pivot)))


def _fixed(U: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, float]:
    p = len(U) - 1
    if p == 0:
        return 0.0, np.zeros((0, 0)), np.zeros(0), float(U[0, 0])
    half = np.linalg.cholesky(U[:p, :p])
    inverse_half = np.linalg.inv(half)
    c = inverse_half @ U[:p, p]
    log_det = 2 * float(np.sum(np.log(np.diagonal(half))))
    return log_det, inverse_half.T @ inverse_half, inverse_half.T @ c, float(U[p, p] - c @ c)
