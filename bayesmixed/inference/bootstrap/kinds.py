"""Which ways there are to draw replicates of a fit, and what to do instead where one cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import FitError, nearest
from ...fits.point import PointFit
from ..replicates.redraw import Parametric, Redraw
from .residual import Reflated
from .wild import Wild


@dataclass(frozen=True)
class Options:
    """What belongs to some kinds alone: which effects are drawn anew, and which levels are resampled."""

    re: str = "new"
    resample: Mapping[str, bool] | None = None


def redraw(fit: PointFit, kind: str, options: Options) -> Redraw:
    """How responses of a fit are drawn.

    Raises
    ------
    FitError
        An unknown kind, or one that the model does not allow, with the alternative.
    """
    if not isinstance(kind, str) or kind not in (*RESPONSES, *REFUSED):
        raise FitError(
            f"kind={kind!r} is no bootstrap here. {nearest(str(kind), (*RESPONSES, 'case'))}", topic="bootstrap-kind"
        )
    if kind in REFUSED:
        raise FitError(REFUSED[kind], topic="bootstrap-kind")
    if options.re not in ("new", "all"):
        raise FitError(
            f're={options.re!r} is not an option. Use "new" (effects drawn anew) or "all" (held).',
            topic="bootstrap-kind",
        )
    if kind != "parametric" and options.re != "new":
        raise FitError(
            f're="all" holds effects, which a {kind} bootstrap draws: use kind="parametric".', topic="bootstrap-kind"
        )
    if options.resample is not None:
        raise FitError(
            f'resample= says which levels a case bootstrap draws: leave it out of kind="{kind}".',
            topic="bootstrap-kind",
        )
    return RESPONSES[kind](fit, options)


def _parametric(fit: PointFit, options: Options) -> Redraw:
    return Parametric(fit, options.re == "new")


def _residual(fit: PointFit, options: Options) -> Redraw:
    _refuse_generalized(fit, "residual")
    return Reflated.of(fit)


def _wild(fit: PointFit, options: Options) -> Redraw:
    _refuse_generalized(fit, "wild")
    return Wild.of(fit)


def _refuse_generalized(fit: PointFit, kind: str) -> None:
    """A generalized model has no residuals to exchange; nor has a lognormal on the scale of its response."""
    model = fit.model
    response = model.design.response
    assert response is not None  # fitted
    if model.has_scale and np.array_equal(model.family.normalised(response.y), response.y):
        return
    if model.linear and model.has_scale:
        raise FitError(
            f'kind="{kind}" is for responses that are normal as they are: write the logarithm on the left side, '
            '"log(y) ~ ...", or use kind="parametric".',
            topic="bootstrap-kind",
        )
    why = (
        "sigma has a predictor" if model.linear else f"residuals of the {model.family.name} family are not exchangeable"
    )
    raise FitError(
        f'kind="{kind}" is for linear mixed models with one sigma; here {why}. Use kind="parametric".',
        topic="bootstrap-kind",
    )


RESPONSES: dict[str, Callable[[PointFit, Options], Redraw]] = {
    "parametric": _parametric,
    "residual": _residual,
    "wild": _wild,
}
REFUSED: dict[str, str] = {
    "reb": 'The random effect block bootstrap is not offered: use kind="residual", which draws effects and residuals '
    "reflated to their estimates.",
}
