"""How is a model fitted by MAP? Its deviance or REML criterion with a penalty, searched off the boundary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import FitError
from ...fits.point import PointFit, point_values
from ...fits.status import PointStatus, singular_terms
from ...likelihood.at import laplace_of, likelihood_of
from ...likelihood.boundary import ACCEPT
from ...likelihood.criteria.laplace_deviance import LaplaceCriterion
from ...likelihood.criteria.profiled import ProfiledCriterion
from ...likelihood.criteria.quadrature_deviance import QuadratureCriterion
from ...likelihood.criteria.with_penalty import Added, Penalised
from ...likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from ...likelihood.laplace.mode import Prior
from ...likelihood.laplace.start import starts
from ...likelihood.linear.likelihood import LinearLikelihood
from ...likelihood.penalty.penalty import Penalty
from ...likelihood.quadrature.factoring import quadrature
from ...likelihood.working.basis import root
from ..generalized.collect import Searched, broken_down, certified, collect
from ..generalized.fit import judged
from ..machine.blas import blas_threads
from ..ml import tail_columns
from ..residual import refuse_exact, with_lost_digits
from ..search.boundary_search import given_start
from ..search.optimizers import optimizer_of
from ..search.penalised import Found, minimise_penalised
from ..sigmas import fit_with_sigmas

if TYPE_CHECKING:
    from ...model import Model
    from ..map import MAP


def fit_penalised(model: Model, engine: MAP) -> PointFit:
    """See `MAP`."""
    if not model.linear:
        return _fit_generalized(model, engine)
    with blas_threads(tail_columns(model)):
        if model.has_scale:
            return _fit_linear(model, engine)
        optimizer = optimizer_of(engine.optimizer, engine.maxiter)
        return fit_with_sigmas(model, engine, engine.start, optimizer, engine.penalty(model))


def _fit_linear(model: Model, engine: MAP) -> PointFit:
    likelihood = likelihood_of(model)
    if likelihood.n <= likelihood.p:
        raise FitError(
            f"{likelihood.n} rows cannot estimate {likelihood.p} fixed effects and a residual variance.",
            topic="too-few-rows",
        )
    sigma, given = model.constants.get("sigma"), engine.start
    theta = likelihood.start(sigma) if given is None else given_start(given, likelihood.theta)
    base, rest = _linear_base(likelihood, engine.restricted, sigma, engine.penalty(model))
    added = Added(base.coordinates(), rest)
    refuse_exact(model, likelihood, theta)
    optimizer = optimizer_of(engine.optimizer, engine.maxiter)
    found = minimise_penalised(Penalised(base, added), base.start(theta), optimizer, exact=True)
    refuse_exact(model, likelihood, found.optimum.x[: likelihood.theta.size])
    return _collect(model, engine, added, base, found)


def _linear_base(
    likelihood: LinearLikelihood, reml: bool, sigma: float | None, wanted: Penalty
) -> tuple[ProfiledCriterion | SigmaCriterion, Penalty]:
    """The cheapest criterion for these priors, and those that it does not hold already."""
    if wanted.relative:
        return ProfiledCriterion(likelihood, reml, sigma), wanted
    coefficients = wanted.coefficients
    if coefficients is None:
        return SigmaCriterion(likelihood, reml, sigma, NormalPrior.none(likelihood.basis), free=False), wanted
    if coefficients.not_normal is None:
        prior = NormalPrior.of(likelihood.basis, *coefficients.normal_form())
        return SigmaCriterion(likelihood, reml, sigma, prior, free=False), wanted.flat_in(slice(None))
    if reml:
        raise FitError(
            f'criterion="reml" integrates coefficients against their priors, which must be normal or flat; that of '
            f'{coefficients.not_normal}. Use criterion="ml", or bm.priors.Normal for it.',
            topic="reml-and-priors",
        )
    return SigmaCriterion(likelihood, reml, sigma, NormalPrior.none(likelihood.basis), free=True), wanted


def _collect(
    model: Model, engine: MAP, added: Added, base: ProfiledCriterion | SigmaCriterion, found: Found
) -> PointFit:
    likelihood, x, optimum = base.likelihood, found.optimum.x, found.optimum
    solution, sigma = base.solution(x), base.residual_sd(x)
    theta = likelihood.theta.reported(x)
    terms, factors = range(len(model.design.groups)), likelihood.theta.reported_factors(theta)
    modes, spread = likelihood.modes(solution), likelihood.conditional_covariances(solution)
    b = [modes[j] for j in terms]
    singular = singular_terms(model.design.groups, factors)
    stays = found.edge is None or found.edge.slope >= ACCEPT
    status = PointStatus.of(
        optimum.converged and stays, singular, optimum.gradient, optimum.evaluations, found.edge, optimum.message
    )
    return PointFit(
        model=model,
        engine=engine,
        parameters=point_values(model, {"mu": likelihood.beta(solution)}, factors, b, {"sigma": sigma}),
        theta=theta,
        b_covariances=tuple(sigma**2 * spread[j] for j in terms),
        coefficient_root=_beta_root(added, x, sigma * likelihood.vcov_root(solution)),
        criterion=optimum.value,
        loglik=base.loglik(x),
        n_parameters=likelihood.p + likelihood.theta.size + ("sigma" not in model.constants),
        status=with_lost_digits(found.status(model, status), likelihood, x[: likelihood.theta.size], solution.rss),
    )


def _beta_root(added: Added, x: np.ndarray, conditional: np.ndarray) -> np.ndarray:
    """F (p, p), F F' the covariance of coefficients that the search moves: priors' curvature beside `conditional` F's.

    Without the prior where it curves the wrong way.
    """
    coefficients, coordinates = added.penalty.coefficients, added.coordinates
    if coefficients is None or not coordinates.basis.shape[1]:
        return conditional
    basis = coordinates.basis
    prior = coefficients.curvature(coordinates.natural(x).beta)
    half = np.linalg.solve(conditional, basis)
    total = half.T @ half + basis.T @ prior @ basis
    return basis @ root(np.linalg.inv(total)) if np.linalg.eigvalsh(total)[0] > 0 else conditional


def _fit_generalized(model: Model, engine: MAP) -> PointFit:
    if engine.criterion == "reml":
        raise FitError(
            f'criterion="reml" needs a normal response with an identity link; this model is {model.family.name} with '
            f'link {model.family.link.name}. Use criterion="ml".',
            topic="reml-is-for-normal",
        )
    if engine.quadrature == 0:
        raise FitError(
            "quadrature=0 takes coefficients at their joint mode with the effects, which knows no priors. Use "
            "quadrature=1, Laplace's approximation, or more nodes.",
            topic="options-together",
        )
    likelihood, optimizer = laplace_of(model), optimizer_of(engine.optimizer, engine.maxiter)
    added = Added(likelihood.coordinates(), engine.penalty(model))
    theta = None if engine.start is None else given_start(engine.start, likelihood.theta)
    guess = starts(likelihood, theta, _working_prior(added))
    x, base = guess.x, LaplaceCriterion(likelihood, guess.mode.u)
    try:
        found = minimise_penalised(Penalised(base, added), x, optimizer)
        for other in guess.others:
            trial = minimise_penalised(Penalised(LaplaceCriterion(likelihood), added), other, optimizer)
            found = trial if trial.optimum.value < found.optimum.value else found
        if engine.quadrature > 1 and likelihood.rows.blocks:
            x, rule = found.optimum.x, quadrature(likelihood, int(engine.quadrature))
            base = QuadratureCriterion(likelihood, base.at(x).mode.u, rule=rule)
            found = minimise_penalised(Penalised(base, added), x, optimizer)
        optimum, hessian = certified(Penalised(base, found.added), found.optimum, not optimizer.limited)
        penalised = () if added.penalty.coefficients is None else added.penalty.coefficients.proper
        ended = Searched(base, optimum, found.edge, hessian)
        fit = collect(model, engine, ended, penalised=penalised)
    except np.linalg.LinAlgError:
        return broken_down(model, engine, base, x)
    fit = replace(fit, status=found.status(model, fit.status))
    if found.unbounded:
        return fit
    endless = added.penalty.relative  # other priors hold sds or coefficients
    return judged(fit, ended, base.at(optimum.x), int(engine.quadrature), laplace=False, endless=endless)


def _working_prior(added: Added) -> Prior | None:
    """Mean (p,) and precision (p, p) of normals like the priors, in coordinates of the search; None without priors."""
    coefficients, coordinates = added.penalty.coefficients, added.coordinates
    if coefficients is None:
        return None
    rows, means, precisions = coefficients.normal_approximation()
    weighted = np.sqrt(precisions)[:, None] * (rows @ coordinates.basis)
    mean = np.linalg.lstsq(weighted, np.sqrt(precisions) * (means - rows @ coordinates.origin))[0]
    return mean, weighted.T @ weighted
