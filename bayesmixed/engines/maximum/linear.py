"""How is a linear model fitted by ML or REML? A profiled criterion, exact gradient, boundary points checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import FitError
from ...likelihood.at import likelihood_of
from ...likelihood.criteria.profiled import ProfiledCriterion
from ..machine.blas import blas_threads
from ..ml import tail_columns
from ..profiled import collect
from ..residual import refuse_exact
from ..search.boundary_search import given_start, search
from ..sigmas import fit_with_sigmas

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from ...model import Model
    from ..base import Engine
    from ..search.optimizer import Optimizer


def fit_linear(model: Model, engine: Engine, start: Sequence[float] | None, optimizer: Optimizer) -> PointFit:
    """Minimise the deviance or REML criterion and collect what a fit reports."""
    if not model.linear:
        raise FitError(
            f"{engine.label} needs a normal response with an identity link; this model is {model.family.name} with "
            f'link {model.family.link.name}. Use model.fit("ml").',
            topic="reml-is-for-normal",
        )
    with blas_threads(tail_columns(model)):
        if not model.has_scale:
            return fit_with_sigmas(model, engine, start, optimizer)
        return _fit_linear(model, engine, start, optimizer)


def _fit_linear(model: Model, engine: Engine, start: Sequence[float] | None, optimizer: Optimizer) -> PointFit:
    likelihood = likelihood_of(model)
    if likelihood.n <= likelihood.p:
        raise FitError(
            f"{likelihood.n} rows cannot estimate {likelihood.p} fixed effects and a residual variance.",
            topic="too-few-rows",
        )
    criterion = ProfiledCriterion(likelihood, engine.restricted, model.constants.get("sigma"))
    sigma = criterion.sigma
    first = likelihood.start(sigma) if start is None else given_start(start, likelihood.theta)
    refuse_exact(model, likelihood, first)
    optimum, edge = search(criterion, first, optimizer)
    refuse_exact(model, likelihood, optimum.x)
    return collect(model, engine, criterion, optimum, edge)
