"""Whether a number enters a model only by steps, as in I(week > 2), so that it has no slope worth the name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...formula.variables import columns_in
from ..mean.question import Question, evaluated
from .grid import EffectRows

if TYPE_CHECKING:
    from ...design.design import Design
    from ...model import Model
    from .used_columns import Variable

PROBES, ROWS = 40, 20  # values of the column, and rows of the grid, at which the columns of the design are looked at
BETWEEN, NUDGE = 0.318, 1e-3  # of the gap between two neighbouring values


def stepwise(model: Model, rows: EffectRows, question: Question, column: Variable) -> str:
    """The terms through which a number enters, where all of them are constant between its jumps; else empty.

    Looked for in the values of the design's columns: between neighbouring values of the data they do not change when
    the number moves a little, though they do from end to end.
    """
    values = np.unique(column.data.to_numpy(float))
    values = values[np.isfinite(values)]
    if len(values) < 3:  # a number of two values is a step by nature
        return ""
    chosen = np.unique(np.linspace(0, len(values) - 2, min(PROBES, len(values) - 1)).astype(int))
    gaps = values[chosen + 1] - values[chosen]
    probes = values[chosen] + BETWEEN * gaps
    before, after = (_columns(model, rows, question, column.name, at) for at in (probes, probes + NUDGE * gaps))
    flat = np.array_equal(before, after, equal_nan=True)
    varies = bool(np.any(before != np.roll(before, 1, axis=0)))
    return _terms(model, column.name) if flat and varies else ""


def _columns(model: Model, rows: EffectRows, question: Question, name: str, at: np.ndarray) -> np.ndarray:
    """Everything that the mean depends on (probes, ...) at the first rows of a grid with the column at each probe."""
    some = min(ROWS, len(rows.table))
    table = rows.table.iloc[np.tile(np.arange(some), len(at))].reset_index(drop=True)
    table = table.assign(**{name: np.repeat(at, some)})
    offset = None if rows.offset is None else np.tile(rows.offset[:some], len(at))
    design: Design = evaluated(model, replace(rows, table=table, offset=offset), question)
    parts = [design.mu.X, design.mu.offset[:, None], *(term.Z for term in design.mu.groups)]
    return np.concatenate(parts, axis=1).reshape(len(at), -1)


def _terms(model: Model, name: str) -> str:
    side = model.design.encoding.formula.predictors["mu"]
    terms = [*side.terms, *(term for bar in side.bars for term in bar.terms)]
    found = [term.name for term in terms if name in {column for atom in term.atoms for column in columns_in(atom)}]
    return ", ".join(dict.fromkeys(found))
