"""Draws from a stored posterior: named xarray variables back to parameter values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..covariance import CORRELATION, Covariance, Values
from ..parameters.names import TermNames, term_names
from ..parameters.values import Parameters, compact
from .naming import safe

if TYPE_CHECKING:
    import xarray as xr

    from ..design.design import GroupTerm, Predictor
    from ..model import Model


def natural_values(model: Model, posterior: xr.Dataset) -> Parameters:
    """What `naming.posterior_dataset` was made from (chains, draws, ...)."""
    names = term_names(model.design)
    pairs = list(zip(model.design.groups, names, strict=True))
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    held = {name: np.full(shape, value) for name, value in model.constants.items()}
    predictors = model.design.predictors.items()
    return Parameters(
        coefficients={name: _coefficients(predictor, posterior, shape) for name, predictor in predictors},
        factors=tuple(_factor(posterior, *each) for each in zip(model.covariances, names, strict=True)),
        b=tuple(_effects(posterior, group, named) for group, named in pairs),
        dispersion=held | {name: _values(posterior, name) for name in model.free},
    )


def _values(posterior: xr.Dataset, name: str) -> np.ndarray:
    return posterior[safe(name)].to_numpy()


def _coefficients(predictor: Predictor, posterior: xr.Dataset, shape: tuple[int, int]) -> np.ndarray:
    beta = np.empty((*shape, len(predictor.coefficients)))
    for term, positions in predictor.terms.items():
        if positions:
            values = _values(posterior, f"{predictor.prefix}{term}")
            beta[..., list(positions)] = values if values.ndim == 3 else values[..., None]
    return beta


def _factor(posterior: xr.Dataset, structure: Covariance, named: TermNames) -> np.ndarray:
    sds = np.stack([_values(posterior, name) for name in named.sds], axis=-1)
    shapes = zip(named.free.shapes, [_values(posterior, name) for name in named.shapes], strict=True)
    values = Values(sds, tuple(np.linalg.cholesky(v) if s.support == CORRELATION else v for s, v in shapes))
    return compact(structure.factor_from(values, len(named.effects), np), structure)


def _effects(posterior: xr.Dataset, group: GroupTerm, named: TermNames) -> np.ndarray:
    return np.stack([_values(posterior, name) for name in named.effects], axis=-1)
