"""ML, REML and MAP of linear models whose sigma has a predictor: exact, standard errors from the full Hessian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular

from ..errors import FitError
from ..fits.point import PointFit, point_values
from ..fits.status import PointStatus, singular_terms
from ..likelihood.at import heteroscedastic_of, likelihood_of
from ..likelihood.criteria.criterion import Criterion
from ..likelihood.criteria.hessian import Curvature
from ..likelihood.criteria.with_penalty import Added, Penalised
from ..likelihood.criteria.with_sigma import NormalPrior
from ..likelihood.criteria.with_sigmas import SigmasCriterion
from ..likelihood.linear.heteroscedastic import Heteroscedastic
from ..likelihood.penalty.penalty import Penalty
from ..likelihood.working.basis import root
from ..messages import Told
from .generalized.collect import certified, status_of
from .search.boundary_search import given_start, search
from .search.optimizer import Optimizer
from .search.penalised import Found, minimise_penalised

if TYPE_CHECKING:
    from ..model import Model
    from .base import Engine

STEP = 1e-3  # of a standard error: of the differences that say how coefficients move with the rest
VANISHED = 1e-7  # of the response's spread: an sd below it is on its way to zero
VANISHING = 1e-3  # the same, where the search did not end


def fit_with_sigmas(
    model: Model,
    engine: Engine,
    start: Sequence[float] | None,
    optimizer: Optimizer,
    penalty: Penalty | None = None,
) -> PointFit:
    """Minimise the deviance or REML criterion, with a penalty where there is one, and collect what a fit reports.

    Raises
    ------
    FitError
        Fewer rows than coefficients of mean and sigma; for a restricted likelihood priors of the mean's coefficients
        that are neither normal nor flat.
    """
    rows = heteroscedastic_of(model)
    needed = rows.p + rows.S.shape[1]
    if rows.n <= needed:
        raise FitError(
            f"{rows.n} rows cannot estimate {needed} coefficients of the mean and of sigma.", topic="too-few-rows"
        )
    base, rest = _base(rows, model.design.places["mu"], engine.restricted, penalty)
    first = base.start(*_start(model, rows, start))
    criterion: Criterion = base
    if penalty is None:
        optimum, edge = search(base, first, optimizer)
        found = Found(optimum, edge, (), (), Added(base.coordinates(), rest))
    else:
        penalised = Penalised(base, Added(base.coordinates(), rest))
        found = minimise_penalised(penalised, first, optimizer, exact=True)
        criterion = Penalised(base, found.added)
    optimum, hessian = certified(criterion, found.optimum, not optimizer.limited)
    free = np.setdiff1d(np.arange(len(optimum.x)), base.theta.on_bound(optimum.x))
    return _collect(model, engine, base, replace(found, optimum=optimum), Curvature(optimum.x, hessian, free))


def _base(rows: Heteroscedastic, mean: slice, reml: bool, wanted: Penalty | None) -> tuple[SigmasCriterion, Penalty]:
    """The cheapest criterion for these priors, and those that it does not hold already."""
    flat, wanted = NormalPrior.none(rows.basis), wanted or Penalty(())
    coefficients = None if wanted.coefficients is None else wanted.coefficients.within(mean)
    if coefficients is None:
        return SigmasCriterion(rows, reml, flat, free=False), wanted
    if coefficients.not_normal is None:
        prior = NormalPrior.of(rows.basis, *coefficients.normal_form())
        return SigmasCriterion(rows, reml, prior, free=False), wanted.flat_in(mean)
    if reml:
        raise FitError(
            f'criterion="reml" integrates coefficients against their priors, which must be normal or flat; that of '
            f'{coefficients.not_normal}. Use criterion="ml", or bm.priors.Normal for it.',
            topic="reml-and-priors",
        )
    return SigmasCriterion(rows, reml, flat, free=True), wanted


def _start(model: Model, rows: Heteroscedastic, given: Sequence[float] | None) -> tuple[np.ndarray, float]:
    """A working theta and one sigma for all rows: the moments' of the model without a predictor of sigma."""
    plain = likelihood_of(model)
    theta = plain.start()
    sigma = max(plain.sigma(plain.solve(theta), reml=False), VANISHED * rows.rows.unit)
    if given is not None:
        return given_start(given, rows.rows.theta), sigma
    factors = [sigma * F for F in plain.theta.typed(theta)]
    return rows.rows.theta.working(rows.rows.theta.reported_of(factors)), sigma


def _collect(model: Model, engine: Engine, base: SigmasCriterion, found: Found, curvature: Curvature) -> PointFit:
    x, optimum, rows = found.optimum.x, found.optimum, base.rows
    likelihood, solution = base.at(x), base.solution(x)
    theta = likelihood.theta.reported(x)
    factors, terms = likelihood.theta.reported_factors(theta), range(len(model.design.groups))
    modes, spread = likelihood.modes(solution), likelihood.conditional_covariances(solution)
    gamma = rows.gamma(base.g(x))
    coefficients = {"mu": likelihood.beta(solution), "sigma": gamma}
    return PointFit(
        model=model,
        engine=engine,
        parameters=point_values(model, coefficients, factors, [modes[j] for j in terms], {}),
        theta=theta,
        b_covariances=tuple(spread[j] for j in terms),
        coefficient_root=_root(base, x, curvature.covariance),
        criterion=optimum.value,
        loglik=base.loglik(x),
        n_parameters=likelihood.p + likelihood.theta.size + len(gamma),
        curvature=curvature,
        status=found.status(model, _status(model, base, found, curvature)),
    )


def _status(model: Model, base: SigmasCriterion, found: Found, curvature: Curvature) -> PointStatus:
    optimum, rows = found.optimum, base.rows
    reported = base.theta.reported_factors(base.theta.reported(optimum.x))
    singular = singular_terms(model.design.groups, [F / rows.rows.unit for F in reported])
    status = status_of(optimum, found.edge, curvature, singular)
    sds = rows.sds(base.g(optimum.x))
    if np.min(sds) > (VANISHED if status.converged else VANISHING) * rows.rows.unit:
        return status
    at = model.design.index[np.flatnonzero(model.design.used)[int(np.argmin(sds))]]
    problem = (
        f"The sd of some rows goes to zero, in row {at} first: effects and coefficients explain them exactly, and the "
        "likelihood grows without bound. Leave out of the formula of sigma what tells those rows from others, or give "
        'its coefficients priors: bm.MAP(priors="model").'
    )
    return replace(status, converged=False, problems=(Told("no-residual", problem), *status.problems))


def _root(base: SigmasCriterion, x: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """F (P, .) with F F' the covariance of the coefficients of all predictors; `spread` (m, m) is that of x.

    Coefficients of the mean that x does not hold have their own given x, and move with x.
    """
    rows, coordinates, half = base.rows, base.coordinates(), root(spread)
    if not np.all(np.isfinite(half)):
        return np.full((len(coordinates.origin), len(x)), np.nan)
    moved = coordinates.basis @ half[coordinates.coefficients]
    if base.free or not rows.p:
        return moved
    try:
        moving = _slopes_of_means(base, x, STEP * np.sqrt(np.diag(spread)))
    except np.linalg.LinAlgError:  # rows whose sd has all but vanished
        return np.full_like(moved, np.nan)
    moved[: rows.p] = solve_triangular(rows.basis.R, moving @ half)
    given = np.zeros((len(moved), rows.p))
    given[: rows.p] = base.at(x).vcov_root(base.solution(x))
    return np.column_stack([given, moved])


def _slopes_of_means(base: SigmasCriterion, x: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """How the mean's coefficients (p, m), in the working basis, move with x, by central differences of `steps` (m,)."""
    moving = np.zeros((base.rows.p, len(x)))
    for i in np.flatnonzero(steps > 0):
        step = np.zeros(len(x))
        step[i] = steps[i]
        ends = [base.solution(x + sign * step).beta for sign in (1, -1)]
        moving[:, i] = (ends[0] - ends[1]) / (2 * step[i])
    return moving
