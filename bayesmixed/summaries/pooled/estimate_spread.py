"""How far estimates of random effects vary, which are shrunken and vary less than the effects themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...families import observed
from ...likelihood.linear.likelihood import linear_likelihood
from ...parameters.predicted import predicted
from ...prediction.responses import location, mean_response

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...model import Model
    from .effects_by_factor import Varying

_STEP = 1e-4  # of a linear predictor, for a central difference
_LOST = 1e-12  # share of an effect's variance that rounding can leave of nothing


def estimate_spread(fit: Fit, of: Varying) -> np.ndarray:
    """Standard deviation (L, K) that the model gives each estimated effect of a factor; zero where data say nothing.

    It is the root of sd^2 - s^2, with sd that of the effects and s the conditional one of this effect given data that
    are as informative as the model expects, all at the estimates. Expected information is never negative, as that of
    the responses at hand can be under a guess or lapse rate, so s is never above sd.
    """
    model, parameters = fit.model, fit.parameters.mean()
    information = _information(model, *predicted(model.family, model.design, parameters).single())
    total = np.concatenate([np.diag(parameters.covariance(j)[0, 0]) for j in of.terms])
    if not np.any(information > 0):
        return np.zeros((len(of.levels), len(of.columns)))
    no_columns = replace(model.design.mu, X=model.design.mu.X[:, :0])
    design = replace(model.design.with_predictor(no_columns), weights=information)
    rows = linear_likelihood(design, model.covariances)
    theta = rows.theta.reported_of([parameters.principal_root(j)[0, 0] for j in range(len(parameters.b))])
    left = rows.conditional_covariances(rows.solve(rows.theta.working(theta), invert=True))
    still = np.hstack([np.diagonal(left[j], axis1=1, axis2=2) for j in of.terms])
    known = total - still
    return np.sqrt(np.where(known > _LOST * total, known, 0.0))


def _information(model: Model, eta: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
    """Expected information (n,) of each row on its linear predictor.

    That of a response's mean and variance, (d mean / d eta)^2 / variance, which is all there is in exponential
    families; where a variance is infinite, the curvature of the row at hand if it is positive.
    """
    family, design = model.family, model.design
    weights = np.ones(len(eta)) if design.weights is None else design.weights
    if model.linear:
        return weights / values["sigma"] ** 2
    low, high = (mean_response(family, eta + step, values) for step in (-_STEP, _STEP))
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = family.sd(location(family, eta), values, design.weights, design.trials)
        found = ((high - low) / (2 * _STEP * sd)) ** 2
    if np.isinf(sd).all():
        found = family.derivatives(observed(design), eta, dict(values), 2).V
    elif family.weights == "frequency":
        found = found * weights
    return np.where(np.isfinite(found) & (found > 0), found, 0.0)
