"""Draws from a stored posterior: named xarray variables back to natural parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..parameters.names import TermNames, term_names
from .naming import safe

if TYPE_CHECKING:
    import xarray as xr

    from ..design.design import GroupTerm, Predictor
    from ..model import Model


def natural_values(model: Model, posterior: xr.Dataset) -> dict[str, Any]:
    """What `naming.posterior_dataset` was made from (chains, draws, ...)."""
    names = term_names(model.design.groups)
    pairs = list(zip(model.design.groups, names, strict=True))
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    sds = tuple(np.stack([_values(posterior, name) for name in named.sds], axis=-1) for _, named in pairs)
    held = {name: np.full(shape, value) for name, value in model.constants.items()}
    return {
        "beta": _coefficients(model.design.mu, posterior, shape),
        "sds": sds,
        "factors": tuple(_factor(posterior, named, sd) for (_, named), sd in zip(pairs, sds, strict=True)),
        "effects": tuple(_effects(posterior, group, named) for group, named in pairs),
        "dispersion": held
        | {name: _values(posterior, name) for name in model.family.dispersion if name not in model.constants},
    }


def _values(posterior: xr.Dataset, name: str) -> np.ndarray:
    return posterior[safe(name)].to_numpy()


def _coefficients(predictor: Predictor, posterior: xr.Dataset, shape: tuple[int, int]) -> np.ndarray:
    beta = np.empty((*shape, len(predictor.coefficients)))
    for term, positions in predictor.terms.items():
        if positions:
            values = _values(posterior, term)
            beta[..., list(positions)] = values if values.ndim == 3 else values[..., None]
    return beta


def _factor(posterior: xr.Dataset, named: TermNames, sds: np.ndarray) -> np.ndarray:
    if named.correlation is None:
        return sds[..., None] * np.eye(sds.shape[-1])
    return sds[..., None] * np.linalg.cholesky(_values(posterior, named.correlation))


def _effects(posterior: xr.Dataset, group: GroupTerm, named: TermNames) -> np.ndarray:
    return np.stack([_values(posterior, name) for name in named.effects], axis=-1)
