"""What a linear fit reports at the optimum of its profiled criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..fits.point import PointFit, point_values
from ..fits.status import PointStatus, singular_terms
from ..likelihood.boundary import ACCEPT, Direction
from ..likelihood.criteria.profiled import ProfiledCriterion
from .residual import with_lost_digits
from .search.optimizer import Optimum

if TYPE_CHECKING:
    from ..model import Model
    from .base import Engine


def collect(
    model: Model, engine: Engine, criterion: ProfiledCriterion, optimum: Optimum, edge: Direction | None
) -> PointFit:
    """The fit at an optimum, whose worst direction on the boundary is `edge`."""
    likelihood, solution, sigma = criterion.likelihood, criterion.solution(optimum.x), criterion.residual_sd(optimum.x)
    theta = likelihood.theta.reported(optimum.x)
    factors = likelihood.theta.reported_factors(theta)
    modes = likelihood.modes(solution)
    b = [modes[j] for j in range(len(factors))]
    spread = likelihood.conditional_covariances(solution)
    singular = singular_terms(model.design.groups, factors)
    stays = edge is None or edge.slope >= ACCEPT
    status = PointStatus.of(
        optimum.converged and stays, singular, optimum.gradient, optimum.evaluations, edge, optimum.message
    )
    return PointFit(
        model=model,
        engine=engine,
        parameters=point_values(model, {"mu": likelihood.beta(solution)}, factors, b, {"sigma": sigma}),
        theta=theta,
        b_covariances=tuple(sigma**2 * spread[j] for j in range(len(factors))),
        coefficient_root=sigma * likelihood.vcov_root(solution),
        criterion=optimum.value,
        loglik=-0.5 * optimum.value,
        n_parameters=likelihood.p + likelihood.theta.size + (criterion.sigma is None),
        status=with_lost_digits(status, likelihood, optimum.x, solution.rss),
    )
