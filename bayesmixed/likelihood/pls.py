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
from scipy.linalg import lapack

from .gram import Gram
from .tail import Batch, Tail


@dataclass(frozen=True)
class Largest:
    """The eliminated factor: `W` and `Q` = Lambda_0 M_0^-1, both (L, k, k), `log_det` = log|M_0|."""

    W: np.ndarray
    Q: np.ndarray
    log_det: float


@dataclass(frozen=True)
class Rest:
    """The tail: `T`, `K` and `R` = Lambda_t S^-1 flat over its components, `T_tw` (q_t, p + 1), `log_det` = log|S|.

    `K` and `R` are empty where no inverse was asked for.
    """

    tail: Tail
    T: np.ndarray
    T_tw: np.ndarray
    K: np.ndarray
    R: np.ndarray
    log_det: float

    def multiply(self, flat: np.ndarray, right: np.ndarray, transpose: bool = False) -> np.ndarray:
        """One of the flat block-diagonal matrices (T, K, R) times (q_t,) or (q_t, m)."""
        columns = right if right.ndim == 2 else right[:, None]
        product = np.empty_like(columns)
        for batch in self.tail.batches:
            matrix = batch.view(flat)
            product[batch.members] = (matrix.transpose(0, 2, 1) if transpose else matrix) @ columns[batch.members]
        return product if right.ndim == 2 else product[:, 0]


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
        return sum(part.log_det for part in (self.largest, self.rest) if part is not None)


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
        largest = _largest(gram.zz[0], factors[0])
        shrunk = largest.W @ gram.zw[0]
        flat = shrunk.reshape(-1, shrunk.shape[2])
        U = U - gram.zw[0].reshape(flat.shape).T @ flat
        if tail is not None:
            T_tw = np.concatenate([zw.reshape(-1, flat.shape[1]) for zw in gram.zw[1:]]) - tail.coupling_t @ flat
            rest, U = _rest(tail, tail.schur(largest.W), T_tw, U, factors, invert)
    log_det_U, inverse, beta, rss = _fixed(U)
    return Solution(rss, beta, U, inverse, log_det_U, largest, rest)


def _largest(A: np.ndarray, Lambda: np.ndarray) -> Largest:
    """One column needs no factorisation."""
    if len(Lambda) == 1:
        M = A * Lambda[0, 0] ** 2 + 1.0
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
    if not (pivot > 0).all():
        raise np.linalg.LinAlgError("a 2 x 2 block is not positive definite")
    inverse = np.empty_like(M)
    inverse[:, 1, 1] = 1 / pivot
    inverse[:, 0, 1] = inverse[:, 1, 0] = -M[:, 0, 1] / (M[:, 0, 0] * pivot)
    inverse[:, 0, 0] = M[:, 1, 1] / (M[:, 0, 0] * pivot)
    return inverse, float(np.sum(np.log(M[:, 0, 0] * pivot)))


def _rest(
    tail: Tail, T: np.ndarray, T_tw: np.ndarray, U: np.ndarray, factors: Sequence[np.ndarray], invert: bool
) -> tuple[Rest, np.ndarray]:
    K, R = (np.empty_like(T if invert else T[:0]) for _ in range(2))
    log_det = 0.0
    for batch in tail.batches:
        S = scale_columns(batch, batch.view(T), factors)
        S = scale_columns(batch, S.transpose(0, 2, 1), factors)
        S[:, np.arange(batch.size), np.arange(batch.size)] += 1.0
        half, inverse = _factorise(S, invert)
        log_det += 2 * float(np.sum(np.log(np.diagonal(half, axis1=1, axis2=2))))
        scaled = scale_columns(batch, T_tw[batch.members].transpose(0, 2, 1), factors)
        if inverse is None:
            solved = np.linalg.solve(half, scaled.transpose(0, 2, 1))
            U = U - (solved.transpose(0, 2, 1) @ solved).sum(axis=0)
        else:
            batch.view(R)[:] = scale_columns(batch, inverse, factors, transpose=True).transpose(0, 2, 1)
            batch.view(K)[:] = scale_columns(batch, batch.view(R), factors, transpose=True)
            U = U - (scaled @ inverse @ scaled.transpose(0, 2, 1)).sum(axis=0)
    return Rest(tail, T, T_tw, K, R, log_det), U


def scale_columns(
    batch: Batch, matrices: np.ndarray, factors: Sequence[np.ndarray], transpose: bool = False
) -> np.ndarray:
    """matrices @ blockdiag(Lambda) (or Lambda') for (count, rows, size) matrices, a new array."""
    scaled = np.empty(matrices.shape)
    for block, columns, k in batch.parts:
        Lambda = factors[block].T if transpose else factors[block]
        part = matrices[:, :, columns]
        if k == 1:
            scaled[:, :, columns] = part * Lambda[0, 0]
        else:
            scaled[:, :, columns] = (part.reshape(*part.shape[:2], -1, k) @ Lambda).reshape(part.shape)
    return scaled


def _factorise(S: np.ndarray, invert: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Cholesky factors and, if asked, inverses of (count, size, size); one large matrix goes straight to LAPACK."""
    if len(S) > 1 or S.shape[1] < 40:
        return np.linalg.cholesky(S), np.linalg.inv(S) if invert else None
    half, info = lapack.dpotrf(S[0].T, lower=1, clean=1)
    if info:
        raise np.linalg.LinAlgError("the tail is not positive definite")
    if not invert:
        return half[None], None
    inverse, _ = lapack.dpotri(half, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    return half[None], inverse[None]


def _fixed(U: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, float]:
    p = len(U) - 1
    if p == 0:
        return 0.0, np.zeros((0, 0)), np.zeros(0), float(U[0, 0])
    half = np.linalg.cholesky(U[:p, :p])
    inverse_half = np.linalg.inv(half)
    c = inverse_half @ U[:p, p]
    log_det = 2 * float(np.sum(np.log(np.diagonal(half))))
    return log_det, inverse_half.T @ inverse_half, inverse_half.T @ c, float(U[p, p] - c @ c)
