"""What was observed, on the scale of the mean that curves and bands have, and what to call it on an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import FitError
from ...prediction.responses import location
from ..drawing import theme

if TYPE_CHECKING:
    from ...model import Model


def observed_means(model: Model) -> np.ndarray:
    """Responses (n,) of the rows used; shares where they are successes out of trials, NaN out of none.

    Raises
    ------
    FitError
        For a model without a response.
    """
    design = model.design
    if design.response is None:
        raise FitError(
            "There is nothing to draw: the model has no response. Build it from a table that has one.",
            topic="no-response",
        )
    if design.trials is None:
        return design.response.y
    return np.divide(design.response.y, design.trials, out=np.full(design.n_rows, np.nan), where=design.trials > 0)


def at_offset(model: Model, y: np.ndarray, offset: float) -> np.ndarray:
    """Responses y (n,) moved on the link scale from their own offsets to one: of counts the rate times an exposure.

    NaN where the link does not reach: a negative response and a log link.
    """
    family = model.family
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        on_link = family.link.forward(family.normalised(y)) + (offset - model.design.mu.offset)
        moved = location(family, on_link)
    return family.mean(moved, {"sigma": 0.0}) if family.normal_conditional else moved


def response_axis(model: Model) -> str:
    r"""What an axis of responses and their means says: the name, for successes what they are shares of.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    >>> response_axis(bm.Model(formula, bm.load_data("cbpp"), family="binomial"))
    'cbind(incidence, size - incidence)\n(share of trials)'
    """
    response = model.design.response
    if response is None:
        return "response"
    if model.design.trials is not None:
        return theme.short(response.name, 40) + ("" if response.proportion else "\n(share of trials)")
    if model.family.binary:
        return f"P({theme.short(response.name)} = {1 if response.levels is None else response.levels[1]})"
    return theme.short(response.name, 40)


def link_scale(model: Model) -> str:
    """What an axis of coefficients adds to their name: nothing for an identity link, else e.g. " (logit scale)"."""
    scale = model.family.scale
    return "" if scale == "identity" else f" ({scale} scale)"
