"""How arrays, levels, tables and indexes become JSON-able values and come back with their types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def to_plain(value: Any) -> Any:
    """Nested dicts, lists, numbers and strings that `from_plain` turns into an equal value."""
    match value:
        case dict():
            return {"dict": {name: to_plain(item) for name, item in value.items()}}
        case list() | tuple():
            return [to_plain(item) for item in value]
        case np.ndarray():
            return _array(value)
        case pd.DataFrame():
            index, columns = to_plain(value.index), to_plain(value.columns)
            return {"table": to_plain(value.to_numpy()), "index": index, "columns": columns}
        case pd.Index():
            return _index(value)
        case pd.Timestamp() | np.datetime64():
            return {"time": pd.Timestamp(value).isoformat()}
        case pd.Interval():
            return {"interval": [to_plain(value.left), to_plain(value.right), value.closed]}
        case np.generic():
            return value.item()
        case None | str() | int() | float():
            return value
    return str(value)  # a level of another type (a date): new data find it by its text


def from_plain(plain: Any) -> Any:
    """The value that `to_plain` wrote."""
    if isinstance(plain, list):
        return [from_plain(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if "dict" in plain:
        return {name: from_plain(item) for name, item in plain["dict"].items()}
    if "dtype" in plain:
        return _from_array(plain)
    if "table" in plain:
        return pd.DataFrame(from_plain(plain["table"]), from_plain(plain["index"]), from_plain(plain["columns"]))
    if "time" in plain:
        return pd.Timestamp(plain["time"])
    if "interval" in plain:
        left, right, closed = from_plain(plain["interval"])
        return pd.Interval(left, right, closed)
    return _from_index(plain)


def _array(array: np.ndarray) -> dict[str, Any]:
    values = array.astype(str).tolist() if array.dtype.kind in "mM" else array.tolist()
    if array.dtype == object:
        values = [to_plain(item) for item in array.ravel().tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "values": values}


def _from_array(plain: dict[str, Any]) -> np.ndarray:
    if plain["dtype"] != "object":
        return np.array(plain["values"], dtype=plain["dtype"]).reshape(plain["shape"])
    array = np.empty(int(np.prod(plain["shape"])), dtype=object)
    array[:] = [from_plain(item) for item in plain["values"]]
    return array.reshape(plain["shape"])


def _index(index: pd.Index) -> dict[str, Any]:
    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "name": index.name}
    if isinstance(index, pd.MultiIndex):
        return {"tuples": [to_plain(row) for row in index.tolist()], "names": list(index.names)}
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        utc = index.tz_convert("UTC").tz_localize(None)
        return _index(utc) | {"zone": str(index.tz)}
    return {"index": _array(index.to_numpy(dtype=object)), "index_dtype": str(index.dtype), "name": index.name}


def _from_index(plain: dict[str, Any]) -> pd.Index:
    if "range" in plain:
        start, stop, step = plain["range"]
        return pd.RangeIndex(start, stop, step, name=plain["name"])
    if "tuples" in plain:
        return pd.MultiIndex.from_tuples([tuple(from_plain(row)) for row in plain["tuples"]], names=plain["names"])
    values = _from_array(plain["index"])
    dtype = plain["index_dtype"]
    if dtype.startswith("datetime64"):
        times = pd.DatetimeIndex(values, name=plain["name"]).astype(dtype)
        return times.tz_localize("UTC").tz_convert(plain["zone"]) if "zone" in plain else times
    return pd.Index(values, dtype=dtype, name=plain["name"])
