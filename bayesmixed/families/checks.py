"""How a response outside a family's support is refused: by column, first row and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    from .base import Family, Observed

POSITIVE_ADVICE = (
    "Zeros: model whether there is anything by family='bernoulli' on I(y > 0) and the rest by this family, "
    "or take family='gaussian' with link='log'. Negative values need family='gaussian' or 'student'."
)


def refuse(bad: np.ndarray, observed: Observed, name: str, family: Family, remedy: str, labels: Any = None) -> None:
    """Raise a DataError that names the first row (n,) bool where the response is outside the support, if any is.

    Raises
    ------
    DataError
        With column, row (its label, or its position without `labels`), value and `remedy`.
    """
    rows = np.flatnonzero(bad)
    if rows.size:
        row = rows[0] if labels is None else labels[rows[0]]
        value = f"{observed.y[rows[0]]:g}"
        if observed.trials is not None:
            value += f" of {observed.trials[rows[0]]:g} trials"
        count = f" ({rows.size} rows like it)" if rows.size > 1 else ""
        raise DataError(
            f"The response {name!r} is {value} in row {row}{count}; the {family.name} family "
            f"takes {family.support}. {remedy}"
        )


def whole(y: np.ndarray) -> np.ndarray:
    """Which elements (n,) are whole numbers."""
    inside = np.where(np.isfinite(y), y, 0.5)
    return np.abs(inside - np.round(inside)) < 1e-8
