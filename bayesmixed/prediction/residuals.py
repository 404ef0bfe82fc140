"""Residuals of the rows used, of four kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FitError, nearest
from ..families import observed
from ..parameters.predicted import predicted
from ..parameters.values import Parameters
from .estimable import determined
from .included_terms import included_terms
from .responses import location
from .seeds import generator

if TYPE_CHECKING:
    from ..model import Model

KINDS = ("response", "pearson", "deviance", "quantile")


def residuals(
    model: Model, parameters: Parameters, kind: str, *, re: str | Sequence[str], seed: int | None
) -> np.ndarray:
    """See `Fit.residuals`; for draws mu is taken at the posterior mean of the parameters."""
    if kind not in KINDS:
        raise FitError(f"residuals has no kind {kind!r}. {nearest(kind, KINDS)}", topic="unknown-option")
    design, mean = model.design, parameters.mean()
    if design.response is None:
        raise FitError("There is no response to compare with.", topic="no-response")
    seen, design = observed(design), determined(model, design, None)
    eta, dispersion = predicted(model.family, design, mean, included_terms(design.groups, re)).single()
    mu = location(model.family, eta)
    if kind == "deviance":
        return model.family.deviance_residuals(seen, mu, dispersion)
    if kind == "quantile":
        return model.family.quantile_residuals(seen, mu, dispersion, generator(seed))
    share = seen.y
    if seen.trials is not None:
        share = np.divide(seen.y, seen.trials, out=np.full(len(seen.y), np.nan), where=seen.trials > 0)
    weights = seen.weights if model.family.weights == "precision" else None
    rest = share - model.family.mean(mu, dispersion, weights)
    return rest if kind == "response" else rest / model.family.sd(mu, dispersion, seen.weights, seen.trials)
