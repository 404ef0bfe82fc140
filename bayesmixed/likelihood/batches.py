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

from .blocks import Block

DENSE_FROM = 40  # columns of a single component from which symmetric LAPACK routines beat batched ones


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
    composition = compositions(blocks, component)
    n_components = len(composition)
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


def compositions(blocks: Sequence[Block], component: np.ndarray) -> np.ndarray:
    """How many levels of each factor of the tail every component has."""
    owner = np.repeat(np.arange(len(blocks) - 1), [b.n_levels for b in blocks[1:]])
    size = int(component.max()) + 1
    return np.stack([np.bincount(component[owner == j], minlength=size) for j in range(len(blocks) - 1)], axis=1)
