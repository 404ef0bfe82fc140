"""Which columns and rows of a table are used: any table -> a pandas frame without missing values."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from .typed_columns import typed


def column_names(data: Any) -> list[Any]:
    """Names of the table's columns, in order, those that are numbers as text.

    Raises
    ------
    DataError
        `data` is no table.
    """
    return _texts(data) if isinstance(data, pd.DataFrame) else list(_narwhals(data).collect_schema().names())


def rows_of(data: Any) -> pd.Index | None:
    """The row labels of a pandas table; None of any other."""
    return data.index if isinstance(data, pd.DataFrame) else None


def tabled(data: Any) -> Any:
    """A dict of columns as a table, a single value in every row; any table as it is.

    >>> tabled({"x": [1, 2], "f": "a"}).to_numpy().tolist()
    [[1, 'a'], [2, 'a']]
    """
    if not isinstance(data, Mapping):
        return data
    single = all(np.ndim(value) == 0 for value in data.values())
    try:
        return pd.DataFrame(dict(data), index=[0] if single and data else None)
    except (TypeError, ValueError) as problem:
        raise DataError(
            f"this dict is no table ({problem}): give columns of one length, or single values.", topic="not-a-table"
        ) from None


def select(data: Any, columns: Sequence[str]) -> pd.DataFrame:
    """The columns wanted as a pandas frame, in types that pandas computes with; the input is never changed.

    Parameters
    ----------
    data : DataFrame
        pandas, or anything narwhals reads: polars, pyarrow, a DuckDB relation, lazy or not.
    columns : sequence of str

    Raises
    ------
    DataError
        `data` is no table, or one of the columns exists twice.
    """
    if not isinstance(data, pd.DataFrame):
        return _from_narwhals(data, columns)
    texts = _texts(data)
    places = {text: i for i, text in enumerate(texts)}
    if len(places) < len(texts):
        twice = [name for name in columns if texts.count(name) > 1]
        if twice:
            raise DataError(
                f"these columns exist more than once in the data: {', '.join(twice)}. Rename them.", topic="name-taken"
            )
    frame = data.iloc[:, [places[name] for name in columns]]
    frame = frame.set_axis(list(columns), axis=1) if len(columns) else frame
    changed = {str(name): made for name, column in frame.items() if (made := typed(column)) is not column}
    return frame.assign(**changed) if changed else frame


def _texts(data: pd.DataFrame) -> list[str]:
    """The names of the columns as a formula can have them: 7 is `7` in backticks."""
    return [name if isinstance(name, str) else str(name) for name in data.columns]


def missing_rows(frame: pd.DataFrame, extra: Mapping[str, np.ndarray]) -> tuple[np.ndarray | None, dict[str, int]]:
    """Which rows lack a value in any column or extra array (None if none does), and how many per column."""
    counts: dict[str, int] = {}
    gone: np.ndarray | None = None
    columns = [(name, _missing(series)) for name, series in frame.items()]
    columns += [(name, np.isnan(values) if values.dtype.kind == "f" else None) for name, values in extra.items()]
    for name, absent in columns:
        if absent is not None and absent.any():
            counts[str(name)] = int(absent.sum())
            gone = absent if gone is None else gone | absent
    return gone, counts


def _missing(series: pd.Series) -> np.ndarray | None:
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return None
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return np.isnan(series.to_numpy())
    if isinstance(dtype, pd.CategoricalDtype):
        return np.asarray(series.array.codes) < 0
    return series.isna().to_numpy()


def _narwhals(data: Any) -> Any:
    import narwhals as nw

    try:
        return nw.from_native(data)
    except TypeError:
        raise DataError(
            f"data must be a table (pandas, polars, pyarrow, ...), not {type(data).__name__}; {_as_table(data)}.",
            topic="not-a-table",
        ) from None


def _as_table(data: Any) -> str:
    if isinstance(data, str | os.PathLike):
        return "read the file first, e.g. pandas.read_csv(path)"
    if isinstance(data, pd.Series):
        return "one row stays a table as data.iloc[[0]], one column as data[['y']]"
    if isinstance(data, np.ndarray):
        return "name its columns with pandas.DataFrame(data, columns=[...])"
    return "a dict of columns becomes one with pandas.DataFrame(data)"


def _from_narwhals(data: Any, columns: Sequence[str]) -> pd.DataFrame:
    import narwhals as nw

    frame = _narwhals(data).select(*columns) if columns else _narwhals(data)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if not columns:
        return pd.DataFrame(index=pd.RangeIndex(len(frame)))
    return pd.DataFrame({name: typed(pd.Series(_pandas_values(frame[name]))) for name in columns})


def _pandas_values(series: Any) -> Any:
    """One column for pandas: declared categories keep their order, a polars Categorical has none."""
    import narwhals as nw

    if isinstance(series.dtype, nw.Enum):
        return pd.Categorical(series.to_list(), categories=list(series.dtype.categories))
    if isinstance(series.dtype, nw.Categorical):
        if series.implementation.is_pyarrow():
            return series.to_native().to_pandas()
        if series.implementation.is_pandas_like():
            return series.to_pandas()
        return pd.Categorical(series.to_list(), categories=sorted(series.cat.get_categories().to_list()))
    if isinstance(series.dtype, nw.String | nw.Boolean) or series.null_count():
        return pd.Series(series.to_list()).convert_dtypes() if series.null_count() else series.to_list()
    return series.to_numpy()
