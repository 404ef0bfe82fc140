"""Which random effects belong together: the terms of one grouping factor form one block per level."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...covariance import Covariance
from ...design.design import GroupTerm


@dataclass(frozen=True)
class Block:
    """All terms of one grouping factor: L levels with k columns each.

    `codes` (n,) index the levels; `terms` are positions in the design's group terms and `slices` the
    columns of each inside the block; `structures` are their covariance structures.
    """

    factor: str
    codes: np.ndarray
    n_levels: int
    terms: tuple[int, ...]
    slices: tuple[slice, ...]
    structures: tuple[Covariance, ...]

    @property
    def k(self) -> int:
        """Number of columns of all terms together."""
        return self.slices[-1].stop


def blocks(groups: Sequence[GroupTerm], covariances: Sequence[Covariance]) -> tuple[Block, ...]:
    """The blocks of a model, the factor with the most levels first: usually it is eliminated."""
    by_factor: dict[str, list[int]] = {}
    for position, term in enumerate(groups):
        by_factor.setdefault(term.factor, []).append(position)
    found = [_block(factor, positions, groups, covariances) for factor, positions in by_factor.items()]
    return tuple(sorted(found, key=lambda block: -block.n_levels))


def _block(factor: str, positions: list[int], groups: Sequence[GroupTerm], covariances: Sequence[Covariance]) -> Block:
    edges = np.cumsum([0, *(groups[j].Z.shape[1] for j in positions)])
    return Block(
        factor=factor,
        codes=groups[positions[0]].codes,
        n_levels=groups[positions[0]].n_levels,
        terms=tuple(positions),
        slices=tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(edges)),
        structures=tuple(covariances[j] for j in positions),
    )


def block_factor(block: Block, parts: Mapping[int, np.ndarray]) -> np.ndarray:
    """Lambda (k, k) of a block, block-diagonal over its terms, from the theta of each group term."""
    if len(block.terms) == 1:
        return block.structures[0].factor(parts[block.terms[0]], block.k)
    Lambda = np.zeros((block.k, block.k))
    for j, columns, structure in zip(block.terms, block.slices, block.structures, strict=True):
        Lambda[columns, columns] = structure.factor(parts[j], columns.stop - columns.start)
    return Lambda


def pull_back(
    blocks: Sequence[Block], parts: Mapping[int, np.ndarray], slopes: Sequence[np.ndarray], order: Sequence[int]
) -> np.ndarray:
    """d f / d theta, terms in `order`, from d f / d Lambda (k, k) of each block."""
    pulled = {
        j: structure.pullback(parts[j], columns.stop - columns.start, slope[columns, columns])
        for block, slope in zip(blocks, slopes, strict=True)
        for j, columns, structure in zip(block.terms, block.slices, block.structures, strict=True)
    }
    return np.concatenate([pulled[j] for j in order]) if pulled else np.zeros(0)
