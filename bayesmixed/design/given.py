"""How `weights=` and `offset=` are given: a column, an expression, a number or an array."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ..formula.parser import parse_expression
from ..formula.syntax import Name, Node, deparse
from .expressions.evaluate import Evaluator


@dataclass(frozen=True)
class Given:
    """An argument with one number per row: `text` of an expression, or an `array` (text None)."""

    text: str | None
    array: np.ndarray | None = None

    @cached_property
    def node(self) -> Node | None:
        """The expression to evaluate, None for an array."""
        return None if self.text is None else parse_expression(self.text)

    def values(self, evaluator: Evaluator) -> np.ndarray:
        """One number per row of the evaluator's table."""
        n = len(evaluator.frame)
        if self.node is not None:
            return evaluator.numeric(self.node)
        assert self.array is not None
        if self.array.ndim == 0:
            return np.full(n, float(self.array))
        if len(self.array) != n:
            raise DataError(f"an array of {len(self.array)} values was given for {n} rows.", topic="given-values")
        return self.array


def given(value: Any, name: str, columns: Collection[Any] = (), rows: pd.Index | None = None) -> Given:
    """Read one of the arguments; a string that is a column's name means that column.

    `rows` are the labels of the table's rows: a pandas Series must have the same, in the same order.

    Raises
    ------
    DataError
        An array that is not one-dimensional or not numeric; a Series of other rows.
    """
    if isinstance(value, str):
        return Given(deparse(Name(value)) if value in columns else value)
    if rows is not None and isinstance(value, pd.Series) and not value.index.equals(rows):
        raise DataError(
            f"{name} is a Series whose index is not that of the data: make it a column of the data and give its name, "
            f"or, where the order of rows is the same, {name}=values.to_numpy().",
            topic="given-values",
        )
    try:
        array = np.array(value, dtype=float)  # a copy: the user's array may change later
    except (TypeError, ValueError):
        raise DataError(
            f"{name} must be a column name, an expression, a number or an array of numbers.", topic="given-values"
        ) from None
    if array.ndim > 1:
        raise DataError(f"{name} must have one number per row, not shape {array.shape}.", topic="given-values")
    return Given(None, array)
