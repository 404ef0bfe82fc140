"""Which means the data determine where columns were dropped for depending on others (empty cells of factors)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .grid import Rows
from .variables import used_rows

if TYPE_CHECKING:
    from ..model import Model

TOLERANCE = 1e-6  # of a row's length; rounding leaves 1e-12


def not_estimable(model: Model, rows: Rows, *, linear: bool) -> np.ndarray:
    """Which quantities (m,) no set of coefficients agrees on: their rows leave the row space of the full design.

    Searle (1971), Linear Models, section 5.4. An average of predictors (`linear`) may be determined although its rows
    are not; means on another scale need each of their rows.
    """
    m = len(rows.keys)
    aliased = model.design.mu.aliased
    if not aliased:
        return np.zeros(m, bool)
    X, new = _full(model, used_rows(model)), _full(model, rows.table)
    scale = np.linalg.norm(X, axis=0)
    scale[scale == 0] = 1.0
    _, vectors = np.linalg.eigh((X / scale).T @ (X / scale))
    null = vectors[:, : len(aliased)] / scale[:, None]
    free, length = new @ null, np.linalg.norm(new / scale, axis=1)
    if not linear:
        bad = np.abs(free).max(axis=1) > TOLERANCE * length
        return np.bincount(rows.cells[bad & (rows.weights > 0)], minlength=m) > 0
    total = np.stack([np.bincount(rows.cells, rows.weights * column, m) for column in free.T], axis=1)
    return np.abs(total).max(axis=1) > TOLERANCE * np.bincount(rows.cells, rows.weights * length, m)


def _full(model: Model, table: pd.DataFrame) -> np.ndarray:
    """Every column of the fixed part, those left out of the fit included."""
    encoding, mu = model.design.encoding, model.design.mu
    every = replace(encoding, kept=dict(encoding.kept) | {"mu": tuple(range(mu.X.shape[1] + len(mu.aliased)))})
    return every.apply(table, unseen="population", offset=0.0, weights=1.0, factors=()).mu.X
