"""What verbs that need a maximum take: a point fit, and what they answer to anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import FitError, brief
from .base import is_fit

if TYPE_CHECKING:
    from .point import PointFit


def maximised(fit: Any, verb: str, of_draws: str) -> PointFit:
    """The fit, if it has one value per parameter.

    Raises
    ------
    FitError
        For what is no fit, with the call that `verb` takes, and for draws, with the sentences `of_draws`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> maximised(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")), "influence", "")
    Traceback (most recent call last):
    bayesmixed.errors.FitError: influence takes a fit, not a model: bm.influence(model.fit("ml")).
    """
    if hasattr(fit, "with_response"):
        raise FitError(f'{verb} takes a fit, not a model: bm.{verb}(model.fit("ml")).', topic="needs-a-fit")
    if not is_fit(fit):
        raise FitError(f'{verb} takes a fit, such as model.fit("ml"), not {brief(fit)}.', topic="needs-a-fit")
    if fit.sampled:
        raise FitError(of_draws, topic="needs-a-maximum")
    found: PointFit = fit
    return found
