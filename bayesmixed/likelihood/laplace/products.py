"""Cross-products Z'VZ whose weights V change with every step: where they go is found once, the numbers are refilled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ..elimination.fronts import with_data
from ..elimination.tail import SPARSE_SHARE, Tail, coupling_matrix, entry_pairs, tail
from ..working.gram import Cross, Gram
from .rows import Rows


@dataclass(frozen=True)
class Pattern:
    """Where the tail's numbers go.

    `starts` are the first columns of its factors; `met` by pair of its factors the positions (m, k_i, k_j) of the
    entries at levels that share rows. `entries` and `entries_t` order the concatenated cross-products with the largest
    factor into the coupling's data and its transpose's; `left` and `right` are the coupling entries that each entry of
    the elimination pattern multiplies (None where dense products are used).
    """

    tail: Tail
    starts: np.ndarray
    met: dict[tuple[int, int], np.ndarray]
    entries: np.ndarray
    entries_t: np.ndarray
    left: np.ndarray | None
    right: np.ndarray | None

    def columns(self, block: int, levels: np.ndarray, k: int) -> np.ndarray:
        """The tail's columns (m, k) of levels (m,) of a block."""
        return self.starts[block - 1] + levels[:, None] * k + np.arange(k)

    def scratch(self) -> Pattern:
        """The same with arrays of its own, to be refilled step by step."""
        old = self.tail
        coupling = with_data(old.coupling, old.coupling.data.copy())
        coupling_t = with_data(old.coupling_t, old.coupling_t.data.copy())
        pattern = None if old.pattern is None else with_data(old.pattern, old.pattern.data.copy())
        pattern_t = None if pattern is None else pattern.T
        own = replace(old, coupling=coupling, coupling_t=coupling_t, pattern=pattern, pattern_t=pattern_t)
        return replace(self, tail=replace(own, direct=old.direct.copy()))

    def refilled(self, rows: Rows, gram: Gram) -> Tail:
        """The tail with the numbers of these cross-products, in place: only for a `scratch` that nobody else holds."""
        tail, data = self.tail, self._entries(rows, gram)
        tail.coupling.data[:] = data
        tail.coupling_t.data[:] = data[self.entries_t]
        if tail.pattern is not None and self.left is not None:
            np.multiply(data[self.left], data[self.right], out=tail.pattern.data)
        tail.direct[:] = tail.storage.direct(gram)
        return tail

    def _entries(self, rows: Rows, gram: Gram) -> np.ndarray:
        values = [gram.cross[0, j].values.ravel() for j in range(1, len(rows.blocks))]
        return (np.concatenate(values) if len(values) > 1 else values[0])[self.entries]

    def filled(self, rows: Rows, gram: Gram) -> Tail:
        """The tail with the numbers of these cross-products."""
        old, data = self.tail, self._entries(rows, gram)
        coupling = with_data(old.coupling, data)
        coupling_t = with_data(old.coupling_t, data[self.entries_t])
        direct = old.storage.direct(gram)
        pattern = pattern_t = None
        if old.pattern is not None and self.left is not None:
            pattern = with_data(old.pattern, data[self.left] * data[self.right])
            pattern_t = pattern.T
        return replace(
            old, direct=direct, coupling=coupling, coupling_t=coupling_t, pattern=pattern, pattern_t=pattern_t
        )


def pattern(rows: Rows) -> Pattern | None:
    """The symbolic structure of a model's tail; None with fewer than two grouping factors."""
    if len(rows.blocks) < 2:
        return None
    gram = weighted_gram(rows, np.ones(rows.n), np.zeros((rows.n, 1)))
    found = tail(rows.blocks, gram)
    if found is None:
        return None
    starts = np.cumsum([0, *(b.n_levels * b.k for b in rows.blocks[1:])])
    numbered = coupling_matrix(rows.blocks, _numbered(gram), starts)
    entries = numbered.data.astype(np.int64)
    counted = with_data(numbered, np.arange(len(entries), dtype=float))
    entries_t = counted.T.tocsr().data.astype(np.int64)
    if found.pattern is not None and _dense_is_cheaper(found, rows.blocks[0].k):
        found = replace(found, pattern=None, pattern_t=None, lower=found.lower[:0], multiplicity=found.multiplicity[:0])
    if found.pattern is None:
        return _with_met(Pattern(found, starts, {}, entries, entries_t, None, None), rows)
    pairs = entry_pairs(found.coupling, rows.blocks[0].k, None)
    assert pairs is not None  # no limit was given
    left, right, weight = pairs
    a, b = found.coupling.indices[left].astype(np.int64), found.coupling.indices[right].astype(np.int64)
    where = np.searchsorted(found.lower, found.storage.flat(a, b))
    shape = found.pattern.shape
    order = sparse.coo_array((np.arange(len(left), dtype=float), (where, weight)), shape=shape).tocsr()
    order.sort_indices()
    picked = order.data.astype(np.int64)
    found = replace(found, pattern=order)
    return _with_met(Pattern(found, starts, {}, entries, entries_t, left[picked], right[picked]), rows)


def _with_met(pattern: Pattern, rows: Rows) -> Pattern:
    met = {}
    for (i, j), pairs in rows.pairs.items():
        if i > 0:
            left = pattern.columns(i, pairs.a, rows.block_rows[i].k)[:, :, None]
            right = pattern.columns(j, pairs.b, rows.block_rows[j].k)[:, None, :]
            met[i, j] = pattern.tail.storage.flat(np.maximum(left, right), np.minimum(left, right))
    return replace(pattern, met=met)


def weighted_gram(rows: Rows, V: np.ndarray, columns: np.ndarray, ww: np.ndarray | None = None) -> Gram:
    """The cross-products as a `Gram`: Z'VZ, Z' columns for (n, m) columns that hold their own weights, and `ww`."""
    m = columns.shape[1]
    count = range(len(rows.blocks))
    return Gram(
        zz=tuple(block.products(V) for block in rows.block_rows),
        zw=tuple(rows.weighted_sums(i, columns) for i in count),
        ww=np.zeros((m, m)) if ww is None else ww,
        cross={
            (i, j): Cross(p.a, p.b, p.products(rows.block_rows[i], rows.block_rows[j], V))
            for (i, j), p in rows.pairs.items()
        },
        n=rows.n,
        log_weights=0.0,
    )


def _numbered(gram: Gram) -> Gram:
    """The same structure with the running number of each entry as its value."""
    cross, first = dict(gram.cross), 0
    for j in range(1, len(gram.zz)):
        values = gram.cross[0, j].values
        cross[0, j] = replace(
            gram.cross[0, j], values=np.arange(first, first + values.size, dtype=float).reshape(values.shape)
        )
        first += values.size
    return replace(gram, cross=cross)


def _dense_is_cheaper(found: Tail, k: int) -> bool:
    """Whether one dense product costs less than refilling and applying the elimination pattern."""
    if not found.storage.square or found.pattern is None:
        return False
    dense = found.coupling.shape[0] * float(found.n_columns) ** 2
    return found.pattern.nnz > SPARSE_SHARE * dense
