"""The rows to predict: those of the fit, or a new table encoded with the fit's levels and transforms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..formula.design import Design, Predictor

if TYPE_CHECKING:
    from ..model import Model


def encode(
    model: Model,
    newdata: Any,
    *,
    unseen: str,
    offset: Any,
    weights: Any,
    need_weights: bool,
    factors: Collection[str] | None = None,
) -> Design:
    """The model's own design where `newdata` is None, else the new rows; offsets and weights as given for them.

    Weights matter only to new responses: where these are not asked for, the new table need not have them, nor
    the columns of grouping factors outside `factors`.
    """
    if newdata is None and offset is None and weights is None:
        return model.design
    if newdata is None:
        newdata = model.frame
    if weights is None and not need_weights and model.design.weights is not None:
        weights = 1.0
    return model.design.encoding.apply(newdata, unseen=unseen, offset=offset, weights=weights, factors=factors)


def take_rows(design: Design, rows: slice | np.ndarray) -> Design:
    """A design of some of the rows."""
    return replace(
        design,
        response=None,
        predictors={name: _take_predictor(value, rows) for name, value in design.predictors.items()},
        groups=tuple(replace(term, codes=term.codes[rows], Z=term.Z[rows]) for term in design.groups),
        weights=None if design.weights is None else design.weights[rows],
        index=design.index[rows],
    )


def _take_predictor(predictor: Predictor, rows: slice | np.ndarray) -> Predictor:
    return replace(predictor, X=predictor.X[rows], offset=predictor.offset[rows])
