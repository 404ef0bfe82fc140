"""Cross-products of everything with everything, formed once: after this no evaluation touches rows again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .blocks import Block

WIDE = 6  # columns from which one sparse product beats a count per column


@dataclass(frozen=True)
class Cross:
    """Z_i'Z_j at the co-occurring level pairs: `rows`, `columns` (m,) level codes, `values` (m, k_i, k_j)."""

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    def transposed(self) -> Cross:
        """Z_j'Z_i."""
        return Cross(self.columns, self.rows, self.values.transpose(0, 2, 1))

    def __add__(self, other: Cross) -> Cross:
        rows = np.concatenate([self.rows, other.rows])
        columns = np.concatenate([self.columns, other.columns])
        values = np.concatenate([self.values, other.values])
        width = int(columns.max(initial=0)) + 1
        pairs, where = np.unique(rows.astype(np.int64) * width + columns, return_inverse=True)
        return Cross(pairs // width, pairs % width, _sum_by(where, values, len(pairs)))


@dataclass(frozen=True)
class Gram:
    """Weighted cross-products, blocks in the order of `blocks()`; two grams of disjoint rows add up.

    `zz[i]` (L, k, k) per level, `zw[i]` (L, k, p + 1) with W = [Q, residual], `ww` (p + 1, p + 1),
    `cross[i, j]` for i < j, `n` rows of positive weight, `log_weights` = sum log w.
    """

    zz: tuple[np.ndarray, ...]
    zw: tuple[np.ndarray, ...]
    ww: np.ndarray
    cross: dict[tuple[int, int], Cross]
    n: int
    log_weights: float

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return len(self.ww) - 1

    def reordered(self, order: Sequence[int]) -> Gram:
        """The same with its blocks in another order."""
        cross = {}
        for a, i in enumerate(order):
            for b, j in enumerate(order[a + 1 :], a + 1):
                cross[a, b] = self.cross[i, j] if i < j else self.cross[j, i].transposed()
        return replace(self, zz=tuple(self.zz[i] for i in order), zw=tuple(self.zw[i] for i in order), cross=cross)

    def __add__(self, other: Gram) -> Gram:
        return Gram(
            zz=tuple(a + b for a, b in zip(self.zz, other.zz, strict=True)),
            zw=tuple(a + b for a, b in zip(self.zw, other.zw, strict=True)),
            ww=self.ww + other.ww,
            cross={pair: self.cross[pair] + other.cross[pair] for pair in self.cross},
            n=self.n + other.n,
            log_weights=self.log_weights + other.log_weights,
        )


def gram(blocks: Sequence[Block], Z: Sequence[np.ndarray], W: np.ndarray, weights: np.ndarray | None) -> Gram:
    """Form the cross-products of the conditioned rows.

    Parameters
    ----------
    blocks
        The blocks, their codes restricted to the rows given.
    Z
        Per block (n, k): within-group columns times W^1/2, in their own basis.
    W
        (n, p + 1): W^1/2 [Q, residual].
    weights
        (n,) positive precision weights, or None for all one.
    """
    pairs = [(i, j) for i in range(len(blocks)) for j in range(i + 1, len(blocks))]
    return Gram(
        zz=tuple(_within(b, z, z) for b, z in zip(blocks, Z, strict=True)),
        zw=tuple(_within(b, z, W) for b, z in zip(blocks, Z, strict=True)),
        ww=W.T @ W,
        cross={(i, j): _across(blocks[i], blocks[j], Z[i], Z[j]) for i, j in pairs},
        n=len(W),
        log_weights=0.0 if weights is None else float(np.sum(np.log(weights))),
    )


def _within(block: Block, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return _sum_outer(block.codes, left, right, block.n_levels, symmetric=left is right)


def _across(a: Block, b: Block, left: np.ndarray, right: np.ndarray) -> Cross:
    keys = a.codes.astype(np.int64) * b.n_levels + b.codes
    pairs, where = np.unique(keys, return_inverse=True)
    values = _sum_outer(where, left, right, len(pairs))
    return Cross(pairs // b.n_levels, pairs % b.n_levels, values)


def _sum_outer(
    codes: np.ndarray, left: np.ndarray, right: np.ndarray, size: int, symmetric: bool = False
) -> np.ndarray:
    """Sum of outer products of rows by code: (size, k_left, k_right)."""
    if not symmetric and right.shape[1] > WIDE:
        rows = np.arange(len(codes))
        sums = [sparse.csr_array((column, (codes, rows)), shape=(size, len(codes))) @ right for column in left.T]
        return np.stack(sums, axis=1)
    total = np.empty((size, left.shape[1], right.shape[1]))
    for i in range(left.shape[1]):
        for j in range(i if symmetric else 0, right.shape[1]):
            total[:, i, j] = np.bincount(codes, weights=left[:, i] * right[:, j], minlength=size)
            if symmetric:
                total[:, j, i] = total[:, i, j]
    return total


def _sum_by(codes: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    sums = [np.bincount(codes, weights=column, minlength=size) for column in flat.T]
    return np.column_stack(sums).reshape(size, *values.shape[1:])
