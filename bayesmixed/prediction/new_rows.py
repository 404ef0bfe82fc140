"""The rows to predict: those of the fit, or a new table encoded with the fit's levels and transforms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..design.design import Design
from ..design.table import column_names, tabled
from ..errors import BayesMixedWarning, FitError, warn

if TYPE_CHECKING:
    from ..model import Model


def encode(
    model: Model,
    newdata: Any,
    *,
    unseen: str,
    offset: Any,
    weights: Any,
    trials: Any = None,
    observed: bool,
    factors: Collection[str] | None = None,
    parameters: Collection[str] = (),
) -> Design:
    """The model's own design where `newdata` is None, else the new rows; offsets, weights and trials as given for them.

    Precision weights and trials matter only to new responses (`observed`): where these are not asked for, the new
    table need not have them, nor the columns of grouping factors outside `factors`, nor those of predictors of other
    parameters than the mean and `parameters`.
    """
    if trials is not None and not model.family.takes_trials:
        raise FitError(
            f"Responses of the {model.family.name} family are not out of trials: leave out trials=.", topic="trials"
        )
    if newdata is None and offset is None and weights is None and trials is None:
        return model.design
    newdata = tabled(newdata)
    if newdata is None:
        newdata = model.frame
        trials = model.design.trials if trials is None else trials
    if weights is None and not (observed and model.family.weights == "precision") and model.design.weights is not None:
        weights = 1.0
    if trials is None and observed:
        trials = _unknown_trials(model, newdata)
    encoding = model.design.encoding if observed else model.design.encoding.of_parameters(parameters)
    return encoding.apply(newdata, unseen=unseen, offset=offset, weights=weights, trials=trials, factors=factors)


def _unknown_trials(model: Model, newdata: Any) -> float | None:
    """1, with a note, where the model's responses were out of trials and the new rows do not say how many."""
    encoding = model.design.encoding
    if model.design.trials is None or encoding.knows_trials(column_names(newdata)):
        return None
    text = "an array" if encoding.trials is None or encoding.trials.text is None else repr(encoding.trials.text)
    told = BayesMixedWarning(
        f"The new rows do not say out of how many trials (in the fit: {text}): each has one. Give trials=, a column, "
        "an array or a number.",
        topic="trials",
    )
    warn(told)
    return 1.0


def responses_per_row(model: Model) -> np.ndarray:
    """How many responses each row (n,) stands for: frequency weights count, precisions do not, and zero is none."""
    weights = model.design.weights
    if weights is None or model.family.weights != "frequency":
        return model.design.used.astype(float)
    return np.asarray(weights, dtype=float)


def mean_inverse_weight(model: Model) -> float:
    """The mean of 1 / w over the rows used, w precision weights: what a residual variance of weight 1 is times.

    One where weights are none or count rows.
    """
    weights = model.design.weights
    if weights is None or model.family.weights != "precision":
        return 1.0
    return float(np.mean(1 / weights[model.design.used]))


def take_rows(design: Design, rows: slice | np.ndarray) -> Design:
    """A design of some of the rows."""
    return replace(
        design,
        response=None,
        predictors={name: predictor.take(rows) for name, predictor in design.predictors.items()},
        weights=None if design.weights is None else design.weights[rows],
        trials=None if design.trials is None else design.trials[rows],
        index=design.index[rows],
    )
