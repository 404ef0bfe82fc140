"""ArviZ, whichever generation is installed: InferenceData (0.2x) or DataTree (1.x). The only file that imports it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import xarray as xr


def container(groups: Mapping[str, xr.Dataset]) -> Any:
    """ArviZ's container of `groups` (posterior, sample_stats, ...)."""
    az = _arviz()
    if int(az.__version__.split(".")[0]) < 1:
        return az.InferenceData(**groups)
    return xr.DataTree.from_dict({f"/{name}": data for name, data in groups.items()})


def add_group(idata: Any, name: str, data: xr.Dataset) -> None:
    """Put a group into the container, in the place of one of that name."""
    if isinstance(idata, xr.DataTree):
        idata[name] = xr.DataTree(data)
        return
    if name in group_names(idata):
        del idata[name]
    idata.add_groups({name: data})


def group(idata: Any, name: str) -> xr.Dataset:
    """One group as a Dataset."""
    found = idata[name]
    return found if isinstance(found, xr.Dataset) else found.to_dataset()


def group_names(idata: Any) -> list[str]:
    """The groups present, without a leading "/"."""
    names = idata.groups() if callable(idata.groups) else idata.groups
    return [str(name).strip("/") for name in names if str(name).strip("/")]


def _arviz() -> Any:
    """The package, without the notice that 0.23 prints on import about its successor."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    return arviz
