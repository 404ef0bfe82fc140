"""Which columns of a design matrix depend on earlier ones."""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-7  # of the column's own (centred) length: R's qr() and lme4's chkRank
ROUNDING = 1e-13  # of the column's raw length: below this a centred column is rounding error
CLEAR = 1e-4  # a Cholesky pivot above this shows independence despite the squared condition number


def independent(X: np.ndarray, constant_from: int | None) -> np.ndarray:
    """Positions of the columns that do not depend on earlier ones, later columns being dropped first.

    Parameters
    ----------
    X : array (n, p)
    constant_from : int or None
        The number of leading columns whose span contains the constant; the columns after them are
        compared after centring, so that x + 1e6 is as independent as x.
    """
    X, length = _standardized(X, constant_from)
    if _clearly_independent(X, length):
        return np.arange(X.shape[1])
    R: np.ndarray = np.linalg.qr(X, mode="r")  # type: ignore[assignment]
    return _greedy(R, length)


def _standardized(X: np.ndarray, constant_from: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Columns of unit length after centring, and for each the residual length that counts as zero."""
    raw = np.sqrt(np.einsum("ij,ij->j", X, X))
    X = X.copy()
    if constant_from is not None:
        X[:, constant_from:] -= X[:, constant_from:].mean(axis=0)
    own = np.sqrt(np.einsum("ij,ij->j", X, X))
    scale = np.where(own > 0, own, 1.0)
    X /= scale
    return X, np.maximum(TOLERANCE * (own > 0), ROUNDING * raw / scale)


def _clearly_independent(X: np.ndarray, zero: np.ndarray) -> bool:
    """A cheap answer for the usual case: all Cholesky pivots of the cross-product are large."""
    if X.shape[1] > X.shape[0]:
        return False
    try:
        pivots = np.diag(np.linalg.cholesky(X.T @ X))
    except np.linalg.LinAlgError:
        return False
    return bool(np.all(pivots > np.maximum(CLEAR, zero)))


def _greedy(R: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """Gram-Schmidt, each column projected twice, on the columns of R (which has X's cross-products)."""
    kept: list[int] = []
    room = np.empty((R.shape[0], min(R.shape)), order="F")
    for j in range(R.shape[1]):
        Q = room[:, : len(kept)]
        rest = R[:, j] - Q @ (Q.T @ R[:, j])
        rest -= Q @ (Q.T @ rest)
        length = float(np.linalg.norm(rest))
        if length > zero[j] and length > 0 and len(kept) < room.shape[1]:
            room[:, len(kept)] = rest / length
            kept.append(j)
    return np.array(kept, dtype=int)
