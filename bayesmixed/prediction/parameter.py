"""Predictions of one parameter of the response distribution, such as the sigma of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from ..errors import FitError, nearest
from ..parameters.values import Parameters
from .predict import PredictionRequest
from .quantiles import equal_tailed

if TYPE_CHECKING:
    from ..model import Model


def predict_parameter(
    model: Model,
    parameters: Parameters,
    root: np.ndarray | None,
    request: PredictionRequest,
    interval: str | None,
    level: float,
) -> pd.DataFrame:
    """The parameter besides the mean that a request names, at its rows: as `Fit.predict`, without random effects.

    `root` is F (p, .) with F F' the covariance of its coefficients; None for fits whose draws carry it.
    """
    request.check("response", "link")
    name = request.parameter or ""
    if name not in model.family.dispersion:
        raise FitError(
            f"parameter={name!r} is none of this model's. {nearest(name, ('mu', *model.family.dispersion))}",
            topic="no-such-parameter",
        )
    if interval == "prediction":
        raise FitError(
            f'interval="prediction" is of new responses: leave out parameter={name!r}, or ask "confidence".',
            topic="options-together",
        )
    design = request.design(model, [], observed=False)
    link = model.family.parameter(name).link
    flat, predictor = parameters.flat(), design.predictors.get(name)
    if predictor is None:
        eta = np.broadcast_to(link.forward(flat.dispersion[name].reshape(-1, 1)), (flat.n_draws, design.n_rows))
    else:
        eta = design.eta(flat, ())[name]
    shown = eta if request.scale == "link" else link.inverse(eta)
    table = {"estimate": shown.mean(axis=0)}
    if interval == "confidence" and root is None:
        table["lower"], table["upper"] = equal_tailed(shown, level)
    elif interval == "confidence":
        if predictor is None:
            raise FitError(
                f"This fit has no standard error of {name}, which is one number for all rows: ask a fit with draws, "
                f'model.fit("nuts", seed=1), or give it a predictor, bm.Formula(..., "{name} ~ 1").',
                topic="no-standard-errors",
            )
        half = scipy.special.ndtri(0.5 + level / 2) * np.linalg.norm(predictor.X @ root, axis=1)
        ends = np.stack([eta[0] - half, eta[0] + half])
        table["lower"], table["upper"] = ends if request.scale == "link" else np.sort(link.inverse(ends), axis=0)
    return pd.DataFrame(table, index=design.index)
