"""ML with another number of nodes than Laplace's one: adaptive quadrature, and the joint mode of lme4's nAGQ = 0."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...fits.point import PointFit
from ...likelihood.at import laplace_of
from ...likelihood.criteria.joint_mode import JointCriterion
from ...likelihood.criteria.laplace_deviance import LaplaceCriterion
from ...likelihood.criteria.quadrature_deviance import QuadratureCriterion
from ...likelihood.laplace.approximation import Curved
from ...likelihood.laplace.start import Starts, starts
from ...likelihood.quadrature.factoring import quadrature
from ..search.boundary_search import given_start, search
from ..search.optimizer import Optimizer, Optimum
from .accuracy import accuracy, checked
from .collect import Searched, broken_down, certified, collect
from .growing import growing

if TYPE_CHECKING:
    from ...model import Model
    from ..base import Engine


def integrated(found: Searched, nodes: int, optimizer: Optimizer) -> Searched:
    """The optimum with `nodes` a dimension, searched from Laplace's with its Hessian as the metric.

    Raises
    ------
    FitError
        Where the integral does not factor.
    """
    likelihood, x = found.criterion.likelihood, found.optimum.x
    if not likelihood.rows.blocks:  # nothing to integrate
        return found
    rule = quadrature(likelihood, nodes)
    criterion = QuadratureCriterion(likelihood, found.criterion.at(x).mode.u, _metric(found), rule=rule)
    optimum, edge = search(criterion, x, optimizer)
    optimum, hessian = certified(criterion, optimum, not optimizer.limited)
    return Searched(criterion, optimum, edge, hessian)


def _metric(found: Searched) -> np.ndarray:
    """The inverse of Laplace's Hessian; the start's metric for what is held there or where it is not definite."""
    metric = found.criterion.metric(found.optimum.x).copy()
    free = np.setdiff1d(np.arange(len(metric)), found.criterion.theta.on_bound(found.optimum.x))
    part = found.hessian[np.ix_(free, free)]
    if np.all(np.isfinite(part)) and len(free) and np.linalg.eigvalsh(part)[0] > 0:
        inverse = np.linalg.inv(part)
        metric[free] = metric[:, free] = 0.0
        metric[np.ix_(free, free)] = 0.5 * (inverse + inverse.T)
    return metric


def joint(criterion: LaplaceCriterion, x: np.ndarray, optimizer: Optimizer) -> Searched:
    """The optimum of quadrature = 0 from x; coefficients have the precision U of their joint mode, as lme4's."""
    likelihood = criterion.likelihood
    outer = np.delete(np.arange(len(x)), likelihood.coefficients)
    first, u = criterion.metric(x)[np.ix_(outer, outer)], criterion.at(x).mode.u
    inner = JointCriterion(likelihood, u, likelihood.beside(x)[0], first)
    optimum, edge = search(inner, x[outer], optimizer)
    optimum, hessian = certified(inner, optimum, not optimizer.limited)
    x, curved = inner.at(optimum.x)
    full, gradient = np.zeros((len(x), len(x))), np.zeros(len(x))
    full[np.ix_(outer, outer)], gradient[outer] = hessian, optimum.gradient
    fixed = likelihood.coefficients
    U_inverse = likelihood.curved(x, curved.mode, free=True).solution.U_inverse
    full[fixed, fixed] = 2 * np.linalg.inv(U_inverse)
    there = Optimum(x, optimum.value, gradient, optimum.decrease, optimum.evaluations, optimum.message)
    return Searched(LaplaceCriterion(likelihood, curved.mode.u), there, edge, full)


def fit_generalized(
    model: Model,
    engine: Engine,
    nodes: int,
    start: Sequence[float] | None,
    optimizer: Optimizer,
) -> PointFit:
    """ML of a generalized linear mixed model with `nodes` a dimension, and what a fit reports."""
    likelihood = laplace_of(model)
    given = None if start is None else given_start(start, likelihood.theta)
    guess = starts(likelihood, given)
    x, criterion = guess.x, LaplaceCriterion(likelihood, guess.mode.u)
    try:
        found = _best(criterion, guess, nodes, optimizer)
    except np.linalg.LinAlgError:
        return broken_down(model, engine, criterion, x)
    curved = found.criterion.at(found.optimum.x)
    return judged(collect(model, engine, found, curved), found, curved, nodes)


def judged(
    fit: PointFit, found: Searched, curved: Curved, nodes: int, *, laplace: bool = True, endless: bool = True
) -> PointFit:
    """The fit with a status that says how good its integral with `nodes` is, and whether its likelihood has a maximum.

    `laplace` and `endless`: whether to ask this of one node, and whether anything could hold sds but the likelihood.
    """
    likelihood, x, hessian = found.criterion.likelihood, found.optimum.x, found.hessian
    status, evaluations = fit.status, fit.status.evaluations
    if likelihood.rows.blocks and nodes > 1:
        better = checked(likelihood, x, curved, hessian, nodes, evaluations)
        status = status if better is None else better.added(status)
    elif nodes == 1 and laplace:
        assessed = accuracy(likelihood, x, curved, hessian, evaluations)
        status = status if assessed is None else assessed.added(status)
    terms = growing(fit.model, likelihood, x) if endless else None
    return replace(fit, status=status if terms is None else terms.added(status))


def _best(criterion: LaplaceCriterion, guess: Starts, nodes: int, optimizer: Optimizer) -> Searched:
    """The lowest minimum that the starts lead to; evaluations are all of theirs."""
    found = [_searched(criterion, guess.x, nodes, optimizer)]
    for x in guess.others:
        with suppress(np.linalg.LinAlgError):  # another start may lead nowhere
            found.append(_searched(LaplaceCriterion(criterion.likelihood), x, nodes, optimizer))
    best = min(found, key=lambda each: each.optimum.value)
    total = sum(each.optimum.evaluations for each in found)
    return replace(best, optimum=replace(best.optimum, evaluations=total))


def _searched(criterion: LaplaceCriterion, x: np.ndarray, nodes: int, optimizer: Optimizer) -> Searched:
    if nodes == 0:
        return joint(criterion, x, optimizer)
    optimum, edge = search(criterion, x, optimizer)
    optimum, hessian = certified(criterion, optimum, not optimizer.limited)
    found = Searched(criterion, optimum, edge, hessian)
    return integrated(found, nodes, optimizer) if nodes > 1 else found
