"""Which storage a tail gets: dense components, or the fronts of a sparse factor where those are much cheaper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ...errors import FitError
from ..working.blocks import Block
from ..working.gram import Gram
from .batches import component_batches, compositions
from .dense import Batches
from .multifrontal import fronts_storage
from .ordering import Elimination, dense_seconds, elimination
from .storage import Storage, places

MAX_DENSE_BYTES = 4e9  # one dense matrix of 22,000 effects; where neither storage fits the fit is refused with its size
QUICK = 0.01  # guessed seconds of an evaluation below which nobody waits for dense matrices
SLOW = 0.05  # guessed seconds of an evaluation from which another factor is looked at
GAIN = 0.7  # of the usual way's time that another may take: both are guesses
PRODUCT = 1e-8  # seconds a multiplication of sparse patterns takes
ORDERED = 2.5e-7  # seconds a pair of levels that meet takes to be ordered
AFFORDED = 0.5  # of an evaluation with dense matrices that looking for something better may take
SAMPLED = 40  # levels that say how full the tail is

Meetings = Mapping[tuple[int, int], tuple[np.ndarray, np.ndarray]]


def storage_of(blocks: Sequence[Block], gram: Gram, starts: np.ndarray) -> Storage:
    """The storage of the tail of these blocks, whose columns begin at `starts`.

    Raises
    ------
    FitError
        Where no storage fits, with the size.
    """
    meetings = meetings_of(gram)
    sizes = component_sizes(blocks, meetings)
    found = sparse_elimination(blocks, meetings, sizes)
    if found is not None:
        return fronts_storage(blocks, gram, starts, *found)
    _refuse_too_large(sizes)
    return dense_storage(blocks, gram, starts)


def dense_storage(blocks: Sequence[Block], gram: Gram, starts: np.ndarray) -> Batches:
    """The storage in dense components, however large."""
    batches, position = component_batches(blocks, _components(blocks, meetings_of(gram)), starts)
    return Batches(batches, position, places(blocks, gram, starts, position.flat))


def meetings_of(gram: Gram) -> Meetings:
    """For each pair i < j of blocks the levels (m,) of both that meet in a row."""
    return {pair: (cross.rows, cross.columns) for pair, cross in gram.cross.items()}


def component_sizes(blocks: Sequence[Block], meetings: Meetings) -> np.ndarray:
    """Columns of each component of the tail that is left when the first block is eliminated."""
    if len(blocks) < 2:
        return np.zeros(0, dtype=np.int64)
    return compositions(blocks, _components(blocks, meetings)) @ np.array([b.k for b in blocks[1:]])


def eliminated_first(blocks: Sequence[Block], meetings: Meetings) -> int:
    """Which block to eliminate: the first, which has the most levels, unless another leaves much less.

    Parameters
    ----------
    meetings
        For each pair i < j of blocks the levels (m,) of both that meet in a row, each pair of levels once.
    """
    if len(blocks) < 2:
        return 0
    best, seconds = 0, _seconds(blocks, meetings, 0, np.inf)
    if seconds < SLOW:
        return 0
    for i in range(1, len(blocks)):
        other = _seconds(blocks, meetings, i, seconds)
        if other < GAIN * seconds:
            best, seconds = i, other
    return best


def _seconds(blocks: Sequence[Block], meetings: Meetings, first: int, most: float) -> float:
    """A guess of an evaluation's time after eliminating one block; `most` is what it must not exceed to be useful."""
    order = [first, *(i for i in range(len(blocks)) if i != first)]
    some = [blocks[i] for i in order]
    met = {}
    for a in range(len(order)):
        for b in range(a + 1, len(order)):
            rows, columns = meetings[min(order[a], order[b]), max(order[a], order[b])]
            met[a, b] = (rows, columns) if order[a] < order[b] else (columns, rows)
    sizes = component_sizes(some, met)
    found = sparse_elimination(some, met, sizes, most)
    if found is None and _bytes(sizes) > MAX_DENSE_BYTES:
        return np.inf
    through = np.bincount(np.concatenate([met[0, j][0] for j in range(1, len(some))])).astype(float)
    return (dense_seconds(sizes) if found is None else found[1].seconds) + PRODUCT * float(np.sum(through**2))


def sparse_elimination(
    blocks: Sequence[Block], meetings: Meetings, sizes: np.ndarray, most: float = np.inf
) -> tuple[sparse.csr_array, Elimination] | None:
    """Which levels of a sparse tail meet, and their elimination.

    None where dense components of `sizes` columns serve as well, or where it cannot take less than `most` seconds.
    """
    dense, fits = dense_seconds(sizes), _bytes(sizes) <= MAX_DENSE_BYTES
    if dense < QUICK and fits:
        return None
    met, direct = _matrices(blocks, meetings)
    products = float(np.sum(np.diff(met.indptr).astype(float) ** 2))
    budget = AFFORDED * min(dense if fits else np.inf, most)
    if PRODUCT * products + ORDERED * _pairs(met, direct) > budget:
        return None
    graph = _without_diagonal(met.T @ met + direct)
    widths = np.repeat([b.k for b in blocks[1:]], [b.n_levels for b in blocks[1:]])
    found = elimination(graph, widths, MAX_DENSE_BYTES / 8)
    return None if found is None or (fits and found.seconds > GAIN * dense) else (graph, found)


def _matrices(blocks: Sequence[Block], meetings: Meetings) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Which levels of the first block meet which of the tail (L, m), and which of the tail meet in a row (m, m)."""
    levels = np.cumsum([0, *(b.n_levels for b in blocks[1:])])
    size = int(levels[-1])
    through = [(rows, levels[j - 1] + columns) for (i, j), (rows, columns) in meetings.items() if i == 0]
    direct = sparse.csr_array((size, size))
    for (i, j), (rows, columns) in meetings.items():
        if i > 0:
            one = _ones(levels[i - 1] + rows, levels[j - 1] + columns, (size, size))
            direct = direct + one + one.T
    rows, columns = (np.concatenate(part) for part in zip(*through, strict=True))
    return _ones(rows, columns, (blocks[0].n_levels, size)), direct


def _pairs(met: sparse.csr_array, direct: sparse.csr_array) -> float:
    """About how many pairs of the tail's levels meet, from some levels alone."""
    some = np.unique(np.linspace(0, met.shape[1] - 1, SAMPLED).astype(int))
    counts = np.diff((met.T.tocsr()[some] @ met + direct[some]).tocsr().indptr)
    return float(counts.mean()) * met.shape[1]


def _without_diagonal(graph: sparse.csr_array) -> sparse.csr_array:
    pairs = graph.tocoo()
    off = pairs.row != pairs.col
    return _ones(pairs.row[off], pairs.col[off], graph.shape)


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()


def _components(blocks: Sequence[Block], meetings: Meetings) -> np.ndarray:
    """Per level of the tail, blocks one after the other, which component it belongs to."""
    level_starts = np.cumsum([0, *(b.n_levels for b in blocks)])
    rows = np.concatenate([meetings[0, j][0] for j in range(1, len(blocks))])
    columns = np.concatenate([level_starts[j] + meetings[0, j][1] for j in range(1, len(blocks))])
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(level_starts[-1],) * 2)
    _, label = connected_components(graph, directed=False)
    _, dense_label = np.unique(label[level_starts[1] :], return_inverse=True)
    return dense_label


def _bytes(sizes: np.ndarray) -> float:
    return 8.0 * float(np.sum(sizes.astype(float) ** 2))


def _refuse_too_large(sizes: np.ndarray) -> None:
    if _bytes(sizes) > MAX_DENSE_BYTES:
        raise FitError(
            f"After eliminating the largest grouping factor, {int(sizes.sum()):,} crossed random effects remain in "
            f"a dense matrix of {_bytes(sizes) / 1e9:.1f} GB, and a sparse one fills up as well. Drop a crossed factor "
            "or group its rare levels.",
            topic="memory",
        )
