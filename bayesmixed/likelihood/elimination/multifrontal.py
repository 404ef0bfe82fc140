"""The tail's system where few of its levels meet: blocks of pairs of levels, solved front by front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ..working.blocks import Block
from ..working.gram import Gram
from .fronts import Factored, Fronts, factorise, fronts, with_data
from .ordering import Elimination
from .storage import Matrices, Place, places

CHUNK = 2**22  # elements of a dense chunk of rows x tail columns


@dataclass(frozen=True)
class FrontPart:
    """Pairs of levels of the tail's factors i >= j that meet: (count, k_i, k_j) from `offset` in the flat array.

    `own` are those of a level with itself, in the order of the levels; none where i > j.
    """

    i: int
    j: int
    offset: int
    shape: tuple[int, int, int]
    own: np.ndarray

    def view(self, flat: np.ndarray) -> np.ndarray:
        """The blocks inside a flat array."""
        return flat[self.offset : self.offset + int(np.prod(self.shape))].reshape(self.shape)


@dataclass(frozen=True)
class FrontsStorage:
    """Sparse storage: `parts` by pairs of factors, `edges` where each factor's columns begin and the last one's end.

    `key` (sorted) and `begin` find the block of a pair of levels; `level` and `inside` belong to each column. `where`
    (size,) is each entry's position in the factor of `fronts`; `rows` and `columns` (size,) say what it is.
    """

    parts: tuple[FrontPart, ...]
    edges: np.ndarray
    widths: np.ndarray
    key: np.ndarray
    begin: np.ndarray
    level: np.ndarray
    inside: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    fronts: Fronts
    where: np.ndarray
    places: tuple[Place, ...]

    @property
    def size(self) -> int:
        """Of the flat array."""
        return len(self.rows)

    @property
    def square(self) -> bool:
        """Never one whole matrix."""
        return False

    @property
    def whole(self) -> bool:
        """Only the factor's pattern is kept."""
        return False

    def known(self, matrices: Matrices, factors: Sequence[np.ndarray]) -> FrontsSolved:
        """Never asked: matrices solved elsewhere are dense."""
        raise NotImplementedError("a sparse factor keeps no whole matrices")

    def flat(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """See `Storage`; in any order."""
        return _flat(self.key, self.begin, self.level, self.inside, self.widths, (a, b))

    def direct(self, gram: Gram) -> np.ndarray:
        """See `Storage`."""
        flat = np.zeros(self.size)
        for place in self.places:
            flat[place.at] = place.values(gram)
        return flat

    def completed(self, flat: np.ndarray) -> np.ndarray:
        """See `Storage`."""
        low, up = self._mirror
        flat[up] = flat[low]
        return flat

    def elements(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `Storage`."""
        twice = self._apart
        return (
            np.concatenate([self.rows, self.columns[twice]]),
            np.concatenate([self.columns, self.rows[twice]]),
            np.concatenate([flat, flat[twice]]),
        )

    def matrix(self, flat: np.ndarray) -> sparse.csr_array:
        """The whole symmetric matrix."""
        return with_data(self._pattern, flat[self._pattern.data])

    def solve(self, T: np.ndarray, T_tw: np.ndarray, factors: Sequence[np.ndarray], *, invert: bool) -> FrontsSolved:
        """See `Storage`."""
        tail_factors = tuple(factors[1:])
        filled = self.fronts.template.copy()
        filled[self.where] = self._between(T, [Lambda.T for Lambda in tail_factors], unit=1.0)
        factored = factorise(self.fronts, filled)
        S_inverse = K = np.zeros(0)
        if invert:
            S_inverse = factored.inverted()[self.where]
            K = self._between(S_inverse, tail_factors)
        white = factored.whitened(self.scaled(T_tw, [Lambda.T for Lambda in tail_factors]))
        return FrontsSolved(self, tail_factors, T, K, S_inverse, factored, factored.log_det, white.T @ white)

    def scaled(self, right: np.ndarray, factors: Sequence[np.ndarray]) -> np.ndarray:
        """blockdiag(factors) times (q_t, m)."""
        product = np.empty_like(right)
        for Lambda, first, last in zip(factors, self.edges[:-1], self.edges[1:], strict=True):
            if len(Lambda) == 1:
                product[first:last] = Lambda[0, 0] * right[first:last]
            else:
                part = right[first:last].reshape(-1, len(Lambda), right.shape[1])
                product[first:last] = (Lambda @ part).reshape(-1, right.shape[1])
        return product

    def _between(self, flat: np.ndarray, factors: Sequence[np.ndarray], unit: float = 0.0) -> np.ndarray:
        """Blocks F_i A F_j' of a flat A, plus `unit` on the diagonal."""
        found = np.empty_like(flat)
        for part in self.parts:
            left, right, blocks = factors[part.i], factors[part.j], part.view(flat)
            if left.size == right.size == 1:
                scaled = blocks * (left[0, 0] * right[0, 0])
            else:
                scaled = left @ blocks @ right.T
            if unit and len(part.own):
                scaled[part.own] += unit * np.eye(len(left))
            part.view(found)[:] = scaled
        return found

    @cached_property
    def _apart(self) -> np.ndarray:
        """Entries between different levels, which are kept once."""
        return np.flatnonzero(self.level[self.rows] != self.level[self.columns])

    @cached_property
    def _mirror(self) -> tuple[np.ndarray, np.ndarray]:
        """Entries below the diagonal of blocks of a level with itself, and those above it."""
        low = np.flatnonzero((self.level[self.rows] == self.level[self.columns]) & (self.rows > self.columns))
        return low, self.flat(self.columns[low], self.rows[low])

    @cached_property
    def _pattern(self) -> sparse.csr_array:
        """The pattern of the whole matrix, with flat positions as its data."""
        rows, columns, position = self.elements(np.arange(self.size))
        # one more than the position, lest the first be dropped as a zero
        pattern = sparse.coo_array((position + 1, (rows, columns)), shape=(len(self.level),) * 2).tocsr()
        pattern.data -= 1
        return pattern


@dataclass(frozen=True)
class FrontsSolved:
    """See `Solved`; `factors` are the tail's."""

    storage: FrontsStorage
    factors: tuple[np.ndarray, ...]
    T: np.ndarray
    K: np.ndarray
    S_inverse: np.ndarray
    factored: Factored
    log_det: float
    explained: np.ndarray

    def product(self, right: np.ndarray) -> np.ndarray:
        """See `Solved`."""
        return self._matrix @ right

    def apply(self, right: np.ndarray) -> np.ndarray:
        """See `Solved`."""
        columns = right if right.ndim == 2 else right[:, None]
        found = self.storage.scaled(self.spherical(columns), self.factors)
        return found if right.ndim == 2 else found[:, 0]

    def spherical(self, right: np.ndarray) -> np.ndarray:
        """See `Solved`."""
        return self.factored.solve(self._inside(right))

    def traces(self) -> list[np.ndarray]:
        """See `Solved`."""
        totals = [np.zeros(Lambda.shape) for Lambda in self.factors]
        for part in self.storage.parts:
            T, inverse = part.view(self.T), part.view(self.S_inverse)
            totals[part.i] += np.einsum("mac,cd,mbd->ab", T, self.factors[part.j], inverse, optimize=True)
            across = np.einsum("mca,cd,mdb->ab", T, self.factors[part.i], inverse, optimize=True)
            if len(part.own):  # which the first sum has already
                own = T[part.own], inverse[part.own]
                across -= np.einsum("mca,cd,mdb->ab", own[0], self.factors[part.i], own[1], optimize=True)
            totals[part.j] += across
        return totals

    def level_blocks(self) -> list[np.ndarray]:
        """See `Solved`."""
        return [part.view(self.K)[part.own] for part in self.storage.parts if part.i == part.j]

    def covariance(self) -> np.ndarray | sparse.csr_array:
        """See `Solved`."""
        return self.storage.matrix(self.K)

    def quadratic(self, rows: sparse.csr_array) -> np.ndarray:
        """See `Solved`."""
        step = max(1, CHUNK // rows.shape[1])
        parts = []
        for first in range(0, rows.shape[0], step):
            white = self.factored.whitened(self._inside(rows[first : first + step].toarray().T))
            parts.append(np.einsum("qn,qn->n", white, white))
        return np.concatenate(parts) if parts else np.zeros(0)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """See `Solved`."""
        noise = rng.standard_normal((len(self.storage.level), n))
        return self.storage.scaled(self.factored.coloured(noise), self.factors)

    @cached_property
    def _matrix(self) -> sparse.csr_array:
        return self.storage.matrix(self.T)

    def _inside(self, right: np.ndarray) -> np.ndarray:
        return self.storage.scaled(right, [Lambda.T for Lambda in self.factors])


def fronts_storage(
    blocks: Sequence[Block], gram: Gram, starts: np.ndarray, graph: sparse.csr_array, found: Elimination
) -> FrontsStorage:
    """The storage of a tail whose levels interact as `graph` says, to be eliminated as `found`."""
    counts, per_block = [b.n_levels for b in blocks[1:]], np.array([b.k for b in blocks[1:]])
    size = sum(counts)
    widths = np.repeat(per_block, counts)
    first = np.cumsum(widths) - widths
    pairs = graph.tocoo()
    lower = pairs.row > pairs.col
    everyone = np.arange(size)
    a = np.concatenate([everyone, pairs.row[lower].astype(np.int64)])
    b = np.concatenate([everyone, pairs.col[lower].astype(np.int64)])
    parts, sort, begin = _parts(a, b, counts, per_block)
    a, b = a[sort], b[sort]
    rows, columns = _entries(a, b, first, widths)
    order = np.argsort(a * size + b)
    level = np.repeat(everyone, widths)
    inside = np.arange(int(widths.sum())) - first[level]
    laid = fronts(found, first, widths)
    key, begin = (a * size + b)[order], begin[order]

    def flat(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return _flat(key, begin, level, inside, widths, (left, right))

    where = laid.position(rows, columns)
    put = places(blocks, gram, starts, flat)
    return FrontsStorage(parts, starts, widths, key, begin, level, inside, rows, columns, laid, where, put)


def _parts(
    a: np.ndarray, b: np.ndarray, counts: Sequence[int], per_block: np.ndarray
) -> tuple[tuple[FrontPart, ...], np.ndarray, np.ndarray]:
    """Parts for pairs of levels a >= b, the order of the pairs in them, and where each of those begins."""
    owner = np.repeat(np.arange(len(counts)), counts)
    kind = owner[a] * len(counts) + owner[b]
    sort = np.argsort(kind, kind="stable")  # a level's pair with itself comes first, levels in order
    sizes = (per_block[owner[a]] * per_block[owner[b]])[sort]
    begin = np.cumsum(sizes) - sizes
    edges = np.searchsorted(kind[sort], np.arange(len(counts) ** 2 + 1))
    parts = []
    for i in range(len(counts)):
        for j in range(i + 1):
            m, last = edges[i * len(counts) + j : i * len(counts) + j + 2]
            if last > m:
                own = np.arange(counts[i] if i == j else 0)
                shape = (int(last - m), int(per_block[i]), int(per_block[j]))
                parts.append(FrontPart(i, j, int(begin[m]), shape, own))
    return tuple(parts), sort, begin


def _entries(a: np.ndarray, b: np.ndarray, first: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every entry of the blocks of pairs of levels, one after the other."""
    sizes = widths[a] * widths[b]
    pair = np.repeat(np.arange(len(a)), sizes)
    inside = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    row, column = np.divmod(inside, widths[b][pair])
    return first[a][pair] + row, first[b][pair] + column


def _flat(
    key: np.ndarray,
    begin: np.ndarray,
    level: np.ndarray,
    inside: np.ndarray,
    widths: np.ndarray,
    pair: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    a, b = pair
    swap = level[a] < level[b]
    late, early = np.where(swap, b, a), np.where(swap, a, b)
    at = np.searchsorted(key, level[late] * len(widths) + level[early])
    return begin[at] + inside[late] * widths[level[early]] + inside[early]
