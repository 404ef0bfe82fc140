"""Which storage a tail gets: dense components, or the fronts of a sparse factor where those are much cheaper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ..errors import FitError
from .batches import component_batches, compositions
from .blocks import Block
from .dense import Batches
from .gram import Gram
from .multifrontal import fronts_storage
from .ordering import Elimination, dense_seconds, elimination
from .storage import Storage, places

MAX_DENSE_BYTES = 4e9  # one dense matrix of 22,000 effects; where neither storage fits the fit is refused with its size
QUICK = 0.01  # guessed seconds of an evaluation below which nobody waits for dense matrices
GAIN = 0.7  # of the dense matrices' time that fronts may take: both are guesses
PRODUCT = 2e-8  # seconds a multiplication of sparse patterns takes
FILLED = 0.3  # share of pairs of levels that interact from which no order leaves much empty


def storage_of(blocks: Sequence[Block], gram: Gram, starts: np.ndarray) -> Storage:
    """The storage of the tail of these blocks, whose columns begin at `starts`.

    Raises
    ------
    FitError
        Where no storage fits, with the size.
    """
    component = _components(blocks, gram)  # per tail level, blocks one after the other
    sizes = compositions(blocks, component) @ np.array([b.k for b in blocks[1:]])
    found = sparse_elimination(blocks, gram, sizes)
    if found is not None:
        return fronts_storage(blocks, gram, starts, *found)
    _refuse_too_large(sizes)
    batches, position = component_batches(blocks, component, starts)
    return Batches(batches, position, places(blocks, gram, starts, position.flat))


def sparse_elimination(
    blocks: Sequence[Block], gram: Gram, sizes: np.ndarray
) -> tuple[sparse.csr_array, Elimination] | None:
    """Which levels of a sparse tail meet, and their elimination.

    None where dense components of `sizes` columns serve as well.
    """
    dense, fits = dense_seconds(sizes), _bytes(sizes) <= MAX_DENSE_BYTES
    if dense < QUICK and fits:
        return None
    met = np.bincount(np.concatenate([gram.cross[0, j].rows for j in range(1, len(blocks))]))
    if fits and PRODUCT * float(np.sum(met.astype(float) ** 2)) > dense:
        return None
    graph = interactions(blocks, gram)
    if fits and graph.nnz > FILLED * _pairs(blocks, sizes):
        return None
    widths = np.repeat([b.k for b in blocks[1:]], [b.n_levels for b in blocks[1:]])
    found = elimination(graph, widths, MAX_DENSE_BYTES / 8)
    return None if found is None or (fits and found.seconds > GAIN * dense) else (graph, found)


def interactions(blocks: Sequence[Block], gram: Gram) -> sparse.csr_array:
    """Which levels of the tail meet, directly or through a level of the first block: ones, without diagonal."""
    levels = np.cumsum([0, *(b.n_levels for b in blocks[1:])])
    size = int(levels[-1])
    direct, through = [], []
    for (i, j), cross in gram.cross.items():
        if i == 0:
            through.append((cross.rows, levels[j - 1] + cross.columns))
        else:
            direct.append((levels[i - 1] + cross.rows, levels[j - 1] + cross.columns))
    rows, columns = (np.concatenate(part) for part in zip(*through, strict=True))
    met = _ones(rows, columns, (blocks[0].n_levels, size))
    graph = met.T @ met
    for rows, columns in direct:
        one = _ones(rows, columns, (size, size))
        graph = graph + one + one.T
    graph = sparse.coo_array(graph)
    off = graph.row != graph.col
    return _ones(graph.row[off], graph.col[off], (size, size))


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()


def _components(blocks: Sequence[Block], gram: Gram) -> np.ndarray:
    level_starts = np.cumsum([0, *(b.n_levels for b in blocks)])
    rows = np.concatenate([gram.cross[0, j].rows for j in range(1, len(blocks))])
    columns = np.concatenate([level_starts[j] + gram.cross[0, j].columns for j in range(1, len(blocks))])
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(level_starts[-1],) * 2)
    _, label = connected_components(graph, directed=False)
    _, dense_label = np.unique(label[level_starts[1] :], return_inverse=True)
    return dense_label


def _bytes(sizes: np.ndarray) -> float:
    return 8.0 * float(np.sum(sizes.astype(float) ** 2))


def _pairs(blocks: Sequence[Block], sizes: np.ndarray) -> float:
    """How many pairs of levels components of `sizes` columns have at most."""
    width = sum(b.n_levels * b.k for b in blocks[1:]) / sum(b.n_levels for b in blocks[1:])
    return float(np.sum((sizes / width) ** 2))


def _refuse_too_large(sizes: np.ndarray) -> None:
    if _bytes(sizes) > MAX_DENSE_BYTES:
        raise FitError(
            f"After eliminating the largest grouping factor, {int(sizes.sum()):,} crossed random effects remain in "
            f"a dense matrix of {_bytes(sizes) / 1e9:.1f} GB, and a sparse one fills up as well. Drop a crossed factor "
            "or group its rare levels."
        )
