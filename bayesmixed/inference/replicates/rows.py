"""The model of other rows of its data: some of them, or some of them several times under new level names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ...model import Model, with_design


@dataclass(frozen=True)
class RowSet:
    """Positions of rows (m,), and per factor of the model the level (m,) that each now belongs to, 0 .. L - 1."""

    rows: np.ndarray
    levels: Mapping[str, np.ndarray]


def on_rows(model: Model, chosen: RowSet) -> Model | None:
    """The model on a set of rows; None where these leave a coefficient undetermined."""
    design, rows = model.design, chosen.rows
    predictors = {}
    for name, predictor in design.predictors.items():
        taken = predictor.take(rows)
        groups = []
        for term in taken.groups:
            codes = chosen.levels[term.factor].astype(np.int32)
            levels = np.arange(int(codes.max(initial=-1)) + 1)
            groups.append(replace(term, codes=codes, levels=levels))
        predictors[name] = replace(taken, groups=tuple(groups))
        counted = taken.X if design.weights is None else taken.X[design.weights[rows] > 0]
        if np.linalg.matrix_rank(counted) < taken.X.shape[1]:
            return None
    response = design.response
    changed = replace(
        design,
        predictors=predictors,
        response=None if response is None else replace(response, y=response.y[rows]),
        weights=None if design.weights is None else design.weights[rows],
        trials=None if design.trials is None else design.trials[rows],
        index=pd.RangeIndex(len(rows)),
    )
    return with_design(model, changed, model.frame.iloc[rows].reset_index(drop=True))


def renumbered(codes: np.ndarray) -> np.ndarray:
    """Codes 0 .. L - 1 of the levels that occur, in their order; -1, no level, stays."""
    known, found = codes >= 0, codes.copy()
    found[known] = np.unique(codes[known], return_inverse=True)[1]
    return found


def without_level(model: Model, codes: np.ndarray, level: int) -> RowSet:
    """All rows but those of one level."""
    rows = np.flatnonzero(codes != level)
    return RowSet(rows, {term.factor: renumbered(term.codes[rows]) for term in model.design.groups})
