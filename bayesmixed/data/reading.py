"""How a CSV file becomes a table with the declared types and level orders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import DataError
from .catalogue import Column

_LABELLED = ("factor", "string")


def read_table(path: Path, columns: Mapping[str, Column]) -> pd.DataFrame:
    """The table in `path` (plain or gzipped CSV): labels stay text, integers stay integers, NA is missing.

    Columns come in the declared order; those that `columns` does not name are left out.
    """
    kinds = {name: str if kind.type in _LABELLED else np.float64 for name, kind in columns.items()}
    kinds = {name: kind for name, kind in kinds.items() if columns[name].type != "integer"}
    table = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=["NA"], encoding="utf-8")
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise DataError(
            f"{path} has no column {', '.join(map(repr, absent))}. Export the data set from R again.", topic="data-sets"
        )
    return pd.DataFrame({name: _typed(table[name], kind, path) for name, kind in columns.items()})


def _typed(values: pd.Series, kind: Column, path: Path) -> pd.Series:
    if kind.type != "factor":
        return values
    levels = pd.Index(kind.levels if kind.levels is not None else sorted(values.dropna().unique(), key=float))
    codes = levels.get_indexer(pd.Index(values))
    lost = (codes < 0) & values.notna().to_numpy()
    if lost.any():
        raise DataError(_unknown_label(values, int(np.argmax(lost)), path), topic="data-sets")
    return pd.Series(pd.Categorical.from_codes(codes, categories=levels, ordered=kind.ordered), name=values.name)


def _unknown_label(values: pd.Series, row: int, path: Path) -> str:
    return (
        f"Column {values.name!r} of {path} has the label {values.iloc[row]!r} (data row {row + 1}), which is not a "
        "level of this data set. Export it from R again."
    )
