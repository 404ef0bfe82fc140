"""One NetCDF file for arrays, draws and JSON: plain xarray in and out, nothing pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..errors import DataError
from .json import from_plain, to_plain

FORMAT = 1
OWN_GROUP = "bayesmixed"


def write(path: Path, content: dict[str, Any], frame: pd.DataFrame, groups: Mapping[str, xr.Dataset]) -> None:
    """Write `content` (JSON-able), the columns of `frame` and any xarray groups.

    The file is written beside its final place and moved there whole, so that an interrupted call
    leaves no half-written file.
    """
    own, levels = _columns(frame)
    own.attrs["json"] = json.dumps({"format": FORMAT, "levels": levels, "index": to_plain(frame.index)} | content)
    tree = xr.DataTree.from_dict({f"/{OWN_GROUP}": own} | {f"/{name}": data for name, data in groups.items()})
    part = path.with_name(path.name + ".part")
    try:
        tree.to_netcdf(part, engine="h5netcdf")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, Any], pd.DataFrame, dict[str, xr.Dataset]]:
    """What `write` wrote.

    Raises
    ------
    DataError
        The file is missing, is no saved fit, or was written by a newer version.
    """
    if not path.exists():
        raise DataError(f"There is no file {str(path)!r}.", topic="path")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            groups = {name: node.to_dataset().load() for name, node in tree.children.items()}
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)!r} is not a NetCDF file: {error}", topic="not-a-saved-fit") from error
    if OWN_GROUP not in groups or "json" not in groups[OWN_GROUP].attrs:
        raise DataError(f"{str(path)!r} was not written by fit.save.", topic="not-a-saved-fit")
    own = groups.pop(OWN_GROUP)
    content = json.loads(own.attrs["json"])
    if content["format"] > FORMAT:
        raise DataError(
            f"{str(path)!r} has format {content['format']}, this version reads up to {FORMAT}. Update bayesmixed.",
            topic="newer-file",
        )
    return content, _frame(own, content["levels"], from_plain(content["index"])), groups


def _columns(frame: pd.DataFrame) -> tuple[xr.Dataset, dict[str, Any]]:
    """Numbers as they are; everything else as integer codes with its levels kept apart."""
    variables, levels = {}, {}
    kind: dict[str, Any]
    for i, name in enumerate(frame.columns):
        column = frame[name]
        if column.dtype.kind in "iufb":
            values, kind = column.to_numpy(), {"kind": "number"}
        else:
            categorical = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
            values = categorical.cat.codes.to_numpy()
            kind = {
                "kind": "category" if isinstance(column.dtype, pd.CategoricalDtype) else "plain",
                "levels": to_plain(categorical.cat.categories.to_numpy()),
                "ordered": bool(categorical.cat.ordered),
            }
        variables[f"column_{i}"] = (("__obs__",), values.astype("i1") if values.dtype.kind == "b" else values)
        levels[f"column_{i}"] = kind | {"name": str(name), "boolean": values.dtype.kind == "b"}
    return xr.Dataset(variables), levels


def _frame(own: xr.Dataset, levels: Mapping[str, Any], index: Any) -> pd.DataFrame:
    columns = {}
    for variable, kind in levels.items():
        values = own[variable].to_numpy()
        if kind["kind"] != "number":
            found = pd.Categorical.from_codes(values, from_plain(kind["levels"]), ordered=kind["ordered"])
            columns[kind["name"]] = found if kind["kind"] == "category" else np.asarray(found)
        else:
            columns[kind["name"]] = values.astype(bool) if kind["boolean"] else values
    return pd.DataFrame(columns, index=index)
