"""Columns of objects and of Arrow's types as those that pandas computes with: decimals are numbers, dates times."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

NUMBERS = {"decimal", "floating", "mixed-integer-float"}  # as pandas calls what objects hold
DATES = {"date", "datetime", "datetime64"}
DURATIONS = {"timedelta", "timedelta64"}  # which are refused by their type


def typed(series: pd.Series) -> pd.Series:
    """The same values in a NumPy, nullable or categorical type where they are numbers, dates or a dictionary.

    SQL and parquet give decimals, Python objects or Arrow's; as objects they would count as levels of a factor.

    >>> from decimal import Decimal
    >>> typed(pd.Series([Decimal("1.5"), None])).tolist()
    [1.5, nan]
    """
    if isinstance(series.dtype, pd.ArrowDtype):
        return _from_arrow(series)
    if series.dtype == object:
        return _from_objects(series)
    # pandas has no index of the other floats, which levels need
    odd = isinstance(series.dtype, np.dtype) and series.dtype.kind == "f" and series.dtype.itemsize not in (4, 8)
    return series.astype(float) if odd else series


def _from_arrow(series: pd.Series) -> pd.Series:
    import pyarrow as pa

    kind = series.dtype.pyarrow_dtype  # type: ignore[union-attr]  # an ArrowDtype
    values: Any = pa.chunked_array(series.array.__arrow_array__())  # type: ignore[attr-defined]  # one of Arrow's
    if pa.types.is_decimal(kind):
        text = values.cast(pa.string())  # by way of which 0.70 is the float 0.7; directly it may be its neighbour
        return pd.Series(text.cast(pa.float64()).to_numpy(), index=series.index)
    if pa.types.is_date(kind):
        return pd.Series(values.cast(pa.timestamp("s")).to_numpy(), index=series.index)
    if pa.types.is_dictionary(kind):
        return pd.Series(values.to_pandas().array, index=series.index)
    if pa.types.is_nested(kind) or pa.types.is_time(kind):
        return series.astype(object)
    return series


def _from_objects(series: pd.Series) -> pd.Series:
    """Python's numbers and dates; text, truth values and mixtures stay as they are."""
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind in DURATIONS:
        return pd.to_timedelta(series)
    if kind == "integer":
        return _whole(series)
    if kind in NUMBERS or (kind.startswith("mixed") and _with_decimals(series)):
        values = [np.nan if missing else float(value) for value, missing in zip(series, series.isna(), strict=True)]
        return pd.Series(values, index=series.index)
    if kind in DATES:
        try:
            return pd.to_datetime(series)
        except (ValueError, TypeError):  # out of range, or of several time zones
            return series
    return series


def _whole(series: pd.Series) -> pd.Series:
    try:
        return series.astype("Int64" if series.isna().any() else "int64")
    except OverflowError:
        return series


def _with_decimals(series: pd.Series) -> bool:
    known = series[~series.isna()]
    kinds = {type(value) for value in known}
    numbers = all(issubclass(kind, int | float | np.number | Decimal) and kind is not bool for kind in kinds)
    return numbers and any(issubclass(kind, Decimal) for kind in kinds)
