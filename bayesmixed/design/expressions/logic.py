"""Comparisons and truth values inside a formula: true, false, or missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ...errors import DataError, nearest
from ...formula.commas import decimal_commas
from ...formula.syntax import Node, deparse
from ..columns.factors import Factor, as_factor, level_text
from .factor_functions import Columns

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
    _refuse_lists(left, right, node)
    if isinstance(left, Factor) and left.logical:
        left = np.where(left.codes < 0, np.nan, left.codes.astype(float))
    if isinstance(left, Factor) or isinstance(right, Factor):
        left, right = _comparable(left, right, operator, node)
    a, b = np.asarray(left), np.asarray(right)
    if a.dtype.kind not in "biufM" or b.dtype.kind not in "biufM" or (a.dtype.kind == "M") != (b.dtype.kind == "M"):
        raise DataError(f"`{deparse(node)}` compares {described(left)} with {described(right)}.", topic="conditions")
    return three_valued(COMPARISON[operator](a, b), pd.isna(a) | pd.isna(b))


def member(value: Any, listed: Any, node: Node) -> np.ndarray:
    """``f %in% c("a", "b")`` row by row; as in R a missing value is no member.

    Raises
    ------
    DataError
        The right side is a column.
    """
    items = listed if isinstance(listed, tuple) else (listed,)
    if isinstance(listed, Factor | Columns | np.ndarray) or isinstance(value, Columns):
        raise DataError(
            f'`{deparse(node)}`: the right side of %in% lists values, as in f %in% c("a", "b").', topic="conditions"
        )
    if isinstance(value, Factor) or any(isinstance(item, str) for item in items):
        made, texts = as_factor(value), {level_text(item) for item in items}
        found = np.array([*(level_text(level) in texts for level in made.levels.tolist()), False])
        return found[made.codes]
    return np.isin(np.asarray(value), np.asarray(items, dtype=float))


def either_or_both(operator: str, left: Any, right: Any, node: Node) -> np.ndarray | Factor:
    """``left & right`` or ``left | right``; as in R, ``FALSE & NA`` is false and ``TRUE | NA`` true."""
    _refuse_lists(left, right, node)
    (a, a_missing), (b, b_missing) = truth(left, node), truth(right, node)
    if operator[0] == "&":
        false = (~a & ~a_missing) | (~b & ~b_missing)
        return three_valued(a & b & ~(a_missing | b_missing), (a_missing | b_missing) & ~false)
    true = (a & ~a_missing) | (b & ~b_missing)
    return three_valued(true, (a_missing | b_missing) & ~true)


def truth(value: Any, node: Node) -> tuple[np.ndarray, np.ndarray]:
    """Where `value` holds, and where it is missing."""
    if isinstance(value, Factor) and value.logical:
        return value.codes == 1, value.codes < 0
    array = np.asarray(None if isinstance(value, Factor | Columns) else value)
    if array.dtype.kind not in "biuf":
        raise DataError(f"`{deparse(node)}`: {described(value)} is neither true nor false.", topic="conditions")
    return array.astype(bool), np.isnan(array.astype(float))


def three_valued(truth: np.ndarray, missing: np.ndarray) -> np.ndarray | Factor:
    """A bool array, or a Factor where some rows are neither true nor false."""
    if not np.any(missing):
        return truth
    return Factor(np.atleast_1d(np.where(missing, -1, truth)).astype(np.int32), np.array([False, True]), logical=True)


def described(value: Any) -> str:
    """What a value is, in words for a message."""
    if isinstance(value, Factor):
        return "text" if value.text else "a factor"
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, tuple):
        return "a list of values"
    kind = getattr(value, "dtype", None)
    if kind is not None and kind.kind == "M":
        return "a date or time"
    return f"of type {kind}" if kind is not None else f"a {type(value).__name__}"


def _refuse_lists(left: Any, right: Any, node: Node) -> None:
    sizes = {len(side) for side in (left, right) if isinstance(side, Factor) or np.ndim(side)}
    for side in (left, right):
        if isinstance(side, tuple | Columns) or len(sizes) > 1:
            raise DataError(
                f"`{deparse(node)}` needs one value per row on each side; %in% looks values up in a list.",
                topic="conditions",
            )


def as_number(value: Any, text: str) -> str:
    """How a value that is no number becomes one: the end of a message."""
    if getattr(value, "dtype", np.dtype(object)).kind == "M":
        column = f"data[{text.strip('`')!r}]"
        return f": make a column of days, ({column} - {column}.min()).dt.days, or of text for levels."
    if isinstance(value, Factor) and (commas := decimal_commas(value.levels)):
        return f", and cannot be used in arithmetic; {commas}."
    return ", and cannot be used in arithmetic; as.numeric() converts text that holds numbers."


def _comparable(left: Any, right: Any, operator: str, node: Node) -> tuple[np.ndarray, np.ndarray]:
    """Positions of levels: in an ordered factor's own order, otherwise good for equality only."""
    factor = left if isinstance(left, Factor) else right
    if operator not in ("==", "!=") and not factor.ordered:
        raise DataError(
            f"`{deparse(node)}`: levels without an order can only be compared with == and !=.", topic="conditions"
        )
    texts = {level_text(level): i for i, level in enumerate(factor.levels.tolist())}

    def positions(side: Any) -> np.ndarray:
        if not isinstance(side, Factor):
            if operator not in ("==", "!=") and level_text(side) not in texts:
                raise DataError(
                    f"`{deparse(node)}`: {side!r} is not a level. {nearest(level_text(side), texts, 'Levels')}",
                    topic="conditions",
                )
            return np.asarray(float(texts.get(level_text(side), len(texts))))
        found = [float(texts.get(level_text(v), -1.0 - i)) for i, v in enumerate(side.levels.tolist())]
        return np.array([*found, np.nan])[side.codes]

    return positions(left), positions(right)
