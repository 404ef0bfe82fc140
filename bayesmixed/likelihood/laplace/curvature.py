"""What the inverse of M = Lambda'Z'VZ Lambda + I says: leverages of rows, and its products with sums by level.

With C = Lambda M^-1 Lambda', in the elimination's terms (`likelihood.pls`): C_tt = K, C_0t = -W A_0t K,
C_00 = W + W A_0t K A_t0 W. Only entries at levels that share rows are ever formed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ..elimination.fronts import with_data
from ..linear.modes import conditional_covariances
from ..linear.pls import Rest, Solution
from ..working.gram import Gram
from .products import Pattern
from .rows import Rows

CHUNK = 2**24  # elements of a dense chunk of levels x tail columns


def row_variances(rows: Rows, pattern: Pattern | None, gram: Gram, solution: Solution) -> np.ndarray:
    """h_i = z_i' M^-1 z_i (n,), z_i' row i of Z Lambda: the conditional variance of Z b."""
    total = np.zeros(rows.n)
    for block, C in zip(rows.block_rows, conditional_covariances(gram, solution), strict=True):
        total += block.quadratic(C)
    if solution.rest is None or pattern is None or solution.largest is None:
        return total
    rest, W = solution.rest, solution.largest.W
    wanted = [
        (pairs.a, pattern.columns(j, pairs.b, rows.block_rows[j].k)) for (i, j), pairs in rows.pairs.items() if i == 0
    ]
    coupled = iter(_coupled(rest, W, wanted))
    for (i, j), pairs in rows.pairs.items():
        left, right = rows.block_rows[i], rows.block_rows[j]
        if i == 0:
            C = -next(coupled)
        else:
            C = rest.solved.K[pattern.met[i, j]]
        total += 2 * pairs.bilinear(left, right, C)
    return total


def apply(solution: Solution, right: Sequence[np.ndarray]) -> list[np.ndarray]:
    """C right per block (L, k) for right (L, k) or (L, k, m)."""
    if solution.largest is None:
        return []
    W, flat = solution.largest.W, [part.reshape(part.shape[0], part.shape[1], -1) for part in right]
    m = flat[0].shape[2]
    first, tail = flat[0], []
    if solution.rest is not None:
        rest = solution.rest
        r_t = np.concatenate([part.reshape(-1, m) for part in flat[1:]])
        b_t = rest.solved.apply(r_t - rest.tail.coupling_t @ (W @ flat[0]).reshape(-1, m))
        first = flat[0] - (rest.tail.coupling @ b_t).reshape(flat[0].shape)
        edges = np.cumsum([0, *(part.shape[0] * part.shape[1] for part in flat[1:])])
        tail = [b_t[a:b].reshape(part.shape) for a, b, part in zip(edges[:-1], edges[1:], flat[1:], strict=True)]
    return [part.reshape(like.shape) for part, like in zip([W @ first, *tail], right, strict=True)]


def _coupled(rest: Rest, W: np.ndarray, wanted: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Entries (m, k0, k) of W A_0t K at pairs of levels: per factor of the tail levels (m,) and tail columns (m, k)."""
    L, k0 = W.shape[:2]
    coupling = rest.tail.coupling
    scaled = _rows_times(coupling, W[:, 0, 0]) if k0 == 1 else _block_rows_matrix(W) @ coupling
    K = rest.solved.covariance()
    inside = np.arange(k0)[:, None]
    if not isinstance(K, np.ndarray):
        product = (scaled @ K).tocsr()
        keys = _keys(product)
        return [_picked(product, keys, a[:, None, None] * k0 + inside, b[:, None, :]) for a, b in wanted]
    found = [np.empty((len(a), k0, b.shape[1])) for a, b in wanted]
    step = max(1, CHUNK // (k0 * K.shape[0]))
    for first in range(0, L, step):
        product = (scaled[first * k0 : (first + step) * k0] @ K).reshape(-1, k0, K.shape[0])
        for C, (a, b) in zip(found, wanted, strict=True):
            here = slice(None) if step >= L else np.flatnonzero((a >= first) & (a < first + step))
            C[here] = product[a[here, None, None] - first, inside, b[here, None, :]]
    return found


def _rows_times(matrix: sparse.csr_array, scale: np.ndarray) -> sparse.csr_array:
    return with_data(matrix, matrix.data * np.repeat(scale, np.diff(matrix.indptr)))


def _block_rows_matrix(W: np.ndarray) -> sparse.csr_array:
    L, k = W.shape[:2]
    columns = (np.arange(L)[:, None, None] * k + np.broadcast_to(np.arange(k), (k, k))).ravel()
    return sparse.csr_array((W.ravel(), columns, np.arange(L * k + 1) * k), shape=(L * k, L * k))


def _keys(matrix: sparse.csr_array) -> np.ndarray:
    """Row-major position of every stored element, in order."""
    matrix.sort_indices()
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)) * matrix.shape[1] + matrix.indices


def _picked(matrix: sparse.csr_array, keys: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Elements of a sparse matrix at given positions, zeros included."""
    wanted = rows * matrix.shape[1] + columns
    if not len(keys):  # products of zeros are not stored
        return np.zeros(wanted.shape)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, matrix.data[at], 0.0)
