"""How a response outside a family's support is refused: by column, first row and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    from .base import Family, Observed


def refuse(bad: np.ndarray, observed: Observed, name: str, family: Family, remedy: str) -> None:
    """Raise a DataError that names the first row (n,) bool where the response is outside the support, if any is.

    Raises
    ------
    DataError
        With column, row among those used, value and `remedy`.
    """
    rows = np.flatnonzero(bad)
    if rows.size:
        value = f"{observed.y[rows[0]]:g}"
        if observed.trials is not None:
            value += f" of {observed.trials[rows[0]]:g} trials"
        count = f" ({rows.size} such rows)" if rows.size > 1 else ""
        raise DataError(
            f"The response {name!r} is {value} in row {rows[0]} of the rows used{count}; the {family.name} family "
            f"takes {family.support}. {remedy}"
        )


def whole(y: np.ndarray) -> np.ndarray:
    """Which elements (n,) are whole numbers."""
    return np.isfinite(y) & (np.abs(y - np.round(y)) < 1e-8)
