"""Rows that lead each group along one column, all else as the group has it, and what a fit says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...design.columns.factors import level_text
from ...effects.rows.grid import mean_offset
from ...effects.rows.used_columns import Variable, only_in_offsets
from ...errors import FitError, nearest
from ...summaries.pooled.effects_by_factor import Varying, nested
from ..drawing import across

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...model import Model

POINTS = 41  # of a curve along a number


@dataclass(frozen=True)
class GroupRows:
    """New rows (m,) for `Fit.predict`: `table`, `offset` beside those of the formula; and what each row is.

    `factor`, `level` and `by` name the curve that a row belongs to, `value` is that of the column across, `include`
    are the grouping factors whose effects make the curve.
    """

    table: pd.DataFrame
    offset: np.ndarray | None
    factor: str
    level: np.ndarray
    by: np.ndarray
    value: np.ndarray
    include: list[str]

    def curves(self, fit: Fit, level: float) -> pd.DataFrame:
        """group, level, by, value, estimate, lower, upper, population."""
        own = fit.predict(self.table, re=self.include, interval="confidence", level=level, offset=self.offset)
        whole = fit.predict(self.table, re="none", offset=self.offset)
        names = {"group": self.factor, "level": self.level, "by": self.by, "value": self.value}
        limits = {name: own[name].to_numpy() for name in ("estimate", "lower", "upper")}
        return pd.DataFrame(names | limits | {"population": whole["estimate"].to_numpy()})


def group_rows(fit: Fit, of: Varying, column: Variable, by: str | None, shown: np.ndarray) -> GroupRows:
    """The rows of the levels `shown` (positions), one block per level and value of `by`.

    Raises
    ------
    FitError
        If `by` is not a column of the model.
    """
    frame = fit.model.frame
    if by is not None and by not in frame:
        raise FitError(
            f"by={by!r} is not a column of this model. {nearest(by, map(str, frame), 'Columns')}",
            topic="no-such-column",
        )
    splits = np.full(len(frame), "", dtype=object)
    if by is not None:
        splits = np.array([level_text(value) for value in frame[by]], dtype=object)
    cells = _cells(of, splits, shown, fit.model)
    grids = [_grid(column, frame[column.name].iloc[rows]) for _, _, rows in cells]
    sizes = [len(grid) for grid in grids]
    table = _typical(fit, column, by, [rows for _, _, rows in cells])
    table = table.iloc[np.repeat(np.arange(len(cells)), sizes)].reset_index(drop=True)
    value = np.concatenate([np.asarray(grid, dtype=object) for grid in grids])
    table[column.name] = pd.Series(value).astype(frame[column.name].dtype if not across.continuous(column) else float)
    return GroupRows(
        table=table,
        offset=_offset(fit.model, table, held_offset(fit.model, column, by)),
        factor=of.factor,
        level=np.repeat(np.array([of.levels[code] for code, _, _ in cells], dtype=object), sizes),
        by=np.repeat(np.array([split for _, split, _ in cells], dtype=object), sizes),
        value=value.astype(float) if across.continuous(column) else value,
        include=_include(fit, of),
    )


def _cells(of: Varying, splits: np.ndarray, shown: np.ndarray, model: Model) -> list[tuple[int, str, np.ndarray]]:
    """Code, value of `by` and rows of every curve."""
    rows = pd.DataFrame({"code": of.codes, "by": splits})[model.design.used & np.isin(of.codes, shown)]
    positions = pd.Series(np.arange(len(splits)))[rows.index.to_numpy()]
    groups: Any = positions.groupby([rows["code"].to_numpy(), rows["by"].to_numpy()])
    return [(int(code), split, own.to_numpy()) for (code, split), own in groups]


def _grid(column: Variable, own: pd.Series) -> Any:
    """The values of the column across that one curve runs through."""
    if across.continuous(column):
        low, high = float(own.min()), float(own.max())
        return np.linspace(low, high, POINTS) if high > low else np.array([low])
    texts = {level_text(value) for value in own}
    return [level for level in across.shown(column) if level_text(level) in texts]


def _typical(fit: Fit, column: Variable, by: str | None, cells: list[np.ndarray]) -> pd.DataFrame:
    """One row per curve: the first of its rows, with numbers that vary at their means and factors at the mode.

    Columns of the offset alone are no property of a group that its curve shows: they are at the mean of all rows.
    """
    frame = fit.model.frame
    table = frame.iloc[[rows[0] for rows in cells]].reset_index(drop=True)
    exposures = only_in_offsets(fit.model) - {column.name, by}
    for name, other in across.columns(fit, "curves").items():
        if name in exposures and across.continuous(other):
            table[name] = float(other.centre)
            continue
        parts = [frame[name].iloc[rows] for rows in cells]
        if name == column.name or all(part.nunique() == 1 for part in parts):
            continue
        typical = [part.mean() if across.continuous(other) else part.mode().iloc[0] for part in parts]
        table[name] = pd.Series(typical).astype(float if across.continuous(other) else frame[name].dtype)
    return table


def held_offset(model: Model, column: Variable, by: str | None) -> float | None:
    """The offset that all curves have, the mean of the data's as in `bm.emmeans`; None where it changes along them."""
    held, _ = mean_offset(model, [column.name, *filter(None, [by])], None, 1)
    return None if held is None else float(held[0])


def _offset(model: Model, table: pd.DataFrame, held: float | None) -> np.ndarray | None:
    """What is added to the formula's own offsets in the rows of a table, so that all rows have the one that is held."""
    given = model.design.encoding.offset
    if held is not None:
        encoding = model.design.encoding
        return held - encoding.apply(table, unseen="population", offset=0.0, weights=1.0, factors=()).mu.offset
    array = None if given is None else given.array
    return None if array is None else np.full(len(table), np.mean(array))


def _include(fit: Fit, of: Varying) -> list[str]:
    """The factor itself and those that it is nested in: a cask's curve has the effect of its batch."""
    groups = fit.model.design.groups
    return [of.factor, *dict.fromkeys(t.factor for t in groups if t.factor != of.factor and nested(of.codes, t.codes))]
