"""Which random effects belong together: the terms of one grouping factor form one block per level."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...design.design import GroupTerm


@dataclass(frozen=True)
class Block:
    """All terms of one grouping factor: L levels with k columns each.

    `codes` (n,) index the levels; `terms` are positions in the design's group terms and `slices` the
    columns of each inside the block.
    """

    factor: str
    codes: np.ndarray
    n_levels: int
    terms: tuple[int, ...]
    slices: tuple[slice, ...]

    @property
    def k(self) -> int:
        """Number of columns of all terms together."""
        return self.slices[-1].stop


def blocks(groups: Sequence[GroupTerm]) -> tuple[Block, ...]:
    """The blocks of a model, the factor with the most levels first: usually it is eliminated."""
    by_factor: dict[str, list[int]] = {}
    for position, term in enumerate(groups):
        by_factor.setdefault(term.factor, []).append(position)
    found = [_block(factor, positions, groups) for factor, positions in by_factor.items()]
    return tuple(sorted(found, key=lambda block: -block.n_levels))


def _block(factor: str, positions: list[int], groups: Sequence[GroupTerm]) -> Block:
    edges = np.cumsum([0, *(groups[j].Z.shape[1] for j in positions)])
    return Block(
        factor=factor,
        codes=groups[positions[0]].codes,
        n_levels=groups[positions[0]].n_levels,
        terms=tuple(positions),
        slices=tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(edges)),
    )
