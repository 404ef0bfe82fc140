"""How the columns of rows change when one column of the data does: the direction in which a slope is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...design.design import Design
from ...model import Model
from ...prediction.estimable import Dropped, full_columns
from ..rows.grid import EffectRows
from .derivative import derivative
from .question import Question, evaluated


@dataclass(frozen=True)
class ColumnChange:
    """Rows as a design, the rates of their columns as another; where columns are out, the movements (n, a) of both."""

    rows: Design
    rates: Design
    moved: np.ndarray | None
    rates_moved: np.ndarray | None

    @property
    def undefined(self) -> np.ndarray:
        """Rows (n,) at which a column has no derivative."""
        return np.isnan(self.rates.mu.X).any(axis=1) & np.isfinite(self.rows.mu.X).all(axis=1)


def direction(model: Model, rows: EffectRows, question: Question, name: str, spread: float) -> ColumnChange:
    """The direction in which column `name` grows, whose values have a range of `spread` in the data."""
    x = rows.table[name].to_numpy(float)
    whole = bool(model.design.mu.aliased)

    def columns(where: np.ndarray, at: np.ndarray) -> np.ndarray:
        table = rows.table.iloc[where].assign(**{name: at})
        offset = None if rows.offset is None else rows.offset[where]
        part = evaluated(model, replace(rows, table=table, offset=offset), question)
        found = [part.mu.X, part.mu.offset[:, None], *(term.Z for term in part.mu.groups)]
        return np.concatenate([*found, *([full_columns(model, table)] if whole else [])], axis=1)

    design = evaluated(model, rows, question)
    X, offset, *rest = _split(derivative(columns, x, spread), design)
    groups = tuple(replace(term, Z=Z) for term, Z in zip(design.mu.groups, rest, strict=False))
    rates = replace(design, predictors={"mu": replace(design.mu, X=X, offset=offset[:, 0], groups=groups)})
    if not whole:
        return ColumnChange(design, rates, None, None)
    dropped = Dropped.of(model)
    return ColumnChange(design, rates, dropped.moved(full_columns(model, rows.table)), dropped.moved(rest[-1]))


def _split(found: np.ndarray, design: Design) -> list[np.ndarray]:
    """Columns put side by side, apart again: of X, the offset, each bar, and what follows."""
    sizes = [design.mu.X.shape[1], 1, *(term.Z.shape[1] for term in design.mu.groups)]
    return np.split(found, np.cumsum(sizes), axis=1)
