"""The tail as batches of dense components.

Levels of the tail that never meet, directly or through a level of the eliminated factor, do not interact: nested
factors fall apart into small components, crossed factors form one. Components with the same number of levels of each
factor are stored as one batch of dense matrices inside a flat array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..working.blocks import Block

DENSE_FROM = 40  # columns of a single component from which symmetric LAPACK routines beat batched ones
CUBE = 5e-9  # seconds a cube of the columns of a small matrix: factor and inverse
CALLS = 1e-4  # seconds a batch takes whatever its matrices


@dataclass(frozen=True)
class Batch:
    """`count` components with `size` columns each, `offset` into the flat storage.

    `members` (count, size) are tail columns, one past the last standing for padding, whose entries are zero; `parts`
    lists (block, columns inside a component, k). A single large component is `dense`: of its symmetric matrices only
    the lower triangle is kept up.
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


def mirror(matrices: np.ndarray) -> np.ndarray:
    """Copy the lower triangles of (count, size, size) onto the upper ones, in place."""
    for j in range(matrices.shape[1] - 1):
        matrices[:, j, j + 1 :] = matrices[:, j + 1 :, j]
    return matrices


@dataclass(frozen=True)
class Position:
    """Where a tail column lives: its component's first flat index, its row inside it, and the row length."""

    base: np.ndarray
    inside: np.ndarray
    size: np.ndarray
    component: np.ndarray

    def flat(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.base[a] + self.inside[a] * self.size[a] + self.inside[b]


def component_batches(
    blocks: Sequence[Block], component: np.ndarray, starts: np.ndarray
) -> tuple[tuple[Batch, ...], Position]:
    """Batches of the components, numbered per level of the tail, blocks one after the other."""
    counts = np.array([b.n_levels for b in blocks[1:]])
    widths = np.array([b.k for b in blocks[1:]])
    owner = np.repeat(np.arange(len(counts)), counts)
    kinds, kind_of, how_many = np.unique(
        compositions(blocks, component), axis=0, return_inverse=True, return_counts=True
    )
    q = int(starts[-1])
    base, inside, size = (np.zeros(q, dtype=np.int64) for _ in range(3))
    column_component = np.concatenate([np.repeat(component[owner == j], widths[j]) for j in range(len(counts))])
    # columns sorted by component; the sort is stable, so blocks, levels and columns keep their order inside
    order = np.argsort(column_component, kind="stable")
    first = np.searchsorted(column_component[order], np.arange(len(kind_of)))
    batches, offset = [], 0
    for joined in _joined(kinds * widths, how_many):
        edges = np.concatenate([[0], np.cumsum((kinds[joined] * widths).max(axis=0))])
        which = np.flatnonzero(np.isin(kind_of.ravel(), joined))
        members = np.full((len(which), int(edges[-1])), q)
        for kind in joined:
            mine = np.flatnonzero(kind_of.ravel()[which] == kind)
            columns = order[first[which[mine]][:, None] + np.arange(int(kinds[kind] @ widths))]
            places = np.concatenate([edges[j] + np.arange(n) for j, n in enumerate(kinds[kind] * widths)])
            base[columns] = offset + mine[:, None] * edges[-1] ** 2
            inside[columns], size[columns] = places, edges[-1]
            members[mine[:, None], places] = columns
        parts = tuple(
            (j + 1, slice(int(edges[j]), int(edges[j + 1])), int(widths[j]))
            for j in range(len(counts))
            if edges[j + 1] > edges[j]
        )
        batches.append(Batch(offset, *members.shape, members, parts))
        offset += len(members) * members.shape[1] ** 2
    return tuple(batches), Position(base, inside, size, column_component)


def _joined(kinds: np.ndarray, how_many: np.ndarray) -> list[list[int]]:
    """Which kinds of components (m, factors), by columns of each factor, are padded to one batch.

    From the largest down, while the padding costs less than calls of its own.
    """
    order = sorted(range(len(kinds)), key=lambda i: (-int(kinds[i].sum()), i))
    groups: list[list[int]] = []
    for kind in order:
        if groups:
            together = [*groups[-1], kind]
            width = int(kinds[together].max(axis=0).sum())
            added = float(how_many[together] @ (width**3 - kinds[together].sum(axis=1) ** 3.0))
            if CUBE * added < CALLS:
                groups[-1] = together
                continue
        groups.append([kind])
    return groups


def compositions(blocks: Sequence[Block], component: np.ndarray) -> np.ndarray:
    """How many levels of each factor of the tail every component has."""
    owner = np.repeat(np.arange(len(blocks) - 1), [b.n_levels for b in blocks[1:]])
    size = int(component.max()) + 1
    return np.stack([np.bincount(component[owner == j], minlength=size) for j in range(len(blocks) - 1)], axis=1)
