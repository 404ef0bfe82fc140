"""Sparse products as gathers and fixed-width sums, which XLA vectorises on a CPU where scattered additions crawl."""

from __future__ import annotations

from typing import Any

import numpy as np

WIDTHS = (1, 4, 8, 16, 32, 64)  # entries summed side by side
STAGE = 1000  # entries that could be summed in the time that a further stage costs by being there


def plan(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, n_rows: int) -> tuple[dict[str, np.ndarray], ...]:
    """The stages that compute y (n_rows,) = A x for a sparse A given by its entries.

    Each stage has `index` and `value` (m, width): element i of its result is the sum over j of
    ``value[i, j] * x[index[i, j]]``; short rows are padded with zeros, long ones are cut into pieces that
    the next stage adds up.
    """
    order = np.argsort(rows, kind="stable")
    rows, columns, values = rows[order], columns[order], values[order]
    counts = np.bincount(rows, minlength=n_rows)
    width = _width(counts)
    pieces = np.maximum(-(-counts // width), 1)
    starts = np.concatenate([[0], np.cumsum(pieces)])
    inside = np.arange(len(rows)) - np.concatenate([[0], np.cumsum(counts)])[rows]
    stage = _stage(starts[rows] + inside // width, inside % width, columns, values, (int(starts[-1]), width))
    if starts[-1] == n_rows:
        return (stage,)
    owner = np.repeat(np.arange(n_rows), pieces)
    return (stage, *plan(owner, np.arange(len(owner)), np.ones(len(owner)), n_rows))


def apply(stages: tuple[dict[str, Any], ...], x: Any) -> Any:
    """A x for x (n,) or (n, c)."""
    for stage in stages:
        value = stage["value"] if x.ndim == 1 else stage["value"][:, :, None]
        x = (value * x[stage["index"]]).sum(1)
    return x


def _stage(
    row: np.ndarray, place: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]
) -> dict[str, np.ndarray]:
    index, value = np.zeros(shape, dtype=np.int32), np.zeros(shape)
    index[row, place] = columns
    value[row, place] = values
    return {"index": index, "value": value}


def _width(counts: np.ndarray) -> int:
    """The width with the least work, pieces that must be added again included."""
    return _cheapest(counts)[1]


def _cheapest(counts: np.ndarray) -> tuple[float, int]:
    """Work of all stages, in padded entries, and the width of the first."""
    most = int(counts.max(initial=0))
    options = []
    # Width one makes as many pieces as entries, so it ends only where no row has two.
    for width in [w for w in WIDTHS if 1 < w < 4 * most] if most > 1 else [1]:
        pieces = np.maximum(-(-counts // width), 1)
        again = _cheapest(pieces)[0] if pieces.max(initial=1) > 1 else 0.0
        options.append((STAGE + float(pieces.sum()) * width + again, width))
    return min(options)
