"""ArviZ, whichever generation is installed: InferenceData (0.2x) or DataTree (1.x). The only file that imports it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import logsumexp


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


@dataclass(frozen=True)
class LeftOut:
    """What leaving out each of n observations gives: `elpd`, `p`, `pareto_k` (n,); `elpd_data` is ArviZ's object.

    `good_k` is the largest Pareto k with which the importance sampling behind it is reliable at that many draws.
    """

    elpd: np.ndarray
    p: np.ndarray
    pareto_k: np.ndarray
    good_k: float
    elpd_data: Any


def leave_one_out(blocks: Iterable[xr.DataArray], efficiency: float) -> LeftOut:
    """Pareto-smoothed importance sampling of log-likelihoods (chain, draw, observation), a block at a time.

    `efficiency` is what a draw is worth in independent ones, on average.
    """
    az = _arviz()
    parts, lppd = [], []
    for block in blocks:
        held = container({"log_likelihood": xr.Dataset({"y": block})})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of large k, which are reported
            parts.append(az.loo(held, pointwise=True, var_name="y", reff=efficiency))
        lppd.append(logsumexp(block.to_numpy(), axis=(0, 1)) - np.log(block.shape[0] * block.shape[1]))
    elpd = xr.concat([part[_key(part, "loo_i", "elpd_i")] for part in parts], "__obs__")
    pareto_k = xr.concat([part["pareto_k"] for part in parts], "__obs__")
    p = np.concatenate(lppd) - elpd.to_numpy()
    whole = _assembled(parts[0], elpd, pareto_k, float(p.sum())) if len(parts) > 1 else parts[0]
    return LeftOut(elpd.to_numpy(), p, pareto_k.to_numpy(), float(whole["good_k"]), whole)


def efficiency(idata: Any) -> float:
    """What a draw of the posterior is worth in independent ones, on average over all parameters; 1 for one chain."""
    posterior = group(idata, "posterior")
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    if chains == 1:
        return 1.0
    sizes = _arviz().ess(container({"posterior": posterior}), method="mean")
    sizes = sizes if isinstance(sizes, xr.Dataset) else sizes.to_dataset()
    return float(np.mean(np.concatenate([sizes[name].to_numpy().ravel() for name in sizes])) / (chains * draws))


def stacking_weights(elpd_data: Mapping[str, Any]) -> dict[str, float]:
    """How much each model would count in the best average of all predictions; sums to 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large k again
        return {str(name): float(weight) for name, weight in _arviz().compare(dict(elpd_data))["weight"].items()}


def _assembled(part: Any, elpd: xr.DataArray, pareto_k: xr.DataArray, p: float) -> Any:
    """ArviZ's result of all observations, made of that of a few."""
    values = elpd.to_numpy()
    part[_key(part, "elpd_loo", "elpd")] = float(values.sum())
    part["se"] = float(np.sqrt(values.size * values.var(ddof=1)))
    part[_key(part, "p_loo", "p")] = p
    part["n_data_points"] = values.size
    part["warning"] = bool(np.any(pareto_k.to_numpy() > part["good_k"]))
    part[_key(part, "loo_i", "elpd_i")], part["pareto_k"] = elpd, pareto_k
    if hasattr(part, "log_weights"):
        part.log_weights = None  # as large as all draws of all observations
    return part


def _key(part: Any, older: str, newer: str) -> str:
    return newer if hasattr(part, newer) else older


def _arviz() -> Any:
    """The package, without the notice that 0.23 prints on import about its successor."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    return arviz
