"""How far rows move along the directions that the data leave open, where columns were dropped (empty cells)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from ..likelihood.basis import orthonormal
from .variables import used_rows

if TYPE_CHECKING:
    from ..model import Model

TOLERANCE = 1e-6  # of how far a dropped column is from its mean; the rank of the design is decided to 1e-7
ROUNDING = 1e-10  # of the values that cancel


@dataclass(frozen=True)
class Dropped:
    """The columns left out of a fit, each as the combination of those `kept` that it equals in the data.

    Kept columns, over their `scale`, are Q `R` with Q'Q = I; `dropped` ones Q `on_basis` (p, a), with `mean` and length
    `around` it (a,). Computed there, so that it does not matter where columns are counted from.
    """

    kept: np.ndarray
    dropped: np.ndarray
    scale: np.ndarray
    R: np.ndarray
    on_basis: np.ndarray
    mean: np.ndarray
    around: np.ndarray

    @classmethod
    def of(cls, model: Model) -> Dropped:
        """Those of a model."""
        X = full_columns(model, used_rows(model))
        kept = np.array(model.design.encoding.kept["mu"], dtype=int)
        dropped = np.setdiff1d(np.arange(X.shape[1]), kept)
        scale = np.linalg.norm(X[:, kept], axis=0)
        Q, R = orthonormal(X[:, kept] / scale)
        mean = X[:, dropped].mean(axis=0)
        return cls(kept, dropped, scale, R, Q.T @ X[:, dropped], mean, np.linalg.norm(X[:, dropped] - mean, axis=0))

    def moved(self, rows: np.ndarray) -> np.ndarray:
        """What new rows (n, p + a) of the full design hold beyond their kept columns (n, a): 0 where determined."""
        w = solve_triangular(self.R.T, (rows[:, self.kept] / self.scale).T, lower=True).T
        values = rows[:, self.dropped]
        found, length = values - w @ self.on_basis, np.linalg.norm(w, axis=1)[:, None]
        allowed = TOLERANCE * (np.abs(values - self.mean) + length * self.around)
        allowed += ROUNDING * (np.abs(values) + length * np.linalg.norm(self.on_basis, axis=0))
        return np.where(np.abs(found) <= allowed, 0.0, found)


def full_columns(model: Model, table: pd.DataFrame) -> np.ndarray:
    """Every column of the fixed part, those left out of the fit included."""
    encoding, mu = model.design.encoding, model.design.mu
    every = replace(encoding, kept=dict(encoding.kept) | {"mu": tuple(range(mu.X.shape[1] + len(mu.aliased)))})
    return every.apply(table, unseen="population", offset=0.0, weights=1.0, factors=()).mu.X
