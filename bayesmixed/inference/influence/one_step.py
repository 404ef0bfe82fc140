"""The estimates without each set of rows by one step: variances in their ratios are held, nothing is fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ...design.design import Design
from ...engines.machine.blas import blas_threads
from ...engines.ml import tail_columns
from ...errors import FitError
from ...families import observed
from ...fits.point import PointFit
from ...fits.tables import scalar_table
from ...likelihood.left_out import LeftOut, Shares, apart, entangled, singly
from ...parameters.predicted import predicted
from ..bootstrap.parameters import estimates
from .left_rows import LeftRows, is_apart
from .without import Without

WORK = 2e10  # rows cubed, summed over sets: about a minute


def one_step(fit: PointFit, rows: LeftRows) -> Without:
    """What the estimates become without each set of rows.

    Raises
    ------
    FitError
        Where effects are shared between sets that are too large for it.
    """
    shares = _shares(fit)
    if not is_apart(fit.model.design, rows) and not rows.single:
        _refuse_work(rows)
    with blas_threads(tail_columns(fit.model)):
        found = _left_out(fit, rows, shares)
    scale = _scale(fit, rows, found) if _frees_sigma(fit) else np.ones(len(rows.members))
    moved = np.linalg.lstsq(shares.root, found.shift.T, rcond=None)[0].T if shares.root.size else found.shift
    step = np.sum(moved**2, axis=1)
    ratio = np.sqrt(found.variances / np.sum(shares.root**2, axis=1)) * scale[:, None]
    every = np.sqrt(np.diag(fit.coefficient_covariance))
    se = np.tile(every, (len(ratio), 1))
    se[:, : ratio.shape[1]] *= ratio
    undetermined = np.isnan(found.shift).any(axis=1)
    reasons = {int(i): "a coefficient is undetermined without it" for i in np.flatnonzero(undetermined)}
    return Without(_values(fit, found, scale), se, _fall(fit, step, scale), reasons)


def _left_out(fit: PointFit, rows: LeftRows, shares: Shares) -> LeftOut:
    design, errors = fit.model.design, fit.prediction_errors
    terms = list(range(len(design.groups)))
    if is_apart(design, rows):
        return apart(shares, rows.members)
    if rows.single:
        each = np.concatenate(rows.members)
        return singly(shares.take(each), fit.leverage()[each])
    return entangled(shares, rows.members, lambda at: errors.covariance(_rows_of(design, at), terms))


def _rows_of(design: Design, at: np.ndarray) -> Design:
    """The main predictor of some rows."""
    return replace(design, predictors={"mu": design.mu.take(at)})


def _refuse_work(rows: LeftRows) -> None:
    sizes = rows.sizes.astype(float)
    if np.sum(sizes**3) > WORK:
        raise FitError(
            f"by={rows.name!r}: levels share effects with others, and one step without one takes its rows cubed, of "
            f"which the largest has {int(sizes.max()):,}. Use refit=True.",
            topic="too-many-refits",
        )


def _shares(fit: PointFit) -> Shares:
    model, design, errors = fit.model, fit.model.design, fit.prediction_errors
    terms = list(range(len(design.groups)))
    root = errors.coefficient_root
    B = errors.with_coefficients(design, terms)
    weight = np.ones(design.n_rows) if errors.precision is None else errors.precision
    weight = weight / errors.sigma**2
    used, score, marginal = design.used, np.zeros(design.n_rows), np.zeros(design.n_rows)
    eta, dispersion = predicted(model.family, design, fit.parameters).at(used).single()
    score[used] = model.family.derivatives(observed(design, used), eta, dispersion, 1).g
    effects = design.eta(fit.parameters)["mu"][0] - design.eta(fit.parameters, ())["mu"][0]
    marginal[used] = score[used] / weight[used] + effects[used]
    turned = np.linalg.solve(root, B.T).T if root.size else B
    return Shares(design.mu.X @ root, turned, weight, score, marginal, root)


def _frees_sigma(fit: PointFit) -> bool:
    """Whether sigma is estimated beside the ratios, and by the likelihood alone."""
    return fit.model.has_scale and "sigma" in fit.model.free and not fit.engine.regularised


def _scale(fit: PointFit, rows: LeftRows, found: LeftOut) -> np.ndarray:
    """sigma (L,) without each set, over that of the fit: the one that maximises the criterion at these ratios."""
    df = fit.n_obs - (len(fit.beta) if fit.engine.restricted else 0)
    left = df - rows.sizes
    with np.errstate(invalid="ignore", divide="ignore"):
        scale: np.ndarray = np.sqrt(np.maximum(df - found.loss, 0.0) / left)
    return np.where(left > 0, scale, np.nan)


def _fall(fit: PointFit, step: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """By how much the log-likelihood of all rows is lower (L,) at the estimates without each set.

    With sigma free exactly, by ML d'C^-1 d = `step` from beta and the rest from sigma; else by its second derivative.
    """
    if not _frees_sigma(fit):
        return 0.5 * step
    restricted = fit.engine.restricted
    df = fit.n_obs - (len(fit.beta) if restricted else 0)
    rss = df if restricted else df + step
    return 0.5 * (2 * df * np.log(scale) + rss / scale**2 - df)


def _values(fit: PointFit, found: LeftOut, scale: np.ndarray) -> pd.DataFrame:
    """Every parameter (L, names): coefficients of the mean are shifted, what has sigma's unit scaled."""
    known = estimates(fit)
    table = scalar_table(fit.model.design, fit.parameters).set_index("label")
    values = np.tile(known.to_numpy(), (len(scale), 1))
    names = list(known.index)
    values[:, : found.shift.shape[1]] += found.shift
    scaled = [i for i, name in enumerate(names) if table.loc[name, "kind"] in ("sd", "dispersion")]
    if _frees_sigma(fit):
        values[:, scaled] *= scale[:, None]
    values[np.isnan(found.shift).any(axis=1)] = np.nan
    return pd.DataFrame(values, columns=names)
