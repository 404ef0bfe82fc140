"""Which differences of means a contrast asks for: pairwise, sequential, against a control, or weights of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import FitError, nearest

METHODS = ("pairwise", "revpairwise", "sequential", "trt.vs.ctrl")
PAIRS = ("pairwise", "revpairwise")
DEFAULT_ADJUSTMENT = {"pairwise": "tukey", "revpairwise": "tukey", "sequential": "mvt", "trt.vs.ctrl": "mvt"}
ZERO = 1e-8  # of the largest weight: what a sum of typed decimals may leave


@dataclass(frozen=True)
class Contrasts:
    """Weights (k, m) of m means, with a label each; `signs` tells "-" from "/" where ratios are shown."""

    weights: np.ndarray
    labels: tuple[str, ...]

    @property
    def unbalanced(self) -> list[str]:
        """The labels of those whose weights do not sum to zero."""
        large = np.abs(self.weights).max(axis=1)
        off = np.abs(self.weights.sum(axis=1)) > ZERO * large
        return [label for label, bad in zip(self.labels, off, strict=True) if bad]


def contrasts(method: Any, labels: Sequence[str], *, ref: Any = None, ratio: bool = False) -> Contrasts:
    """The contrasts of means with these labels.

    Parameters
    ----------
    method
        "pairwise" (each minus each later one), "revpairwise" (each minus each earlier one), "sequential" (each
        minus the one before), "trt.vs.ctrl" (each minus the control); or weights: a dict {label: weights}, a matrix
        (k, m), a DataFrame with labels as its index.
    labels
        Of the means, in their order.
    ref
        The control, by its label or its place counted from 1; the first by default.
    ratio
        Whether the labels say a / b.

    Raises
    ------
    FitError
        An unknown method, weights that do not fit the number of means, a single mean.
    """
    m, sign = len(labels), " / " if ratio else " - "
    if ref is not None and method != "trt.vs.ctrl":
        raise FitError(
            'ref= names the control of method="trt.vs.ctrl"; other contrasts have none.', topic="contrasts-of-means"
        )
    if not isinstance(method, str):
        return _own(method, m)
    if method not in METHODS:
        raise FitError(
            f"There are no {method!r} contrasts. {nearest(method, METHODS)} Or give weights, a dict.",
            topic="contrasts-of-means",
        )
    if m < 2:
        raise FitError(
            "A contrast needs two means, and there is one in each group: leave out by=, or name a factor.",
            topic="contrasts-of-means",
        )
    if method == "pairwise":
        pairs = [(i, j) for i in range(m) for j in range(i + 1, m)]
    elif method == "revpairwise":
        pairs = [(i, j) for i in range(m) for j in range(i)]
    elif method == "sequential":
        pairs = [(i + 1, i) for i in range(m - 1)]
    else:
        control = _place(ref, labels)
        pairs = [(i, control) for i in range(m) if i != control]
    weights = np.zeros((len(pairs), m))
    for row, (i, j) in zip(weights, pairs, strict=True):
        row[i], row[j] = 1.0, -1.0
    return Contrasts(weights, tuple(labels[i] + sign + labels[j] for i, j in pairs))


def _own(given: Any, m: int) -> Contrasts:
    names: Sequence[Any] | None = None
    if isinstance(given, Mapping):
        names, given = list(given), list(given.values())
    elif isinstance(given, pd.DataFrame):
        names = list(given.index)
    try:
        weights = np.atleast_2d(np.array(given, dtype=float))
    except (TypeError, ValueError):
        weights = np.empty((0, 0))
    if weights.ndim != 2 or weights.shape[1] != m or not len(weights) or not np.isfinite(weights).all():
        raise FitError(
            f"Contrasts take {m} weights each, one per mean as printed: "
            f'contrast({{"first against the rest": {_example(m)}}}), or a matrix with {m} columns; '
            f"given was {_described(given)}.",
            topic="contrasts-of-means",
        )
    names = [f"contrast {i + 1}" for i in range(len(weights))] if names is None else names
    return Contrasts(weights, tuple(str(name) for name in names))


def _described(given: Any) -> str:
    try:
        return f"an array of shape {np.shape(given)}"
    except ValueError:
        return "rows of different lengths"


def _example(m: int) -> list[float]:
    return [1.0, *([round(-1 / (m - 1), 3)] * (m - 1))] if m > 1 else [1.0]


def _place(ref: Any, labels: Sequence[str]) -> int:
    if ref is None:
        return 0
    if isinstance(ref, int) and not isinstance(ref, bool) and 1 <= ref <= len(labels):
        return ref - 1
    if str(ref) not in labels:
        raise FitError(
            f"ref={ref!r} is none of the means. {nearest(str(ref), labels, 'Means')}", topic="contrasts-of-means"
        )
    return list(labels).index(str(ref))
