"""Comparisons and truth values inside a formula: true, false, or missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, nearest
from .factors import Factor, level_text
from .functions import Columns
from .syntax import Node, deparse

COMPARISON: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def compare(operator: str, left: Any, right: Any, node: Node) -> np.ndarray | Factor:
    """``left operator right`` row by row; levels compare by their text, in order only if the factor is ordered."""
    if isinstance(left, Factor) and left.logical:
        left = np.where(left.codes < 0, np.nan, left.codes.astype(float))
    if isinstance(left, Factor) or isinstance(right, Factor):
        left, right = _comparable(left, right, operator, node)
    a, b = np.asarray(left), np.asarray(right)
    if a.dtype.kind not in "biufM" or b.dtype.kind not in "biufM" or (a.dtype.kind == "M") != (b.dtype.kind == "M"):
        raise DataError(f"`{deparse(node)}` compares {described(left)} with {described(right)}.")
    return three_valued(COMPARISON[operator](a, b), pd.isna(a) | pd.isna(b))


def truth(value: Any, node: Node) -> tuple[np.ndarray, np.ndarray]:
    """Where `value` holds, and where it is missing."""
    if isinstance(value, Factor) and value.logical:
        return value.codes == 1, value.codes < 0
    array = np.asarray(None if isinstance(value, Factor | Columns) else value)
    if array.dtype.kind not in "biuf":
        raise DataError(f"`{deparse(node)}`: {described(value)} is neither true nor false.")
    return array.astype(bool), np.isnan(array.astype(float))


def three_valued(truth: np.ndarray, missing: np.ndarray) -> np.ndarray | Factor:
    """A bool array, or a Factor where some rows are neither true nor false."""
    if not np.any(missing):
        return truth
    return Factor(np.where(missing, -1, truth).astype(np.int32), np.array([False, True]), logical=True)


def described(value: Any) -> str:
    """What a value is, in words for a message."""
    if isinstance(value, Factor):
        return "text" if value.text else "a factor"
    if isinstance(value, str):
        return f"the text {value!r}"
    kind = getattr(value, "dtype", None)
    return f"of type {kind}" if kind is not None else f"a {type(value).__name__}"


def _comparable(left: Any, right: Any, operator: str, node: Node) -> tuple[np.ndarray, np.ndarray]:
    """Positions of levels: in an ordered factor's own order, otherwise good for equality only."""
    factor = left if isinstance(left, Factor) else right
    if operator not in ("==", "!=") and not factor.ordered:
        raise DataError(f"`{deparse(node)}`: levels without an order can only be compared with == and !=.")
    texts = {level_text(level): i for i, level in enumerate(factor.levels.tolist())}

    def positions(side: Any) -> np.ndarray:
        if not isinstance(side, Factor):
            if operator not in ("==", "!=") and level_text(side) not in texts:
                raise DataError(
                    f"`{deparse(node)}`: {side!r} is no level. {nearest(level_text(side), texts, 'Levels')}"
                )
            return np.asarray(float(texts.get(level_text(side), len(texts))))
        found = [float(texts.get(level_text(v), -1.0 - i)) for i, v in enumerate(side.levels.tolist())]
        return np.array([*found, np.nan])[side.codes]

    return positions(left), positions(right)
