"""Lists of constants inside a call: ``c(0, 20, Inf)``, ``0:3``, ``seq(0, 80, 10)``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import FormulaError
from ...formula.syntax import Call, Node, deparse
from ..columns.factors import Factor
from .factor_functions import Columns

MOST = 10_000  # values of a list: breaks, knots and levels are few
MOST_COLUMNS = 1_000  # of poly(), bs() and ns(), so that a slip of the keyboard does not fill the memory


def combined(values: list[Any], node: Call) -> Any:
    """R's ``c``: constants and lists as one list; ``c(x)`` of one column is the column.

    Raises
    ------
    FormulaError
        Columns among constants.
    """
    if len(values) == 1 and isinstance(values[0], np.ndarray | Factor | Columns):
        return values[0]
    if any(
        (np.ndim(value) and not isinstance(value, tuple)) or isinstance(value, Factor | Columns) for value in values
    ):
        raise FormulaError(
            f"`{deparse(node)}`: inside a formula c() takes numbers and strings, not columns.",
            topic="arguments-in-formula",
        )
    return tuple(item for value in values for item in (value if isinstance(value, tuple) else (value,)))


def counted(first: Any, last: Any, node: Node) -> tuple[float, ...]:
    """``first:last``, upwards or downwards in steps of 1.

    Raises
    ------
    FormulaError
        An end that is not a finite number, or too many values.
    """
    for end in (first, last):
        if not isinstance(end, float | int) or not np.isfinite(end):
            raise FormulaError(f"`{deparse(node)}`: both ends must be numbers.", topic="arguments-in-formula")
    step = 1.0 if last >= first else -1.0
    return _values(float(first), step, abs(last - first) + 1, deparse(node))


def sequence(from_: float = 1.0, to: Any = None, by: Any = None, length_out: Any = None) -> tuple[float, ...]:
    """R's ``seq(from, to, by, length.out)``.

    Raises
    ------
    FormulaError
        Ends and step that do not fit, or too many values.
    """
    if to is None:
        raise FormulaError("seq() takes from, to, and by or length.out.", topic="arguments-in-formula")
    if length_out is not None:
        if by is not None or not 1 <= length_out <= MOST:
            raise FormulaError(f"seq(): give by or length.out, at most {MOST}.", topic="arguments-in-formula")
        return tuple(np.linspace(from_, to, int(np.ceil(length_out))).tolist())
    step = (1.0 if to >= from_ else -1.0) if by is None else float(by)
    if not (np.isfinite([from_, to, step]).all() and step * (to - from_) >= 0 and step):
        raise FormulaError(
            f"seq(): steps of {step:g} do not lead from {from_:g} to {to:g}.", topic="arguments-in-formula"
        )
    return _values(float(from_), step, (to - from_) / step + 1, "seq()")


def _values(start: float, step: float, count: float, text: str) -> tuple[float, ...]:
    if count > MOST:
        raise FormulaError(
            f"`{text}` has {count:,.0f} values; at most {MOST:,} are allowed.", topic="arguments-in-formula"
        )
    return tuple((start + step * np.arange(int(count + 1e-10))).tolist())
