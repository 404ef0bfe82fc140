"""Whether the data determine what is asked: combinations of coefficients some of whose columns were left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular

from ...errors import FitError
from ...page import listed
from ...prediction.estimable import Dropped
from .claims import written

if TYPE_CHECKING:
    from ...model import Model

NOTHING = 1e-7  # of the largest weight: what rounding leaves of a column that takes no part in another


def estimable(model: Model, rows: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """The rows (m, P) in the coefficients of the fit, of rows (m, P + a) that may mention the a columns left out.

    Raises
    ------
    FitError
        What the data do not determine, with what the columns left out are equal to.
    """
    P, left_out = len(model.design.coefficients), model.design.mu.aliased
    fitted, beyond = rows[:, :P], rows[:, P:]
    asks = np.any(beyond != 0, axis=1)
    if not asks.any():
        return fitted
    dropped, p = Dropped.of(model), len(model.design.mu.coefficients)
    full = np.zeros((len(rows), p + len(left_out)))
    full[:, dropped.kept], full[:, dropped.dropped] = fitted[:, :p], beyond
    parted = (dropped.moved(full) != 0) & asks[:, None]
    if not parted.any():
        return fitted
    first = int(np.argmax(parted.any(axis=1)))
    weights = _combinations(dropped)
    named = [j for j in range(len(left_out)) if beyond[first, j] != 0]
    same = [f"{left_out[j]} = {written(weights[:, j], model.design.mu.coefficients)}" for j in named]
    raise FitError(
        f"The data do not determine {labels[first]!r}: the column{'s' * (len(named) > 1)} of "
        f"{listed([left_out[j] for j in named])} {'were' if len(named) > 1 else 'was'} left out of the fit, because in "
        f"the data {'; '.join(same)}. What does not change when they take each other's place can be tested.",
        topic="not-estimable",
    )


def _combinations(dropped: Dropped) -> np.ndarray:
    """The columns left out as combinations (p, a) of those kept, zero where rounding says so."""
    scaled = solve_triangular(dropped.R, dropped.on_basis)
    scaled[np.abs(scaled) < NOTHING * np.max(np.abs(scaled), axis=0, initial=0.0)] = 0.0
    found = scaled / dropped.scale[:, None]
    return np.where(np.abs(found - np.round(found)) < NOTHING, np.round(found), found)
