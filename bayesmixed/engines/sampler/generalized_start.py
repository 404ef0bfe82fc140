"""Where the chains of a generalized model start: Laplace's ML fit, or what the priors make of it where that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import FitError
from ...likelihood.at import effects_unit, laplace_of
from ...likelihood.laplace import start as laplace
from ...likelihood.laplace.approximation import LaplaceLikelihood
from ...priors.default import column_spreads
from ...priors.origin import stated_rows
from ..generalized.collect import effects
from ..ml import ML
from .chain_start import Start, start_from, stated_bars

if TYPE_CHECKING:
    from ...model import Model

FAR = 3.0  # prior sds: an estimate further out was not made by data that the priors leave alone

TOWARDS = 0.9  # of the prior of a dispersion parameter that the rows push to its limit
WIDEST = 1e3  # predictor units per unit column: of a coefficient of which neither rows nor prior say how far it may go


def generalized_start(model: Model) -> Start:
    """The start of a model without scale.

    Where ML has no maximum or one that the priors do not allow (separation, say): sds from moments, and given them the
    joint mode of effects and coefficients under the priors.
    """
    try:
        found = start_from(ML().fit(model), model)
    except (FitError, np.linalg.LinAlgError):
        return _joint_mode(model)
    along, means, sds = _coefficient_priors(model)
    beta, beta_sds = found.coefficients["mu"], found.coefficient_sds["mu"]
    parts = (beta, *found.factors, *found.effects, *found.effect_sds, np.array([*found.dispersion.values()]))
    if not all(np.all(np.isfinite(part)) for part in parts) or np.any(np.abs(along @ beta - means) > FAR * sds):
        return _joint_mode(model)
    # A Hessian without an inverse leaves no standard errors.
    known = np.isfinite(beta_sds) & (beta_sds > 0)
    widest = _widest(model)
    errors = np.minimum(np.where(known, beta_sds, widest), np.minimum(sds, widest))
    dispersion = {name: _short_of_limit(model, name, value) for name, value in found.dispersion.items()}
    return replace(found, coefficient_sds={"mu": errors}, dispersion=dispersion)


def _short_of_limit(model: Model, name: str, value: float) -> float:
    """An estimate beyond its family's limit ran away, and only the prior says how far: its quantile towards there."""
    limit = model.family.limits.get(name)
    if limit is None or name in model.constants or not limit.reached(value):
        return value
    found = float(model.priors.distribution(name).quantile(TOWARDS if limit.bound > 1 else 1 - TOWARDS))
    return found if np.isfinite(found) and found > 0 else value


def _joint_mode(model: Model) -> Start:
    likelihood = laplace_of(model)
    x, _ = laplace.start(likelihood)
    fixed = likelihood.coefficients
    along, means, sds = _coefficient_priors(model)
    # from working coefficients to those the priors speak of
    speaks = along @ np.linalg.inv(likelihood.rows.R)
    x[fixed] = np.linalg.solve(speaks, np.clip(speaks @ x[fixed], means - FAR * sds, means + FAR * sds))
    prior = (np.linalg.solve(speaks, means), (speaks.T / sds**2) @ speaks)
    try:
        mode = likelihood.mode(x, free=True, prior=prior)
        curved = likelihood.curved(x, replace(mode, settled=mode.derivatives is not None))
    except np.linalg.LinAlgError:
        return _without_rows(model, likelihood, x)
    x[fixed] = mode.beta
    information = np.maximum(curved.derivatives.V, 0.0) @ (likelihood.rows.Q @ np.linalg.inv(speaks)) ** 2
    errors = np.minimum(1 / np.sqrt(np.maximum(information, 1e-300)), sds)
    return _start(model, likelihood, x, errors, *effects(likelihood, curved))


def _without_rows(model: Model, likelihood: LaplaceLikelihood, x: np.ndarray) -> Start:
    """x without a conditional mode: effects of zero, of which the rows say nothing."""
    b = tuple(np.zeros((group.n_levels, len(group.columns))) for group in model.design.groups)
    covariances = [F @ F.T for F in likelihood.theta.typed(x)]
    spread = tuple(np.tile(C, (len(each), 1, 1)) for C, each in zip(covariances, b, strict=True))
    return _start(model, likelihood, x, _coefficient_priors(model)[2], b, spread)


def _start(
    model: Model,
    likelihood: LaplaceLikelihood,
    x: np.ndarray,
    errors: np.ndarray,
    b: tuple[np.ndarray, ...],
    spread: tuple[np.ndarray, ...],
) -> Start:
    return Start(
        coefficients={"mu": likelihood.beta(x)},
        coefficient_sds={"mu": np.minimum(errors, _widest(model))},
        dispersion=likelihood.beside(x)[1],
        **stated_bars(model, likelihood.theta.typed(x), b, spread),
        scale=1.0,
    )


def _widest(model: Model) -> np.ndarray:
    """The largest spread (p,) that a start gives a coefficient, in the units of its column and of the predictor."""
    return WIDEST * effects_unit(model) / column_spreads(model.design.mu.X[model.design.used])


def _coefficient_priors(model: Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (p, p), centres and spreads (p,): A beta is what the priors speak of; a flat one has an infinite spread."""
    along = stated_rows(model.design.mu, model.design.used, model.priors)
    names = [name if name in model.priors else f"{name}_centered" for name in model.coefficients]
    shares = np.array([0.16, 0.5, 0.84])
    low, middle, high = np.array([model.priors.distribution(name).quantile(shares) for name in names]).reshape(-1, 3).T
    flat = ~np.isfinite(high - low)
    return along, np.where(flat, 0.0, middle), np.where(flat, np.inf, (high - low) / 2)
