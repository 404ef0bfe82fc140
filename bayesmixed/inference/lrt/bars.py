"""Is one model's random part a case of another's, bar by bar, and which standard deviations are zero there?

Bars are told by what they do to the rows: a grouping factor is the partition that it makes, whatever its name and its
levels are called, and columns count by what they span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...covariance import Covariance
from ...model import Model
from .rows import Pair
from .spans import combination, multiples


@dataclass(frozen=True, eq=False)
class RowBar:
    """One bar on rows in a given order: the level (n,) of each, its columns (n, k), its covariance structure.

    `bar` is its position in the design, `columns` (k,) the positions of its columns in that bar.
    """

    levels: np.ndarray
    Z: np.ndarray
    structure: Covariance
    bar: int
    columns: np.ndarray

    @property
    def k(self) -> int:
        """Number of columns."""
        return self.Z.shape[1]

    @property
    def size(self) -> int:
        """Number of covariance parameters."""
        return self.structure.n_theta(self.k)

    @property
    def full(self) -> bool:
        """Whether every covariance matrix of its columns is one of its."""
        return self.structure.unrestricted or self.k == 1

    def parts(self) -> tuple[RowBar, ...]:
        """A bar for each column where the columns have sds of their own and nothing else; else itself."""
        free = self.structure.parameters(self.k)
        if self.structure.correlated or free.shapes or not free.by_column:
            return (self,)
        return tuple(replace(self, Z=self.Z[:, [i]], columns=self.columns[[i]]) for i in range(self.k))


@dataclass(frozen=True, eq=False)
class Place:
    """Where a bar of the smaller model is in the larger: in the bar `into`, by the root B (k, m) of its columns.

    A factor F of its covariance is B F in that bar.
    """

    into: int
    root: np.ndarray

    def factor(self, F: np.ndarray) -> np.ndarray:
        """The root (k, .) of the covariance F F' in the larger bar's columns."""
        return self.root * F if len(F) == 1 else self.root @ F


@dataclass(frozen=True)
class Freed:
    """What a larger random part lets vary: `sds` that are zero in the smaller, each by its number of covariances.

    `interior` says that parameters inside their space are freed as well; `unclear` that what is zero is no single sd.
    """

    sds: tuple[int, ...] = ()
    interior: bool = False
    unclear: bool = False

    def __add__(self, other: Freed) -> Freed:
        return Freed(self.sds + other.sds, self.interior or other.interior, self.unclear or other.unclear)


@dataclass(frozen=True, eq=False)
class RandomParts:
    """The bars of a smaller model and of a larger on the same rows, and a place in the larger for each of the smaller.

    Bars whose columns have sds of their own may be split into these.
    """

    small: tuple[RowBar, ...] = ()
    large: tuple[RowBar, ...] = ()
    where: tuple[Place, ...] = ()

    def freed(self) -> Freed:
        """What the larger random part lets vary beyond the smaller."""
        total = Freed()
        for j, bar in enumerate(self.large):
            pairs = zip(self.small, self.where, strict=True)
            total += _freed(bar, [(one, place.root) for one, place in pairs if place.into == j])
        return total

    def embedded(self, factors: Sequence[np.ndarray], sizes: Sequence[int]) -> list[np.ndarray]:
        """Roots (k, .) of the covariances of the larger model's bars, of `sizes` (k), from factors of the smaller's."""
        roots: dict[int, list[np.ndarray]] = {}
        for one, place in zip(self.small, self.where, strict=True):
            into, own = self.large[place.into], factors[one.bar][np.ix_(one.columns, one.columns)]
            inside = place.factor(own)
            root = np.zeros((sizes[into.bar], inside.shape[1]))
            root[into.columns] = inside
            roots.setdefault(into.bar, []).append(root)
        return [np.hstack(roots[j]) if j in roots else np.zeros((k, 1)) for j, k in enumerate(sizes)]


def random_parts(small: Model, large: Model, rows: Pair) -> RandomParts | None:
    """How the random part of one model is a case of another's; None where it is none, or not seen to be one."""
    inner, outer = _row_bars(small, rows[0]), _row_bars(large, rows[1])
    where = _places(inner, outer)
    if where is None:
        inner, outer = (tuple(part for bar in bars for part in bar.parts()) for bars in (inner, outer))
        where = _places(inner, outer)
    return None if where is None else RandomParts(inner, outer, where)


def _row_bars(model: Model, rows: np.ndarray) -> tuple[RowBar, ...]:
    """The bars of a model on some of its rows, in their order."""
    found = []
    for j, (term, structure) in enumerate(zip(model.design.groups, model.covariances, strict=True)):
        levels = np.unique(term.codes[rows], return_inverse=True)[1]
        found.append(RowBar(levels, term.Z[rows], structure, j, np.arange(len(term.columns))))
    return tuple(found)


def _places(small: Sequence[RowBar], large: Sequence[RowBar]) -> tuple[Place, ...] | None:
    """A place for each bar of the smaller random part in the larger; None where one has none."""
    found: dict[int, Place] = {}
    taken: set[int] = set()  # of bars that take one alone
    options = {i: _options(bar, large) for i, bar in enumerate(small)}
    for i in sorted(options, key=lambda i: len(options[i])):
        free = [place for place in options[i] if place.into not in taken]
        if not free:
            return None
        found[i] = free[0]
        if not _shares(large[free[0].into]):
            taken.add(free[0].into)
    return tuple(found[i] for i in range(len(small)))


def _shares(bar: RowBar) -> bool:
    """Whether several bars of a smaller model can be in it together: their covariances add up to one of its."""
    return bar.full or not bar.structure.correlated


def _options(bar: RowBar, large: Sequence[RowBar]) -> list[Place]:
    """The bars of the larger model that it may be in, its equals first, then those of fewest parameters."""
    roots = [(other.size, j, _root(bar, other)) for j, other in enumerate(large)]
    ranked = sorted((size != bar.size, size, j) for size, j, root in roots if root is not None)
    return [Place(j, root) for _, _, j in ranked if (root := roots[j][2]) is not None]


def _root(bar: RowBar, other: RowBar) -> np.ndarray | None:
    """B (k, m) that makes a bar a case of another; None where it is none."""
    if not _same_partition(bar.levels, other.levels):
        return _root_within(bar, other)
    if other.full:
        return combination(bar.Z, other.Z)
    if not other.structure.correlated:
        return multiples(bar.Z, other.Z) if bar.k == 1 or not bar.structure.correlated else None
    if bar.k != other.k or not other.structure.holds(bar.structure):
        return None
    B = multiples(bar.Z, other.Z)
    if B is None or not np.all(np.count_nonzero(B, axis=0) == 1) or not np.all(np.count_nonzero(B, axis=1) == 1):
        return None
    if other.structure.invariance == "none" or bar.structure.invariance == "none":  # one sd for all
        return B if np.ptp(B[B != 0]) <= 1e-7 * np.max(np.abs(B)) else None
    return B if np.all(B[B != 0] > 0) else None  # a common correlation has one sign


def _root_within(bar: RowBar, other: RowBar) -> np.ndarray | None:
    """That of (1 | g:f) in (f | g): an independent effect of every cell is one covariance of the cells' columns."""
    if not other.full or bar.k != 1 or np.ptp(bar.Z[:, 0]) != 0 or bar.Z[0, 0] == 0:
        return None
    cells, cell = np.unique(other.Z, axis=0, return_inverse=True)
    cell = np.ravel(cell)
    if len(cells) != other.k or np.linalg.matrix_rank(cells) < other.k:
        return None
    if not _same_partition(bar.levels, other.levels * len(cells) + cell):
        return None
    return bar.Z[0, 0] * np.linalg.inv(cells)


def _same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two codings put the same rows together."""
    b = np.unique(b, return_inverse=True)[1]
    pairs = len(np.unique(a.astype(np.int64) * (int(b.max(initial=0)) + 1) + b))
    return pairs == len(np.unique(a)) == len(np.unique(b))


def _freed(bar: RowBar, inside: Sequence[tuple[RowBar, np.ndarray]]) -> Freed:
    """What one bar of the larger model lets vary beyond those of the smaller that are in it."""
    parameters = sum(one.size for one, _ in inside)
    if not inside:
        alone = bar.full or not bar.structure.correlated
        return Freed((0,) * bar.k, unclear=bar.k > 1) if alone else Freed(unclear=True)
    roots = np.hstack([root for _, root in inside])
    if bar.full:
        rank = _rank(roots * np.linalg.norm(bar.Z, axis=0)[:, None])
        if rank == bar.k:
            return Freed(interior=bar.size > parameters)
        one = inside[0][0]
        simple = len(inside) == 1 and rank == bar.k - 1 and one.full
        return Freed((rank,)) if simple else Freed(unclear=True)
    if not bar.structure.correlated:
        return Freed((0,) * (bar.k - int(np.count_nonzero(np.any(roots != 0, axis=1)))))
    return Freed(interior=bar.size > parameters)


def _rank(roots: np.ndarray) -> int:
    sizes = np.linalg.norm(roots, axis=0)
    return int(np.linalg.matrix_rank(roots / np.where(sizes > 0, sizes, 1.0)))
