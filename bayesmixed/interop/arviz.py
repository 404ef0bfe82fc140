"""ArviZ, whichever generation is installed: InferenceData (0.2x) or DataTree (1.x). The only file that imports it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr


def container(groups: Mapping[str, xr.Dataset]) -> Any:
    """ArviZ's container of `groups` (posterior, sample_stats, ...)."""
    az = _arviz()
    if int(az.__version__.split(".")[0]) < 1:
        return az.InferenceData(**groups)
    return xr.DataTree.from_dict({f"/{name}": data for name, data in groups.items()})


def group(idata: Any, name: str) -> xr.Dataset:
    """One group as a Dataset."""
    found = idata[name]
    return found if isinstance(found, xr.Dataset) else found.to_dataset()


def group_names(idata: Any) -> list[str]:
    """The groups present, without a leading "/"."""
    names = idata.groups() if callable(idata.groups) else idata.groups
    return [str(name).strip("/") for name in names if str(name).strip("/")]


def convergence(values: np.ndarray) -> dict[str, np.ndarray]:
    """`rhat`, `ess_bulk`, `ess_tail` (m,) of draws (chains, draws, m)."""
    data = xr.Dataset({"x": (("chain", "draw", "element"), np.asarray(values))})
    found = {"rhat": rhat(data), "ess_bulk": ess(data, "bulk"), "ess_tail": ess(data, "tail")}
    return {name: answer["x"].to_numpy() for name, answer in found.items()}


def rhat(posterior: xr.Dataset) -> xr.Dataset:
    """Rank-normalised split R-hat of every element."""
    az = _arviz()
    # Constant elements (the diagonal of a correlation matrix) have no R-hat: NaN, silently.
    with np.errstate(invalid="ignore", divide="ignore"):
        return _dataset(az.rhat(posterior))


def ess(posterior: xr.Dataset, kind: str = "bulk") -> xr.Dataset:
    """Effective sample size, "bulk" or "tail", of every element."""
    az = _arviz()
    return _dataset(az.ess(posterior, method=kind))


def bfmi(energy: Any) -> np.ndarray:
    """Estimated Bayesian fraction of missing information per chain from energies (chain, draw).

    Source: Betancourt (2016, arXiv:1604.00695), eq. 7.
    """
    energy = np.asarray(energy, dtype=float)
    spread = np.var(energy, axis=1)
    moves = np.mean(np.diff(energy, axis=1) ** 2, axis=1)
    return np.divide(moves, spread, out=np.full(len(energy), np.nan), where=spread > 0)


def _arviz() -> Any:
    """The package, without the notice that 0.23 prints on import about its successor."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    return arviz


def _dataset(found: Any) -> xr.Dataset:
    return found if isinstance(found, xr.Dataset) else found.to_dataset()
