"""Residuals of the rows used, of four kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FitError, nearest
from ..parameters import Parameters
from .linear_predictor import included_terms, linear_predictor
from .seeds import generator

if TYPE_CHECKING:
    from ..model import Model

KINDS = ("response", "pearson", "deviance", "quantile")


def residuals(
    model: Model, parameters: Parameters, kind: str, *, re: str | Sequence[str], seed: int | None
) -> np.ndarray:
    """See `Fit.residuals`; for draws mu is taken at the posterior mean of the parameters."""
    if kind not in KINDS:
        raise FitError(f"residuals has no kind {kind!r}. {nearest(kind, KINDS)}")
    design, mean = model.design, parameters.mean()
    if design.response is None:
        raise FitError("There is no response to compare with.")
    y, weights = design.response.y, design.weights
    mu = model.family.link.inverse(linear_predictor(design, mean, included_terms(design.groups, re)))[0]
    dispersion = {name: float(value[0, 0]) for name, value in mean.dispersion.items()}
    if kind == "response":
        return y - mu
    if kind == "pearson":
        return (y - mu) / model.family.sd(mu, dispersion, weights)
    if kind == "deviance":
        return model.family.deviance_residuals(y, mu, weights)
    return model.family.quantile_residuals(y, mu, dispersion, weights, generator(seed))
