"""The tail: all factors but the largest. Where its Schur complement has entries, and how they are stored.

Levels of the tail that never meet, directly or through a level of the eliminated factor, do not interact:
nested factors fall apart into small components, crossed factors form one. Components with the same number
of levels of each factor are stored as one batch of dense matrices inside a flat array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import blas
from scipy.sparse.csgraph import connected_components

from ..errors import FitError
from .blocks import Block
from .gram import Gram

MAX_DENSE_BYTES = 4e9  # one dense matrix of 22,000 effects; above this the fit is refused with its size
DENSE_FROM = 40  # columns of a single component from which symmetric LAPACK routines beat batched ones
SPARSE_SHARE = 0.02  # of a dense product's work: scattered sums cost about fifty times as much an entry
MAX_PATTERN = 10_000_000  # entries of the elimination pattern (12 bytes each) before dense products are cheaper


@dataclass(frozen=True)
class Batch:
    """`count` components with `size` columns each, `offset` into the flat storage.

    `members` (count, size) are tail columns; `parts` lists (block, columns inside a component, k). A single
    large component is `dense`: of its symmetric matrices only the lower triangle is kept up.
    """

    offset: int
    count: int
    size: int
    members: np.ndarray
    parts: tuple[tuple[int, slice, int], ...]

    @property
    def dense(self) -> bool:
        """Whether this is one matrix worth LAPACK's symmetric routines."""
        return self.count == 1 and self.size >= DENSE_FROM

    @cached_property
    def owners(self) -> np.ndarray:
        """The block (size,) that each column belongs to."""
        return np.repeat([block for block, _, _ in self.parts], [c.stop - c.start for _, c, _ in self.parts])

    @cached_property
    def scalar(self) -> bool:
        """Whether every tail factor has one column."""
        return all(k == 1 for _, _, k in self.parts)

    def view(self, flat: np.ndarray) -> np.ndarray:
        """The (count, size, size) matrices inside a flat array."""
        return flat[self.offset : self.offset + self.count * self.size**2].reshape(self.count, self.size, self.size)


@dataclass(frozen=True)
class Tail:
    """Symbolic structure of the tail.

    `n_columns` q_t; `batches` of components; `direct` (flat,) the tail's own cross-products; `coupling`
    (L k, q_t) sparse: cross-products of the eliminated factor with the tail; `pattern` sparse (m, L k k),
    which turns the eliminated blocks' weights into what they subtract at the `lower` (m,) flat positions
    (None where dense products of the coupling are cheaper); `multiplicity` (m,) is 2 off the diagonal.
    """

    n_columns: int
    batches: tuple[Batch, ...]
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
            for batch in self.batches:
                if not batch.dense:
                    mirror(batch.view(flat))
            return flat
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

    Raises FitError, naming the size, where the dense storage would not fit.
    """
    if len(blocks) < 2:
        return None
    starts = np.cumsum([0, *(b.n_levels * b.k for b in blocks[1:])])
    coupling = coupling_matrix(blocks, gram, starts)
    batches, position = component_batches(blocks, gram, starts)
    direct = direct_products(blocks, gram, starts, position, batches)
    pattern, lower, multiplicity = _pattern(
        coupling, blocks[0].k, position, len(batches) == 1 and batches[0].count == 1
    )
    return Tail(
        n_columns=int(starts[-1]),
        batches=batches,
        direct=direct,
        coupling=coupling,
        coupling_t=coupling.T.tocsr(),
        pattern=pattern,
        pattern_t=None if pattern is None else pattern.T,
        lower=lower,
        multiplicity=multiplicity,
    )


def mirror(matrices: np.ndarray) -> np.ndarray:
    """Copy the lower triangles of (count, size, size) onto the upper ones, in place."""
    for j in range(matrices.shape[1] - 1):
        matrices[:, j, j + 1 :] = matrices[:, j + 1 :, j]
    return matrices


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
    pattern, lower, _ = _pattern(coupling, k, position, False)
    return None if pattern is None else (pattern, lower)


def coupling_matrix(blocks: Sequence[Block], gram: Gram, starts: np.ndarray) -> sparse.csr_array:
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


@dataclass(frozen=True)
class Position:
    """Where a tail column lives: its component's first flat index, its row inside it, and the row length."""

    base: np.ndarray
    inside: np.ndarray
    size: np.ndarray
    component: np.ndarray

    def flat(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.base[a] + self.inside[a] * self.size[a] + self.inside[b]


def component_batches(blocks: Sequence[Block], gram: Gram, starts: np.ndarray) -> tuple[tuple[Batch, ...], Position]:
    component = _components(blocks, gram)  # per tail level, blocks one after the other
    counts = np.array([b.n_levels for b in blocks[1:]])
    widths = np.array([b.k for b in blocks[1:]])
    owner = np.repeat(np.arange(len(counts)), counts)
    n_components = int(component.max()) + 1
    composition = np.stack(
        [np.bincount(component[owner == j], minlength=n_components) for j in range(len(counts))], axis=1
    )
    _refuse_too_large(composition @ widths)
    kinds, kind_of = np.unique(composition, axis=0, return_inverse=True)
    kind_of = kind_of.ravel()
    q = int(starts[-1])
    base, inside, size = (np.zeros(q, dtype=np.int64) for _ in range(3))
    column_component = np.concatenate([np.repeat(component[owner == j], widths[j]) for j in range(len(counts))])
    # columns sorted by component; the sort is stable, so blocks, levels and columns keep their order inside
    order = np.argsort(column_component, kind="stable")
    first = np.searchsorted(column_component[order], np.arange(n_components))
    batches, offset = [], 0
    for kind, numbers in enumerate(kinds):
        which = np.flatnonzero(kind_of == kind)
        width = int(numbers @ widths)
        members = order[first[which][:, None] + np.arange(width)]
        edges = np.cumsum([0, *(numbers * widths)])
        parts = tuple(
            (j + 1, slice(int(edges[j]), int(edges[j + 1])), int(widths[j])) for j in range(len(counts)) if numbers[j]
        )
        base[members] = offset + np.arange(len(which))[:, None] * width**2
        inside[members] = np.arange(width)
        size[members] = width
        batches.append(Batch(offset, len(which), width, members, parts))
        offset += len(which) * width**2
    return tuple(batches), Position(base, inside, size, column_component)


def _components(blocks: Sequence[Block], gram: Gram) -> np.ndarray:
    level_starts = np.cumsum([0, *(b.n_levels for b in blocks)])
    rows = np.concatenate([gram.cross[0, j].rows for j in range(1, len(blocks))])
    columns = np.concatenate([level_starts[j] + gram.cross[0, j].columns for j in range(1, len(blocks))])
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(level_starts[-1],) * 2)
    _, label = connected_components(graph, directed=False)
    _, dense_label = np.unique(label[level_starts[1] :], return_inverse=True)
    return dense_label


def _refuse_too_large(sizes: np.ndarray) -> None:
    needed = 8.0 * float(np.sum(sizes.astype(float) ** 2))
    if needed > MAX_DENSE_BYTES:
        raise FitError(
            f"After eliminating the largest grouping factor, {int(sizes.sum()):,} crossed random effects remain in "
            f"a dense matrix of {needed / 1e9:.1f} GB. Drop a crossed factor or group its rare levels."
        )


def direct_products(
    blocks: Sequence[Block], gram: Gram, starts: np.ndarray, position: Position, batches: Sequence[Batch]
) -> np.ndarray:
    flat = np.zeros(batches[-1].offset + batches[-1].count * batches[-1].size ** 2)
    for i in range(1, len(blocks)):
        levels = np.arange(blocks[i].n_levels)
        _add(flat, position, starts, (i, i), (blocks[i].k, blocks[i].k), levels, levels, gram.zz[i])
        for j in range(i + 1, len(blocks)):
            cross, widths = gram.cross[i, j], (blocks[i].k, blocks[j].k)
            _add(flat, position, starts, (i, j), widths, cross.rows, cross.columns, cross.values)
            mirrored = cross.values.transpose(0, 2, 1)
            _add(flat, position, starts, (j, i), widths[::-1], cross.columns, cross.rows, mirrored)
    return flat


def _add(
    flat: np.ndarray,
    position: Position,
    starts: np.ndarray,
    pair: tuple[int, int],
    widths: tuple[int, int],
    rows: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
) -> None:
    a = starts[pair[0] - 1] + rows[:, None] * widths[0] + np.arange(widths[0])
    b = starts[pair[1] - 1] + columns[:, None] * widths[1] + np.arange(widths[1])
    flat[position.flat(a[:, :, None], b[:, None, :])] += values


def _pattern(
    coupling: sparse.csr_array, k: int, position: Position, single: bool
) -> tuple[sparse.csr_array | None, np.ndarray, np.ndarray]:
    """For each pair of tail columns met by one level: which products of coupling entries it sums."""
    found = entry_pairs(coupling, k, MAX_PATTERN if single else None)
    if found is None:
        return None, np.zeros(0, dtype=np.int64), np.zeros(0)
    left, right, weight = found
    a, b = coupling.indices[left].astype(np.int64), coupling.indices[right].astype(np.int64)
    keys = position.flat(a, b)
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
