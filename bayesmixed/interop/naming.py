"""What draws are called: parameter values to xarray datasets with named dimensions and coordinates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..covariance import CORRELATION
from ..parameters.names import term_names

if TYPE_CHECKING:
    from ..covariance import Values
    from ..design.design import GroupTerm, Predictor
    from ..model import Model
    from ..parameters.names import TermNames
    from ..parameters.values import Parameters

ROWS = "__obs__"
RESERVED = ("chain", "draw", ROWS)


def posterior_dataset(model: Model, parameters: Parameters) -> xr.Dataset:
    """Every parameter as a variable (chain, draw, ...).

    Parameters
    ----------
    model
        Gives names, levels and terms.
    parameters
        With leading axes (chain, draw).

    Returns
    -------
    Dataset
        ``Intercept``, ``Days``, ``period`` (dim ``period_dim``), ``sigma``, ``1|Subject`` (dim
        ``Subject__factor_dim``), ``1|Subject_sigma``, ``Subject_corr`` (dims ``Subject_effect``,
        ``Subject_effect_bis``), and what else the covariance structure of a bar has, such as ``Subject_rho``. A
        second correlated block on one factor is ``Subject#2_corr``. A "/"
        in a name is written "_per_", the name itself is in ``attrs["term"]``.
    """
    variables: dict[str, xr.DataArray] = {}
    for name, predictor in model.design.predictors.items():
        variables |= _coefficients(predictor, parameters.coefficients[name])
    for name, values in parameters.dispersion.items():
        if name not in model.constants:
            variables[name] = _variable(name, values)
    names = term_names(model.design)
    for i, (group, named) in enumerate(zip(model.design.groups, names, strict=True)):
        variables |= _block(group, named, model.covariances[i].values(parameters.factor(i)))
    for group, named, effects in zip(model.design.groups, names, parameters.b, strict=True):
        variables |= _effects(group, named, effects)
    return xr.Dataset({safe(name): values for name, values in variables.items()}).assign_coords(
        chain=np.arange(parameters.beta.shape[0]), draw=np.arange(parameters.beta.shape[1])
    )


def sample_stats_dataset(statistics: dict[str, np.ndarray]) -> xr.Dataset:
    """ArviZ's sample statistics (chain, draw) by name."""
    arrays = {name: _variable(name, values) for name, values in statistics.items()}
    chains, draws = next(iter(statistics.values())).shape
    return xr.Dataset(arrays, coords={"chain": np.arange(chains), "draw": np.arange(draws)})


def observed_dataset(model: Model) -> xr.Dataset:
    """The response (rows,) under its name in the formula; rows are labelled as in the user's table."""
    response = model.design.response
    if response is None:
        return xr.Dataset()
    name = safe(response.name)
    rows = _labels(model.design.index.to_numpy())
    return xr.Dataset(
        {name: xr.DataArray(model.design.written(response.y), {ROWS: rows}, (ROWS,), attrs={"term": response.name})}
    )


def rows_dataset(model: Model, values: np.ndarray, draws: np.ndarray, rows: np.ndarray) -> xr.Dataset:
    """Values (chain, draw, __obs__) of some draws and rows, under the name of the response; both keep their labels."""
    found = observed_dataset(model)
    name, response = next(iter(found.data_vars.items()))
    coords = {"chain": np.arange(len(values)), "draw": draws, ROWS: found[ROWS].to_numpy()[rows]}
    return xr.Dataset({name: xr.DataArray(values, coords, ("chain", "draw", ROWS), attrs=response.attrs)})


def safe(name: str) -> str:
    """A name that NetCDF and ArviZ take: "/" separates groups, chain and draw are dimensions.

    >>> safe("y/x"), safe("draw")
    ('y_per_x', 'draw#2')
    """
    return f"{name}#2" if name in RESERVED else name.replace("/", "_per_")


def _variable(name: str, values: Any, **coords: Any) -> xr.DataArray:
    """An array (chain, draw, *coords) with coordinate labels by dimension."""
    labelled = {safe(dim): _labels(labels) for dim, labels in coords.items()}
    dims = ("chain", "draw", *labelled)
    attrs = {"term": name} if safe(name) != name else {}
    return xr.DataArray(np.array(values), coords=labelled, dims=dims, attrs=attrs)


def _labels(labels: Any) -> np.ndarray:
    """Labels as the data has them; objects of mixed or other types as text, which every format stores."""
    array = np.asarray(labels)
    return array.astype(str) if array.dtype == object else array


def _coefficients(predictor: Predictor, beta: np.ndarray) -> dict[str, xr.DataArray]:
    prefix = predictor.prefix
    found = {}
    for term, positions in predictor.terms.items():
        names = [predictor.coefficients[j] for j in positions]
        name = f"{prefix}{term}"
        if names == [term]:
            found[name] = _variable(name, beta[..., positions[0]])
        elif names:
            found[name] = _variable(name, beta[..., list(positions)], **{f"{name}_dim": _level_labels(names)})
    return found


def _level_labels(coefficients: list[str]) -> list[str]:
    """What tells the columns of a term apart: the levels in brackets, joined; the whole names if that is not unique.

    >>> _level_labels(["recipe[B]:temp", "recipe[C]:temp"])
    ['B', 'C']
    """
    labels = [", ".join(re.findall(r"\[([^\]]*)\]", name)) for name in coefficients]
    return labels if all(labels) and len(set(labels)) == len(labels) else coefficients


def _block(group: GroupTerm, named: TermNames, values: Values) -> dict[str, xr.DataArray]:
    found = {name: _variable(name, values.sds[..., j]) for j, name in enumerate(named.sds)}
    columns = {f"{named.tag}_effect": list(group.columns), f"{named.tag}_effect_bis": list(group.columns)}
    for name, shape, value in zip(named.shapes, named.free.shapes, values.shapes, strict=True):
        matrix = shape.support == CORRELATION
        found[name] = _variable(name, shape.stated(value), **(columns if matrix else {}))
    return found


def _effects(group: GroupTerm, named: TermNames, effects: np.ndarray) -> dict[str, xr.DataArray]:
    dim = f"{group.factor}__factor_dim"
    return {name: _variable(name, effects[..., j], **{dim: group.levels}) for j, name in enumerate(named.effects)}
