"""The tail: all factors but the eliminated one. Where its Schur complement has entries, and what it sums there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import blas

from ..working.blocks import Block
from ..working.gram import Gram
from .batches import Position, mirror
from .choice import storage_of
from .storage import Storage

SPARSE_SHARE = 0.02  # of a dense product's work: scattered sums cost about fifty times as much an entry
MAX_PATTERN = 10_000_000  # entries of the elimination pattern (12 bytes each) before dense products are cheaper


@dataclass(frozen=True)
class Tail:
    """Symbolic structure of the tail.

    `n_columns` q_t; `storage` of its matrices; `direct` (flat,) the tail's own cross-products; `coupling` (L k, q_t)
    sparse: cross-products of the eliminated factor with the tail; `pattern` sparse (m, L k k), which turns the
    eliminated blocks' weights into what they subtract at the `lower` (m,) flat positions (None where dense products of
    the coupling are cheaper); `multiplicity` (m,) is 2 off the diagonal.
    """

    n_columns: int
    storage: Storage
    direct: np.ndarray
    coupling: sparse.csr_array
    coupling_t: sparse.csr_array
    pattern: sparse.csr_array | None
    pattern_t: sparse.csc_array | None
    lower: np.ndarray
    multiplicity: np.ndarray

    def schur(self, weights: np.ndarray) -> np.ndarray:
        """direct - coupling' diag(weights) coupling, flat; `weights` (L, k, k) symmetric blocks."""
        flat = self.direct.copy()
        if self.pattern is not None:
            flat[self.lower] -= self.pattern @ weights.ravel()
            return self.storage.completed(flat)
        for rows, dense in self._dense_rows(weights.shape[1]):
            product = (weights[rows] @ dense).reshape(-1, self.n_columns)
            flat -= blas.dgemm(1.0, dense.reshape(-1, self.n_columns).T, product.T, trans_b=True).ravel()
        return flat

    def pull(self, flat: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        """Blocks (L, k, k) of coupling K coupling' for a symmetric K stored flat: the transpose of `schur`."""
        if self.pattern_t is not None:
            blocks = (self.pattern_t @ (self.multiplicity * flat[self.lower])).reshape(shape)
            return blocks if shape[1] == 1 else 0.5 * (blocks + blocks.transpose(0, 2, 1))
        K = mirror(flat.reshape(1, self.n_columns, self.n_columns).copy())[0]
        blocks = np.empty(shape)
        for rows, dense in self._dense_rows(shape[1]):
            product = blas.dgemm(1.0, K.T, dense.reshape(-1, self.n_columns).T).T.reshape(dense.shape)
            blocks[rows] = product @ dense.transpose(0, 2, 1)
        return blocks

    def _dense_rows(self, k: int) -> Iterator[tuple[slice, np.ndarray]]:
        """The coupling as dense (levels, k, q_t) chunks of at most 64 MiB."""
        levels = self.coupling.shape[0] // k
        step = max(1, int(2**26 / (8 * k * self.n_columns)))
        for first in range(0, levels, step):
            rows = slice(first, min(first + step, levels))
            dense = self.coupling[rows.start * k : rows.stop * k].toarray()
            yield rows, dense.reshape(-1, k, self.n_columns)


def tail(blocks: Sequence[Block], gram: Gram) -> Tail | None:
    """The symbolic structure after eliminating the first block; None with fewer than two factors.

    Raises FitError, naming the size, where its matrices would not fit.
    """
    if len(blocks) < 2:
        return None
    starts = np.cumsum([0, *(b.n_levels * b.k for b in blocks[1:])])
    return tail_in(blocks, gram, starts, storage_of(blocks, gram, starts))


def tail_in(blocks: Sequence[Block], gram: Gram, starts: np.ndarray, storage: Storage) -> Tail:
    """The symbolic structure in a given storage, the tail's blocks beginning at columns `starts`."""
    coupling = coupling_matrix(blocks, gram, starts)
    pattern, lower, multiplicity = _pattern(coupling, blocks[0].k, storage.flat, storage.square)
    return Tail(
        n_columns=int(starts[-1]),
        storage=storage,
        direct=storage.direct(gram),
        coupling=coupling,
        coupling_t=coupling.T.tocsr(),
        pattern=pattern,
        pattern_t=None if pattern is None else pattern.T,
        lower=lower,
        multiplicity=multiplicity,
    )


def dense_pattern(coupling: sparse.csr_array, k: int) -> tuple[sparse.csr_array, np.ndarray] | None:
    """The elimination pattern over one (q_t, q_t) row-major matrix and the flat positions it writes.

    None where most entries would be written anyway, so that dense products are cheaper.
    """
    q = coupling.shape[1]
    per_level = np.diff(coupling.indptr).reshape(-1, k).sum(axis=1)
    if float(np.sum(per_level**2.0)) > SPARSE_SHARE * coupling.shape[0] * q**2:
        return None
    everywhere = np.arange(q)
    position = Position(np.zeros(q, dtype=np.int64), everywhere, np.full(q, q), np.zeros(q, dtype=np.int64))
    pattern, lower, _ = _pattern(coupling, k, position.flat, False)
    return None if pattern is None else (pattern, lower)


def coupling_matrix(blocks: Sequence[Block], gram: Gram, starts: np.ndarray) -> sparse.csr_array:
    """The cross-products Z0'Z of the first block with all the others, rows in the order of its effects."""
    k0 = blocks[0].k
    rows, columns, values = [], [], []
    for j in range(1, len(blocks)):
        cross, k = gram.cross[0, j], blocks[j].k
        shape = (len(cross.rows), k0, k)
        rows.append(np.broadcast_to(cross.rows[:, None, None] * k0 + np.arange(k0)[:, None], shape).ravel())
        columns.append(np.broadcast_to(starts[j - 1] + cross.columns[:, None, None] * k + np.arange(k), shape).ravel())
        values.append(cross.values.ravel())
    shape2 = (blocks[0].n_levels * k0, int(starts[-1]))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    coupling = sparse.coo_array(entries, shape=shape2).tocsr()
    coupling.sort_indices()
    return coupling


def _pattern(
    coupling: sparse.csr_array, k: int, flat: Callable[[np.ndarray, np.ndarray], np.ndarray], square: bool
) -> tuple[sparse.csr_array | None, np.ndarray, np.ndarray]:
    """For each pair of tail columns met by one level: which products of coupling entries it sums."""
    found = entry_pairs(coupling, k, MAX_PATTERN if square else None)
    if found is None:
        return None, np.zeros(0, dtype=np.int64), np.zeros(0)
    left, right, weight = found
    a, b = coupling.indices[left].astype(np.int64), coupling.indices[right].astype(np.int64)
    keys = flat(a, b)
    seen = np.zeros(int(keys.max(initial=-1)) + 1, dtype=bool)  # a flag per position: sorting millions of keys is slow
    seen[keys] = True
    lower = np.flatnonzero(seen)
    where = (np.cumsum(seen) - 1)[keys]
    multiplicity = np.empty(len(lower))
    multiplicity[where] = np.where(a == b, 1.0, 2.0)
    values = coupling.data[left] * coupling.data[right]
    shape = (len(lower), coupling.shape[0] * k)
    return sparse.coo_array((values, (where, weight)), shape=shape).tocsr(), lower, multiplicity


def entry_pairs(
    coupling: sparse.csr_array, k: int, limit: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Pairs of coupling entries of one level, lower triangle: positions `left`, `right` and the weight they multiply.

    None where there are more than `limit`.
    """
    per_row = np.diff(coupling.indptr).astype(np.int64)
    per_level = per_row.reshape(-1, k).sum(axis=1)
    if limit is not None and int(np.sum(per_level**2)) > limit:
        return None
    owner = np.repeat(np.arange(len(per_level)), per_level)
    first = np.concatenate([[0], np.cumsum(per_level)])[owner]
    # one column per level: its tail columns are in order, so partners up to itself are the lower triangle
    partners = np.arange(len(owner)) - first + 1 if k == 1 else per_level[owner]
    left = np.repeat(np.arange(len(owner)), partners)
    ends = np.cumsum(partners)
    right = np.arange(len(left)) - np.repeat(ends - partners - first, partners)
    if k > 1:
        keep = coupling.indices[left] >= coupling.indices[right]
        left, right = left[keep], right[keep]
    row_of = np.repeat(np.arange(coupling.shape[0]), per_row)
    return left, right, owner[left] * k * k + (row_of[left] % k) * k + row_of[right] % k
