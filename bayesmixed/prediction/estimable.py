"""How far rows move along the directions that the data leave open, where columns were dropped (empty cells)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from ..design.design import Design
from ..errors import BayesMixedWarning, warn
from ..likelihood.working.basis import orthonormal

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
        X = full_columns(model, model.frame[model.design.used])
        kept = np.array(model.design.encoding.kept["mu"], dtype=int)
        dropped = np.setdiff1d(np.arange(X.shape[1]), kept)
        scale = np.linalg.norm(X[:, kept], axis=0)
        Q, R = orthonormal(X[:, kept] / scale)
        mean = X[:, dropped].mean(axis=0)
        return cls(kept, dropped, scale, R, Q.T @ X[:, dropped], mean, np.linalg.norm(X[:, dropped] - mean, axis=0))

    def moved(self, rows: np.ndarray) -> np.ndarray:
        """What new rows (n, p + a) of the full design hold beyond their kept columns (n, a): 0 where determined."""
        scaled = (rows[:, self.kept] / self.scale).T  # a missing number makes its own row missing, and no other
        w = scipy.linalg.solve_triangular(self.R.T, scaled, lower=True, check_finite=False).T
        values = rows[:, self.dropped]
        found, length = values - w @ self.on_basis, np.linalg.norm(w, axis=1)[:, None]
        allowed = TOLERANCE * (np.abs(values - self.mean) + length * self.around)
        allowed += ROUNDING * (np.abs(values) + length * np.linalg.norm(self.on_basis, axis=0))
        return np.where(np.abs(found) <= allowed, 0.0, found)


def full_columns(model: Model, table: Any) -> np.ndarray:
    """Every column of the fixed part, those left out of the fit included."""
    encoding, mu = model.design.encoding, model.design.mu
    every = replace(encoding, kept=dict(encoding.kept) | {"mu": tuple(range(mu.X.shape[1] + len(mu.aliased)))})
    return every.apply(table, unseen="population", offset=0.0, weights=1.0, factors=()).mu.X


def determined(model: Model, design: Design, table: Any) -> Design:
    """The rows of a `design` (of the fit where `table` is None), NaN where the data do not determine their predictor.

    A column that was dropped because others determined it in the data has no coefficient of its own. Where it parts
    from them every value fits the data as well, and which one comes out is a matter of reference levels.

    Warns
    -----
    BayesMixedWarning
        With the number of such rows, the first of them, and the columns that were dropped.
    """
    if not model.design.mu.aliased or (table is None and model.design.used.all()):
        return design
    moved = Dropped.of(model).moved(full_columns(model, model.frame if table is None else table))
    parted = np.isfinite(moved) & (moved != 0)  # a missing number is not known to part
    open_rows = parted.any(axis=1)
    if not open_rows.any():
        return design
    _warn(model, design, open_rows, parted.any(axis=0))
    offset = np.where(open_rows, np.nan, design.mu.offset)
    return design.with_predictor(replace(design.mu, offset=offset))


def _warn(model: Model, design: Design, open_rows: np.ndarray, columns: np.ndarray) -> None:
    names = [name for name, parts in zip(model.design.mu.aliased, columns, strict=True) if parts]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    count, first = int(open_rows.sum()), design.index[int(np.argmax(open_rows))]
    rows = f"row {first}" if count == 1 else f"{count} of {len(open_rows)} rows (the first is {first})"
    told = BayesMixedWarning(
        f"The data do not determine the mean of {rows}: NaN. No row of the fit says what {shown} "
        f"{'do' if len(names) > 1 else 'does'} apart from the other columns (dropped in the fit). Predict at "
        "combinations that the data have, or leave such terms out of the formula.",
        topic="not-estimable",
    )
    warn(told)
