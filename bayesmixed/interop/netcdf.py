"""One NetCDF file for arrays, draws and JSON: plain xarray in and out, nothing pickled, damage noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..errors import DataError
from . import digests
from .json import from_plain, to_plain

FORMAT = 2  # 1: no digests
OWN_GROUP = "bayesmixed"
CHUNK = 2**24  # numbers in one piece of the file, each with a checksum


def write(path: Path, content: dict[str, Any], frame: pd.DataFrame, groups: Mapping[str, xr.Dataset]) -> None:
    """Write `content` (JSON-able), the columns of `frame` and any xarray groups.

    The file is written beside its final place and moved there whole, so that an interrupted call
    leaves no half-written file.
    """
    own, levels = _columns(frame)
    every = {OWN_GROUP: own, **groups}
    text = json.dumps(
        content
        | {"format": FORMAT, "levels": levels, "index": to_plain(frame.index), "attrs": _said(frame)}
        | {"digests": {name: digests.of_dataset(data) for name, data in every.items()}}
    )
    own.attrs |= {"json": text, "json_digest": digests.of_text(text)}
    tree = xr.DataTree.from_dict({f"/{name}": data for name, data in every.items()})
    encoding = {f"/{name}": _checked(data) for name, data in every.items()}
    part = path.with_name(path.name + ".part")
    try:
        tree.to_netcdf(part, engine="h5netcdf", encoding=encoding)
        digests.seal(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, Any], pd.DataFrame, dict[str, xr.Dataset]]:
    """What `write` wrote.

    Raises
    ------
    DataError
        The file is missing, damaged, no saved fit, or was written by a newer version.
    """
    if not path.exists():
        raise DataError(f"There is no file {str(path)!r}.", topic="path")
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder: give the file that fit.save wrote.", topic="path")
    if not _is_hdf5(path):
        raise DataError(f"{str(path)!r} is not a NetCDF file as fit.save writes them.", topic="not-a-saved-fit")
    if digests.broken(path):  # asked before it is read: of damaged tables HDF5 can make an endless walk
        raise _damaged(path, "it is not what was written")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            groups = {name: node.to_dataset().load() for name, node in tree.children.items()}
    except MemoryError:  # of a file that is as it was: it is too large
        raise
    except Exception as error:  # what a damaged file makes of the libraries' own bookkeeping is anything
        raise _damaged(path, "it cannot be read to its end") from error
    if OWN_GROUP not in groups or "json" not in groups[OWN_GROUP].attrs:
        raise DataError(f"{str(path)!r} was not written by fit.save.", topic="not-a-saved-fit")
    own = groups.pop(OWN_GROUP)
    content = _content(path, own)
    _refuse_changed(path, content, {OWN_GROUP: own, **groups})
    return content, _frame(own, content), groups


def _content(path: Path, own: xr.Dataset) -> dict[str, Any]:
    """What the JSON says, if it is what was written."""
    text = str(own.attrs["json"])
    stated = own.attrs.get("json_digest")
    try:
        content = json.loads(text)
        newer = content["format"] > FORMAT
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "its description of the model cannot be read") from error
    if newer:
        raise DataError(
            f"{str(path)!r} has format {content['format']}, this version reads up to {FORMAT}. Update bayesmixed.",
            topic="newer-file",
        )
    if stated != digests.of_text(text) and (content["format"] > 1 or stated is not None):
        raise _damaged(path, "its description of the model is not what was written")
    return content


def _refuse_changed(path: Path, content: dict[str, Any], groups: Mapping[str, xr.Dataset]) -> None:
    """Compare what was read with what was written; groups that others added to the file are theirs."""
    for name, stated in content.get("digests", {}).items():
        if name not in groups:
            raise _damaged(path, f"its part {name!r} is missing")
        if digests.of_dataset(groups[name]) != stated:
            raise _damaged(path, f"its part {name!r} is not what was written")


def _damaged(path: Path, what: str) -> DataError:
    text = f"{str(path)!r} is damaged: {what}. Load another copy of it, or fit and save again."
    return DataError(text, topic="damaged-file")


def _is_hdf5(path: Path) -> bool:
    """Whether the file begins as HDF5 files do, which NetCDF 4 files are."""
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _checked(data: xr.Dataset) -> dict[str, dict[str, Any]]:
    """The format's own checksums (Fletcher's, for other readers) of all numbers; a scalar has no place for one."""
    return {
        str(name): {"fletcher32": True, "chunksizes": _pieces(values.shape)}
        for name, values in data.variables.items()
        if values.dtype.kind in "biuf" and values.size and values.ndim
    }


def _pieces(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The whole array, or as many of its first axis as `CHUNK` numbers make."""
    each = max(1, int(np.prod(shape[1:], dtype=np.int64)))
    return (max(1, min(shape[0], CHUNK // each)), *shape[1:])


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


def _said(frame: pd.DataFrame) -> dict[str, str]:
    """What a table says of itself in words: the study that its data are from."""
    return {key: text for key, text in frame.attrs.items() if isinstance(key, str) and isinstance(text, str)}


def _frame(own: xr.Dataset, content: Mapping[str, Any]) -> pd.DataFrame:
    columns = {}
    for variable, kind in content["levels"].items():
        values = own[variable].to_numpy()
        if kind["kind"] != "number":
            found = pd.Categorical.from_codes(values, from_plain(kind["levels"]), ordered=kind["ordered"])
            columns[kind["name"]] = found if kind["kind"] == "category" else np.asarray(found)
        else:
            columns[kind["name"]] = values.astype(bool) if kind["boolean"] else values
    frame = pd.DataFrame(columns, index=from_plain(content["index"]))
    frame.attrs = content.get("attrs", {})
    return frame
