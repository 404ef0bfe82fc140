"""Fits whose estimates are the parameters that a user states: what responses are drawn from, where searches start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...covariance import CORRELATION
from ...engines.refits.alone import fitted
from ...errors import FitError
from ...likelihood.working.theta import Theta
from ...model import Model
from ...parameters.names import term_names
from ...parameters.values import Parameters
from ...prediction.stated import stated
from ..replicates.redraw import Parametric

if TYPE_CHECKING:
    from ...engines.base import Engine
    from ...fits.point import PointFit

TRIES = 20  # responses that may say nothing of the parameters, such as zeros alone
BESIDE = 2**32 - 1  # the child of the seed that no replicate has


def named_params(fit: PointFit) -> dict[str, Any]:
    """The estimates of a fit by the names that `bm.simulate` takes."""
    model, values = fit.model, fit.parameters
    found: dict[str, Any] = dict(zip(model.design.coefficients, map(float, values.stacked[0, 0]), strict=True))
    for j, (names, structure) in enumerate(zip(term_names(model.design), model.covariances, strict=True)):
        block = values.block(j, structure)
        found |= {name: float(sd) for name, sd in zip(names.sds, block.sds[0, 0], strict=True)}
        for name, shape, value in zip(names.shapes, names.free.shapes, block.shapes, strict=True):
            told = np.asarray(shape.stated(value))[0, 0]
            matrix = shape.support == CORRELATION
            found[name] = np.where(np.eye(len(told)) == 1, 1.0, np.nan_to_num(told)) if matrix else float(told)
    return found | fit.dispersion


@dataclass(frozen=True, eq=False)
class Stated:
    """A model with stated values of its parameters."""

    model: Model
    parameters: Parameters


def state(model: Model, params: Mapping[str, Any]) -> Stated:
    """The model with `params`, what it holds constant among them.

    Raises
    ------
    ModelError
        Parameters that are missing (with the whole dict), unknown or impossible.
    """
    given = dict(model.constants) | dict(params) if isinstance(params, Mapping) else params
    return Stated(model, stated(model.design, model.family, given))


def truths(at: Stated, models: Sequence[Model], engine: Engine, seed: int) -> list[PointFit]:
    """Fits of each of `models`, the first of which is that of `at`, whose values then replace the estimates.

    All are of the same response, one drawn from `at`, and have its theta: that is where searches start.

    Raises
    ------
    FitError
        Where no response of them can be fitted.
    """
    theta, redraw = _theta(at), Parametric(at)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(BESIDE,)))
    for _ in range(TRIES):
        y = redraw.responses([rng])[0]
        fits = [fitted(model, y, engine) for model in models]
        found = [replace(fit, theta=theta) for fit in fits if fit is not None]
        if len(found) == len(models):
            return [replace(found[0], parameters=at.parameters), *found[1:]]
    raise FitError(
        f"{TRIES} responses were drawn from params, and {at.model.formula.line} could be fitted to none of them: are "
        "the parameters on the scale of the linear predictor, and is the design large enough?",
        topic="replicates-failed",
    )


def _theta(at: Stated) -> np.ndarray:
    """theta as fits report it."""
    model, values = at.model, at.parameters
    s = values.mean_dispersion()["sigma"] if model.has_scale else 1.0
    groups = model.design.groups
    layout = Theta.of(groups, model.covariances, [np.eye(term.Z.shape[1]) for term in groups])
    return layout.reported_of([values.factor(j)[0, 0] / s for j in range(len(groups))])
