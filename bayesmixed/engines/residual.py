"""Do the data hold a residual: a response that effects explain exactly has a likelihood without bound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FitError
from ..fits.status import PointStatus
from ..likelihood.linear.likelihood import LinearLikelihood
from ..messages import Told

if TYPE_CHECKING:
    from ..model import Model

EXACT = 50.0  # of the response's last digits: sums of a few columns round by less, any residual in the data is more
ROUGH = 1e4  # of the same: what is left then has fewer than four digits
RESOLVED = 1e-9  # of the response's sum of squares: a residual that cross-products hold to six digits


def refuse_exact(model: Model, likelihood: LinearLikelihood, theta: np.ndarray) -> None:
    """Stop where effects explain every row up to rounding; asked at a working theta that a search came to.

    Raises
    ------
    FitError
        With what explains the response, and what to do.
    """
    if "sigma" in model.constants or not likelihood.is_far(theta) or not likelihood.nearly_exact:
        return
    turned = likelihood.turned
    if turned is None or turned.spare <= 0 or turned.left > EXACT * turned.rounding:
        return
    raise FitError(
        f"{_what(model)}, so that the residual sd is zero and the likelihood grows without bound. Where rows are "
        "copies of each other, keep one of each (data.drop_duplicates()) and leave out the term that then has one row "
        "per level; where the response was rounded or averaged over rows, use the values as measured; where its error "
        'is known, say so: constants={"sigma": ...}.',
        topic="no-residual",
    )


def with_lost_digits(status: PointStatus, likelihood: LinearLikelihood, theta: np.ndarray, rss: float) -> PointStatus:
    """The state of a fit at a working theta whose residual is near the last digits of the arithmetic."""
    turned = likelihood.turned if likelihood.is_far(theta) else None
    if turned is None and rss < RESOLVED * likelihood.gram.ww[-1, -1]:
        problem = (
            "The residual is so small beside the effects that its size is lost in rounding, and the model has too many "
            "effects for the slower arithmetic that would keep it: sds and standard errors are rough. Fit the means "
            "of the levels of the largest grouping factor instead."
        )
        return replace(status, converged=False, problems=(Told("lost-digits", problem), *status.problems))
    if turned is not None and likelihood.nearly_exact and turned.spare > 0 and turned.left < ROUGH * turned.rounding:
        digits = max(int(np.log10(turned.left / turned.rounding)), 0)
        problem = (
            f"The response, whose values are rounded to 16 digits, holds about {digits} digits of the residual: the "
            "residual sd and what is divided by it are no better. Subtract a constant from the response before it is "
            "stored, or store differences."
        )
        return replace(status, problems=(Told("lost-digits", problem), *status.problems))
    return status


def _what(model: Model) -> str:
    """What explains the response, in words."""
    response = model.design.response
    assert response is not None  # a model without a response is not fitted
    used, y = model.design.used, response.y
    for term in model.design.mu.groups:
        codes, values = term.codes[used], y[used]
        low, high = (np.full(term.n_levels, sign * np.inf) for sign in (1, -1))
        np.minimum.at(low, codes, values)
        np.maximum.at(high, codes, values)
        if np.all(low >= high):
            return f"The response {response.name} does not vary within the levels of {term.factor}"
    terms = " and ".join(dict.fromkeys(term.text for term in model.design.mu.groups))
    return f"Fixed effects and {terms} explain the response {response.name} exactly in every row"
