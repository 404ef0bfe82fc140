"""How one column of a table becomes plain values: numbers, bools, times, or a Factor."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from ...errors import DataError
from .factors import Factor, as_factor

_COMPLEX = "column {!r} holds complex numbers: take the real part or the modulus beforehand."


def raw_values(series: pd.Series, name: str) -> np.ndarray | Factor:
    """A column as an int, float, bool or datetime64 array, or as a Factor (text, categories).

    Missing values are NaN in numbers and code -1 in factors; a bool column with missing values
    becomes a logical Factor.

    Raises
    ------
    DataError
        A column that holds lists, mixed types, or anything else without levels.
    """
    array = series.array
    _refuse_kind(series, name)
    kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else "extension"
    if kind in "iufbM" and kind != "extension":
        return series.to_numpy()
    if isinstance(array, pd.Categorical):
        return as_factor(array, f"column {name!r}")
    if kind == "extension" and getattr(series.dtype, "kind", "O") in "iuf":
        return _nullable_numbers(series)
    if kind == "extension" and getattr(series.dtype, "kind", "O") == "b":
        return _bools(series.astype(object).to_numpy())
    if kind == "extension" and getattr(series.dtype, "kind", "O") == "M":
        return series.dt.tz_localize(None).to_numpy() if hasattr(series, "dt") else series.to_numpy()
    return _objects(series, name)


def _refuse_kind(series: pd.Series, name: str) -> None:
    kind = getattr(series.dtype, "kind", "O")
    if kind == "m":
        raise DataError(
            f"column {name!r} holds durations: make it a number, data[{name!r}].dt.total_seconds().",
            topic="column-type",
        )
    if kind == "c":
        raise DataError(_COMPLEX.format(name), topic="column-type")


def _nullable_numbers(series: pd.Series) -> np.ndarray:
    if series.dtype.kind in "iu" and not series.hasnans:
        return series.to_numpy(dtype=np.int64)
    return series.to_numpy(dtype=float, na_value=np.nan)


def _objects(series: pd.Series, name: str) -> np.ndarray | Factor:
    """Text, or Python numbers and bools that came without a dtype."""
    if series.dtype != object:
        return as_factor(series, f"column {name!r}")
    values = series.to_numpy()
    kinds = {type(value) for value in values.tolist()}
    kinds -= {type(None), type(pd.NaT), type(pd.NA)}
    if kinds and all(issubclass(k, bool | np.bool_) for k in kinds - {float}) and kinds != {float}:
        return _bools(values)
    _refuse_objects(kinds, name)
    if kinds and all(issubclass(k, Number | Decimal) for k in kinds):
        return np.array([np.nan if pd.isna(value) else float(value) for value in values])
    return as_factor(series, f"column {name!r}")


def _refuse_objects(kinds: set[type], name: str) -> None:
    if any(issubclass(k, complex | np.complexfloating) for k in kinds):
        raise DataError(_COMPLEX.format(name), topic="column-type")
    if time in kinds:
        raise DataError(
            f"column {name!r} holds times of day: make it a number, such as hours, or text for a factor, "
            f"data[{name!r}].astype(str).",
            topic="column-type",
        )
    if any(issubclass(k, list | tuple | dict | set | np.ndarray) for k in kinds):
        raise DataError(
            f"column {name!r} holds {min(k.__name__ for k in kinds)} values; one value per row is needed.",
            topic="column-type",
        )


def _bools(values: Any) -> np.ndarray | Factor:
    missing = pd.isna(values)
    if not missing.any():
        return np.asarray(values, dtype=bool)
    codes = np.array([-1 if gone else int(value) for value, gone in zip(values, missing, strict=True)], dtype=np.int32)
    return Factor(codes, np.array([False, True]), logical=True)
