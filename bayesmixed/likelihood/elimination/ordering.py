"""In which order to eliminate the levels of a sparse symmetric matrix, and which fronts that makes.

A front is a set of levels with the same later neighbours (a supernode): its `pivots` are eliminated together and change
entries among its `boundary` only. Fronts of one height in the elimination tree do not meet: they are eliminated side by
side (Duff & Reid 1983, ACM Trans. Math. Softw. 9, 302-325). What is left above some height is one dense root.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spilu

BATCHED = 2e-9  # seconds a multiplication in batches of small matrices, value and gradient together
SCATTERED = 3e-8  # seconds an entry that a front writes into others
CALLS = 2e-4  # seconds a height of the tree
FACTORED = 4e-11  # seconds a cube of a dense matrix's columns: factor and inverse
WRITTEN = 1e-8  # seconds an entry of it, for all that is done entry by entry


@dataclass(frozen=True)
class Front:
    """`pivots` (s,) in order of elimination and `boundary` (r,), both levels; `height` above the leaves."""

    pivots: np.ndarray
    boundary: np.ndarray
    height: int


@dataclass(frozen=True)
class Elimination:
    """`fronts` from the leaves up, and the levels of the dense `root`; `seconds` guessed for value and gradient."""

    fronts: tuple[Front, ...]
    root: np.ndarray
    seconds: float


def dense_seconds(sizes: np.ndarray) -> float:
    """A guess of what value and gradient cost with dense matrices of these numbers of columns."""
    sizes = np.asarray(sizes, dtype=float)
    return float(np.sum(FACTORED * sizes**3 + WRITTEN * sizes**2))


def elimination(graph: sparse.csr_array, widths: np.ndarray, limit: float) -> Elimination | None:
    """Order the levels of a symmetric graph (L, L) without diagonal, `widths` (L,) columns each.

    None where more than `limit` entries would be stored.
    """
    order = minimum_degree(graph)
    fronts = _fronts(graph, order, widths, limit)
    return None if fronts is None else _with_root(fronts, order, widths)


def minimum_degree(graph: sparse.csr_array) -> np.ndarray:
    """An order (L,) of the levels that leaves few entries: SuperLU's multiple minimum degree (Liu 1985)."""
    degrees = np.diff(graph.indptr)
    matrix = sparse.csc_array(sparse.diags_array(degrees + 1.0) - graph)
    # an incomplete factorisation that drops everything: SciPy offers the ordering only together with a factorisation
    found = spilu(
        matrix,
        drop_tol=1.0,
        fill_factor=1.0,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return np.argsort(found.perm_c)


def _fronts(graph: sparse.csr_array, order: np.ndarray, widths: np.ndarray, limit: float) -> list[Front] | None:
    """Fronts in the order's positions, leaves first; None where more than `limit` entries would be stored."""
    n = len(order)
    position = np.empty(n, dtype=np.int64)
    position[order] = np.arange(n)
    width, tree, stored = widths[order], _Tree(n), 0.0
    after = np.cumsum(width[::-1])[::-1]
    for j in range(n):
        found = tree.structure(j, position[graph.indices[graph.indptr[order[j]] : graph.indptr[order[j] + 1]]])
        if len(found) == n - 1 - j:  # everything left meets everything
            tree.close(j)
            return tree.fronts() if stored + float(after[j]) ** 2 <= limit else None
        stored += width[j] * (width[j] + float(width[found].sum()))
        if stored > limit:
            return None
        tree.add(j, found)
    raise AssertionError("the last level meets every level after it")


class _Tree:
    """The columns of a factor as they are found, one after the other, joined to fronts (George & Liu 1981, ch. 5)."""

    def __init__(self, n: int) -> None:
        self.open: dict[int, np.ndarray] = {}  # structures of the columns whose parent has not come yet
        self.children: list[list[int]] = [[] for _ in range(n)]
        self.front_of = np.empty(n, dtype=np.int64)
        self.pivots: list[list[int]] = []
        self.boundary: list[np.ndarray] = []
        self.heights: list[int] = []

    def structure(self, j: int, neighbours: np.ndarray) -> np.ndarray:
        """The positions after j that column j of the factor meets: its own neighbours and its children's."""
        found = np.unique(np.concatenate([neighbours, *(self.open[c] for c in self.children[j])]))
        return found[np.searchsorted(found, j, side="right") :]

    def add(self, j: int, found: np.ndarray) -> None:
        """Column j, in the front of a child with the same structure or in one of its own."""
        same = next((c for c in self.children[j] if len(self.open[c]) == len(found) + 1), None)
        mine = len(self.pivots) if same is None else int(self.front_of[same])
        if same is None:
            self._begin([j], found)
        else:
            self.pivots[mine].append(j)
            self.boundary[mine] = found
        self.front_of[j] = mine
        self._above(mine, self.children[j])
        if len(found):
            self.open[j] = found
            self.children[found[0]].append(j)

    def close(self, j: int) -> None:
        """All columns from j on as one front."""
        self._begin(list(range(j, len(self.children))), np.zeros(0, dtype=np.int64))
        self._above(len(self.pivots) - 1, list(self.open))

    def fronts(self) -> list[Front]:
        """Every front, leaves first."""
        parts = zip(self.pivots, self.boundary, self.heights, strict=True)
        return [Front(np.array(pivots), boundary, height) for pivots, boundary, height in parts]

    def _begin(self, pivots: list[int], boundary: np.ndarray) -> None:
        self.pivots.append(pivots)
        self.boundary.append(boundary)
        self.heights.append(0)

    def _above(self, front: int, children: list[int]) -> None:
        for c in children:
            self.open.pop(c)
            if self.front_of[c] != front:
                self.heights[front] = max(self.heights[front], self.heights[self.front_of[c]] + 1)


def _with_root(fronts: list[Front], order: np.ndarray, widths: np.ndarray) -> Elimination:
    """Cut the tree at the height above which one dense matrix is cheapest; levels as the caller numbers them."""
    width = widths[order]
    s = np.array([width[f.pivots].sum() for f in fronts], dtype=float)
    r = np.array([width[f.boundary].sum() for f in fronts], dtype=float)
    height = np.array([f.height for f in fronts])
    top = int(height.max()) + 1
    work = np.bincount(height, BATCHED * s * (s + r) ** 2 + SCATTERED * (s + r) ** 2, top) + CALLS
    below = np.concatenate([[0.0], np.cumsum(work)])
    columns = np.bincount(height, s, top)
    above = np.concatenate([np.cumsum(columns[::-1])[::-1], [0.0]])
    total = below + FACTORED * above**3 + WRITTEN * above**2
    cut = int(np.argmin(total))
    kept = sorted((f for f in fronts if f.height < cut), key=lambda f: f.height)
    root = np.concatenate([f.pivots for f in fronts if f.height >= cut] or [np.zeros(0, dtype=np.int64)])
    named = tuple(Front(order[f.pivots], order[f.boundary], f.height) for f in kept)
    return Elimination(named, order[np.sort(root)], float(total[cut]))
