"""Do columns lie in the span of others? Whatever their units, their origins and how factors are coded."""

from __future__ import annotations

import numpy as np

from ...design.columns.rank import TOLERANCE, independent


def spanned(inner: np.ndarray, outer: np.ndarray) -> bool:
    """Whether every column of `inner` (n, m) is a combination of those of `outer` (n, p).

    >>> x = np.arange(6.0)
    >>> one = np.ones(6)
    >>> spanned((2e6 + 3 * x)[:, None], np.column_stack([one, x])), spanned((x**2)[:, None], np.column_stack([one, x]))
    (True, False)
    """
    known = {column.tobytes() for column in outer.T}
    inner = inner[:, [column.tobytes() not in known for column in inner.T]]  # most often few are new
    if inner.shape[1] == 0:
        return True
    first = _constant_first(outer)
    columns = outer if first is None else first
    found = independent(np.hstack([columns, inner]), None if first is None else 1)
    return bool(np.all(found < columns.shape[1]))


def _constant_first(X: np.ndarray) -> np.ndarray | None:
    """Columns of the same span, the constant first, so that others can be compared about their means; None without."""
    constant = np.flatnonzero((np.ptp(X, axis=0) == 0) & (X[0] != 0)) if X.size else np.zeros(0, dtype=int)
    if len(constant):
        return np.hstack([X[:, constant], np.delete(X, constant, axis=1)])
    one = np.ones((len(X), 1))
    if not X.shape[1] or X.shape[1] in independent(np.hstack([X, one]), None):
        return None
    with_constant = np.hstack([one, X])
    return with_constant[:, independent(with_constant, 1)]


def combination(inner: np.ndarray, outer: np.ndarray) -> np.ndarray | None:
    """B (k, m) with inner = outer B for columns (n, m) and (n, k); None where there is none."""
    sizes = np.linalg.norm(outer, axis=0)
    scaled = outer / np.where(sizes > 0, sizes, 1.0)
    B: np.ndarray = np.linalg.lstsq(scaled, inner, rcond=None)[0]
    rest = np.linalg.norm(inner - scaled @ B, axis=0)
    if np.any(rest > TOLERANCE * np.linalg.norm(inner, axis=0)):
        return None
    return B / np.where(sizes > 0, sizes, 1.0)[:, None]


def multiples(inner: np.ndarray, outer: np.ndarray) -> np.ndarray | None:
    """B (k, m) as in `combination` where each column of `inner` is a multiple of one of `outer`; else None."""
    B = np.zeros((outer.shape[1], inner.shape[1]))
    for j, column in enumerate(inner.T):
        sizes = np.einsum("ij,ij->j", outer, outer)
        factors = np.divide(column @ outer, sizes, out=np.zeros(len(sizes)), where=sizes > 0)
        rests = np.linalg.norm(column[:, None] - outer * factors, axis=0)
        best = int(np.argmin(rests))
        if rests[best] > TOLERANCE * np.linalg.norm(column):
            return None
        B[best, j] = factors[best]
    return B
