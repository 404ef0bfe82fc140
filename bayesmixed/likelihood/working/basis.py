"""Conditioning: the bases in which cross-products lose no digits when y or a column is shifted or rescaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from ...covariance import Covariance
from ...design.design import GroupTerm

LONG = 200  # rows per column from which the Cholesky route pays
INDEPENDENT = 1e-5  # of a unit column: what must be left of it after the others for the Cholesky route


@dataclass(frozen=True)
class FixedBasis:
    """X = Q R with Q'WQ = I, and y - offset = X beta0 + residual.

    `R` (p, p) upper triangular, `beta0` (p,) the least-squares coefficients, `log_det` = log|R|^2.
    Rows of a table can be conditioned with the R and beta0 of its first part, so that streamed
    cross-products add up.
    """

    R: np.ndarray
    beta0: np.ndarray

    @property
    def log_det(self) -> float:
        """log |R|^2, what the determinant of X'V^-1X gains over that of Q'V^-1Q."""
        return float(2 * np.sum(np.log(np.abs(np.diag(self.R)))))

    def beta(self, beta: np.ndarray) -> np.ndarray:
        """Coefficients of X from those of Q and the residual: beta0 + R^-1 beta."""
        return self.beta0 + scipy.linalg.solve_triangular(self.R, beta)

    def covariance_root(self, covariance: np.ndarray) -> np.ndarray:
        """F (p, p) with F F' = R^-1 C R^-T, so that x'F cancels only once where columns are far from zero."""
        return scipy.linalg.solve_triangular(self.R, graded_root(covariance))


def fixed_basis(X: np.ndarray, y: np.ndarray, root_weights: np.ndarray | None) -> tuple[FixedBasis, np.ndarray]:
    """The basis, and W^1/2 [Q, residual] (n, p + 1).

    The projection is repeated once: one pass leaves an error of the size of y's mean times machine
    precision, two leave one of the size of the residual's (Kahan's "twice is enough").
    """
    scaled = X if root_weights is None else X * root_weights[:, None]
    target = y if root_weights is None else y * root_weights
    Q, R = orthonormal(scaled)
    coefficients = np.zeros(X.shape[1])
    for _ in range(2):
        step = Q.T @ target
        target = target - Q @ step
        coefficients += step
    beta0 = scipy.linalg.solve_triangular(R, coefficients) if len(R) else coefficients
    return FixedBasis(R, beta0), np.column_stack([Q, target])


def root(covariance: np.ndarray) -> np.ndarray:
    """F with F F' = C, for C positive semi-definite; NaN where C is."""
    if not np.isfinite(covariance).all():
        return np.full_like(covariance, np.nan)
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def graded_root(covariance: np.ndarray) -> np.ndarray:
    """F with F F' = C, each row to its own digits: variances may differ by more than a double has."""
    sizes = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    sizes = np.where(sizes > 0, sizes, 1.0)
    return sizes[:, None] * root(covariance / np.outer(sizes, sizes))


def orthonormal(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q (n, p) and R (p, p) upper triangular with X = Q R and Q'Q = I.

    For long X by Cholesky of X'X done twice (Yamamoto et al. 2015, ETNA 44: as orthogonal as Householder
    while the condition number is below 1e7, and several times faster), else by Householder.
    """
    n, p = X.shape
    if p == 0 or n < LONG * p:
        return np.linalg.qr(X)
    scale = np.sqrt(np.einsum("ij,ij->j", X, X))
    R = np.diag(scale)
    Q = X / scale
    for _ in range(2):
        try:
            half = np.linalg.cholesky(Q.T @ Q).T
        except np.linalg.LinAlgError:
            return np.linalg.qr(X)
        if np.min(np.diag(half)) < INDEPENDENT:
            return np.linalg.qr(X)
        Q = Q @ np.linalg.inv(half)
        R = half @ R
    return Q, R


def term_basis(term: GroupTerm, covariance: Covariance, root_weights: np.ndarray | None) -> np.ndarray:
    """C (k, k) such that the columns of Z C have unit mean square, as far as the structure allows.

    b = C b', so a factor Lambda' of the new columns is C Lambda' in the old ones.
    """
    Z = term.Z if root_weights is None else term.Z * root_weights[:, None]
    n, k = Z.shape
    rms = np.sqrt(np.einsum("ij,ij->j", Z, Z) / n)
    rms = np.where(rms > 0, rms, 1.0)
    if k == 1 or covariance.invariance == "scaling":
        return np.diag(1 / rms)
    if covariance.invariance != "linear":
        return np.eye(k) / np.sqrt(np.mean(rms**2))
    R = np.linalg.qr(Z / rms, mode="r") / np.sqrt(n)
    # collinear columns of a bar have no orthonormal basis: leave them as they are, scaled
    if np.min(np.abs(np.diag(R))) < 1e-9:
        return np.diag(1 / rms)
    return np.diag(1 / rms) @ scipy.linalg.solve_triangular(R, np.eye(k))


def term_bases(
    groups: Sequence[GroupTerm], covariances: Sequence[Covariance], root_weights: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """One basis per group term."""
    return tuple(term_basis(t, c, root_weights) for t, c in zip(groups, covariances, strict=True))
