"""The rows of a model as the inner loop needs them: codes and columns per block, gathered and summed by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ...covariance import Covariance
from ...design.design import Design, GroupTerm
from ...families import Family, Observed, observed
from ..elimination.choice import eliminated_first
from ..working.basis import orthonormal, term_bases
from ..working.blocks import Block, blocks
from ..working.theta import Theta

WIDE = 6  # columns from which one sparse product beats a count per column


@dataclass(frozen=True)
class BlockRows:
    """One block's rows: `codes` (n,) and `columns`, each (n,) or None for a column of ones."""

    codes: np.ndarray
    n_levels: int
    columns: tuple[np.ndarray | None, ...]

    @property
    def k(self) -> int:
        """Number of columns."""
        return len(self.columns)

    def spread(self, b: np.ndarray) -> np.ndarray:
        """Z b (n,) for b (L, k)."""
        total: np.ndarray | None = None
        for j, z in enumerate(self.columns):
            part = b[self.codes, j] if z is None else z * b[self.codes, j]
            total = part if total is None else total + part
        return np.zeros(len(self.codes)) if total is None else total

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Z' values (L, k) for values (n,)."""
        found = np.empty((self.n_levels, self.k))
        for j in range(self.k):
            found[:, j] = np.bincount(self.codes, self.weighted(j, values), self.n_levels)
        return found

    def weighted(self, j: int, values: np.ndarray) -> np.ndarray:
        """Column j times values (n,)."""
        z = self.columns[j]
        return values if z is None else z * values

    def products(self, V: np.ndarray) -> np.ndarray:
        """Z' V Z per level (L, k, k) for V (n,)."""
        found = np.empty((self.n_levels, self.k, self.k))
        for i in range(self.k):
            left = self.weighted(i, V)
            for j in range(i + 1):
                sums = np.bincount(self.codes, self.weighted(j, left), self.n_levels)
                found[:, i, j] = found[:, j, i] = sums
        return found

    def quadratic(self, C: np.ndarray) -> np.ndarray:
        """z_i' C z_i (n,) with the block (k, k) of each row's level, C (L, k, k)."""
        total = np.zeros(len(self.codes))
        for i in range(self.k):
            for j in range(i + 1):
                share = C[self.codes, i, j] * (1.0 if i == j else 2.0)
                total += self.weighted(i, self.weighted(j, share))
        return total


@dataclass(frozen=True)
class Pairs:
    """Rows by the levels of two blocks that they share: row i belongs to pair `where[i]` of levels `a`, `b`."""

    where: np.ndarray
    a: np.ndarray
    b: np.ndarray
    single: bool  # one row per pair, in the order of the pairs: nothing to sum

    def products(self, left: BlockRows, right: BlockRows, V: np.ndarray) -> np.ndarray:
        """Z_a' V Z_b per pair (m, k_a, k_b)."""
        found = np.empty((len(self.a), left.k, right.k))
        for i in range(left.k):
            part = left.weighted(i, V)
            for j in range(right.k):
                values = right.weighted(j, part)
                found[:, i, j] = values if self.single else np.bincount(self.where, values, len(self.a))
        return found

    def bilinear(self, left: BlockRows, right: BlockRows, C: np.ndarray) -> np.ndarray:
        """z_a' C z_b (n,) with the block (k_a, k_b) of each row's pair, C (m, k_a, k_b)."""
        total = np.zeros(len(self.where))
        for i in range(left.k):
            for j in range(right.k):
                total += left.weighted(i, right.weighted(j, C[self.where, i, j]))
        return total


@dataclass(frozen=True)
class Rows:
    """The rows of positive weight of a model.

    `unit` is what eta is measured in, so that working coefficients and sds, to which absolute steps and limits apply,
    are numbers near 1 whatever the unit of the response. `Q` (n, p) has orthogonal columns of mean square `unit`
    squared, X = Q R; `blocks` with the eliminated factor first; `block_rows` and `pairs` as their names say;
    `theta` the layout of theta, whose bases hold the unit too; `eta_range` the open interval in which eta is allowed.
    """

    family: Family
    observed: Observed
    offset: np.ndarray
    Q: np.ndarray
    R: np.ndarray
    blocks: tuple[Block, ...]
    block_rows: tuple[BlockRows, ...]
    pairs: dict[tuple[int, int], Pairs]
    theta: Theta
    eta_range: tuple[float, float]
    unit: float = 1.0

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.offset)

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return self.Q.shape[1]

    def take(self, at: np.ndarray) -> Rows:
        """Those of some rows (numbers), with the levels that they have; in the columns and units of all."""
        levels = [np.unique(block.codes[at], return_inverse=True) for block in self.block_rows]
        block_rows = tuple(
            BlockRows(codes, len(known), tuple(None if z is None else z[at] for z in block.columns))
            for (known, codes), block in zip(levels, self.block_rows, strict=True)
        )
        blocks = tuple(
            replace(block, codes=codes, n_levels=len(known))
            for (known, codes), block in zip(levels, self.blocks, strict=True)
        )
        seen = type(self.observed)(*(None if values is None else values[at] for values in self.observed))
        return replace(
            self, observed=seen, offset=self.offset[at], Q=self.Q[at], blocks=blocks, block_rows=block_rows,
            pairs=_all_pairs(block_rows),
        )  # fmt: skip

    def weighted_sums(self, i: int, columns: np.ndarray) -> np.ndarray:
        """Z_i' columns (L, k, m) for columns (n, m)."""
        rows = self.block_rows[i]
        if columns.shape[1] > WIDE:
            index = np.arange(self.n)
            shape = (rows.n_levels, self.n)
            ones = np.ones(self.n)
            sums = [sparse.csr_array((rows.weighted(j, ones), (rows.codes, index)), shape=shape) @ columns
                    for j in range(rows.k)]  # fmt: skip
            return np.stack(sums, axis=1)
        return (
            np.stack([rows.sums(column) for column in columns.T], axis=2)
            if columns.shape[1]
            else np.zeros((rows.n_levels, rows.k, 0))
        )


def rows_of(design: Design, family: Family, covariances: Sequence[Covariance]) -> Rows:
    """Condition the design's rows; rows of weight zero are left out, levels that only they have keep their place."""
    keep: slice | np.ndarray = slice(None) if design.weights is None else np.flatnonzero(design.weights > 0)
    groups = [_kept(term, keep) for term in design.mu.groups]
    X = design.mu.X[keep]
    Q, R = orthonormal(X)
    root = np.sqrt(max(len(X), 1))
    seen = observed(design, keep)
    unit = predictor_unit(seen, family)
    bases = tuple(unit * C for C in term_bases(groups, covariances, None))
    found = blocks(groups)
    block_rows = tuple(_block_rows(block, groups, bases) for block in found)
    pairs = _all_pairs(block_rows)
    first = eliminated_first(found, {pair: (met.a, met.b) for pair, met in pairs.items()})
    if first:
        turned = [first, *(i for i in range(len(found)) if i != first)]
        found, block_rows = tuple(found[i] for i in turned), tuple(block_rows[i] for i in turned)
        pairs = _all_pairs(block_rows)
    return Rows(
        family, seen, design.mu.offset[keep], Q * (root * unit), R / (root * unit), found, block_rows, pairs,
        Theta.of(groups, covariances, bases), family.eta_range, unit,
    )  # fmt: skip


def predictor_unit(seen: Observed, family: Family) -> float:
    """A power of two near the spread of the response on the scale of eta, linearised; 1 where eta has no unit."""
    if not family.link.scaled:
        return 1.0
    y = seen.y if seen.trials is None else seen.y / np.maximum(seen.trials, 1)
    centre, spread = np.mean(y), float(np.std(y))
    with np.errstate(all="ignore"):
        size = spread * abs(float(family.link.slope(np.float64(centre))))
        size = size if 0 < size < np.inf else abs(float(family.link.forward(np.float64(centre))))
    # a power of two: nothing is rounded
    return float(2.0 ** np.round(np.log2(size))) if 0 < size < np.inf else 1.0


def _kept(term: GroupTerm, keep: slice | np.ndarray) -> GroupTerm:
    return term if isinstance(keep, slice) else replace(term, codes=term.codes[keep], Z=term.Z[keep])


def _block_rows(block: Block, groups: Sequence[GroupTerm], bases: Sequence[np.ndarray]) -> BlockRows:
    Z = np.column_stack([groups[j].Z @ bases[j] for j in block.terms])
    columns = tuple(None if np.all(z == 1.0) else np.ascontiguousarray(z) for z in Z.T)
    return BlockRows(np.ascontiguousarray(block.codes, dtype=np.int64), block.n_levels, columns)


def _all_pairs(block_rows: Sequence[BlockRows]) -> dict[tuple[int, int], Pairs]:
    count = len(block_rows)
    return {(i, j): _pairs(block_rows[i], block_rows[j]) for i in range(count) for j in range(i + 1, count)}


def _pairs(left: BlockRows, right: BlockRows) -> Pairs:
    keys = left.codes * right.n_levels + right.codes
    pairs, where = np.unique(keys, return_inverse=True)
    single = len(pairs) == len(keys) and bool(np.all(np.diff(keys) > 0))
    return Pairs(where, pairs // right.n_levels, pairs % right.n_levels, single)
