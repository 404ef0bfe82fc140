"""The certificate of an optimum of a generalized model's deviance, and what its fit reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import FitError
from ...fits.point import PointFit, point_values
from ...fits.status import PointStatus, Singularity, singular_terms
from ...likelihood.boundary import ACCEPT, Direction
from ...likelihood.criteria.criterion import Criterion
from ...likelihood.criteria.hessian import Curvature, differenced
from ...likelihood.criteria.laplace_deviance import LaplaceCriterion
from ...likelihood.laplace.approximation import Curved, LaplaceLikelihood
from ...likelihood.linear.modes import conditional_covariances
from ...likelihood.working.basis import root
from ...messages import Told
from ..search.optimizer import Optimum
from .runaway import at_limits, without_maximum

if TYPE_CHECKING:
    from ...model import Model
    from ..base import Engine

SETTLED = 1e-7  # predicted decrease of the deviance below which no Newton step is taken


@dataclass(frozen=True)
class Searched:
    """A criterion, where its search ended, the worst direction on the boundary and the Hessian (m, m)."""

    criterion: LaplaceCriterion
    optimum: Optimum
    edge: Direction | None
    hessian: np.ndarray


def certified(criterion: Criterion, optimum: Optimum, polish: bool) -> tuple[Optimum, np.ndarray]:
    """The optimum after a last Newton step, where one still pays, and the Hessian (m, m) there; bounds are held."""
    x, count = optimum.x, optimum.evaluations
    free = np.setdiff1d(np.arange(len(x)), criterion.theta.on_bound(x))
    _, gradient = criterion.value_and_gradient(x)  # again, so that the inner searches of the differences start there
    hessian = differenced(criterion, x, gradient, free)
    count += len(free) + 1
    step, decrease = _newton(hessian, optimum.gradient, free)
    if polish and decrease > SETTLED:
        try:
            value, gradient = criterion.value_and_gradient(x + step)
        except np.linalg.LinAlgError:
            value, gradient = np.inf, optimum.gradient
        count += 1
        if value <= optimum.value + 1e-9 * (1 + abs(optimum.value)):
            x, optimum = x + step, Optimum(x + step, value, gradient, decrease, count, optimum.message)
            _, decrease = _newton(hessian, gradient, free)
    return Optimum(x, optimum.value, optimum.gradient, decrease, count, optimum.message), hessian


def broken_down(model: Model, engine: Engine, criterion: LaplaceCriterion, x: np.ndarray) -> PointFit:
    """The start as a fit that says it did not converge: no conditional mode was found.

    Raises
    ------
    FitError
        Where not even the start can be shown.
    """
    link = model.family.link.name
    reason = (
        f"no conditional mode inside the domain of the {link} link: the likelihood rises towards its edge. "
        f"Another link has none, such as {model.family.links[0]!r}"
    )
    gradient, hessian = np.full(len(x), np.nan), np.full((len(x), len(x)), np.nan)
    lenient = LaplaceCriterion(criterion.likelihood, criterion.u, lenient=True)
    try:
        optimum = Optimum(x, lenient.value(x), gradient, np.inf, 1, reason)
        shown = collect(model, engine, Searched(lenient, optimum, None, hessian))
        return replace(
            shown, status=replace(shown.status, problems=(Told("broke-down", f"The fit broke down: {reason}."),))
        )
    except np.linalg.LinAlgError:
        raise FitError(f"The fit broke down at its start: {reason}.", topic="broke-down") from None


def _simpler(likelihood: LaplaceLikelihood, dispersion: Mapping[str, float]) -> list[int]:
    """Positions in x of dispersion parameters so far out that the family is a simpler one: they are at a bound."""
    limits, first = likelihood.rows.family.limits, likelihood.coefficients.stop
    return [
        first + i for i, name in enumerate(likelihood.free) if name in limits and limits[name].reached(dispersion[name])
    ]


def _newton(hessian: np.ndarray, gradient: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
    """The Newton step (m,) and the decrease it predicts; directions without curvature are left out."""
    step = np.zeros(len(gradient))
    part = hessian[np.ix_(free, free)]
    if not len(free) or not np.all(np.isfinite(part)):
        return step, 0.0 if not len(free) else np.inf
    scale = np.sqrt(np.maximum(np.abs(np.diag(part)), 1e-300))
    values, vectors = np.linalg.eigh(part / np.outer(scale, scale))
    kept = values > 1e-7
    along = vectors[:, kept].T @ (gradient[free] / scale)
    step[free] = -(vectors[:, kept] / values[kept]) @ along / scale
    return step, 0.5 * float(np.sum(along**2 / values[kept]))


def collect(
    model: Model,
    engine: Engine,
    found: Searched,
    curved: Curved | None = None,
    penalised: Collection[str] = (),
) -> PointFit:
    """What a fit reports at the optimum, where the approximation may be known already.

    `penalised` names the coefficients with priors.
    """
    criterion, optimum, edge = found.criterion, found.optimum, found.edge
    likelihood, x = criterion.likelihood, optimum.x
    curved = criterion.at(x) if curved is None else curved
    theta, dispersion = likelihood.theta.reported(x), likelihood.beside(x)[1]
    factors = likelihood.theta.reported_factors(theta)
    b, spread = effects(likelihood, curved)
    free = np.setdiff1d(np.arange(len(x)), [*likelihood.theta.on_bound(x), *_simpler(likelihood, dispersion)])
    curvature = Curvature(x, found.hessian, free)
    singular = singular_terms(model.design.groups, [F / likelihood.rows.unit for F in factors])
    status = status_of(optimum, edge, curvature, singular, lenient=criterion.lenient)
    beta, beta_root = likelihood.beta(x), _user_root(likelihood, curvature.covariance)
    return PointFit(
        model=model,
        engine=engine,
        parameters=point_values(model, {"mu": beta}, factors, b, dispersion),
        theta=theta,
        b_covariances=spread,
        coefficient_root=beta_root,
        criterion=optimum.value,
        loglik=-0.5 * criterion.deviance(x, curved),
        n_parameters=len(x),
        curvature=curvature,
        status=at_limits(without_maximum(status, model, beta, beta_root @ beta_root.T, penalised), model, dispersion),
    )


def status_of(
    optimum: Optimum, edge: Direction | None, curvature: Curvature, singular: Singularity, *, lenient: bool = False
) -> PointStatus:
    """The state of a fit whose Hessian is known; `lenient` keeps the search's own message where it has a flat side."""
    eigenvalues, free = curvature.eigenvalues, curvature.free
    stays, curved_up = edge is None or edge.slope >= ACCEPT, bool(np.all(eigenvalues > 0))
    status = PointStatus.of(
        optimum.converged and stays and curved_up,
        singular,
        optimum.gradient[free] if len(free) else optimum.gradient,
        optimum.evaluations,
        edge,
        optimum.message if curved_up or lenient else "the Hessian has a direction without curvature",
    )
    return replace(status, hessian_eigenvalues=tuple(float(value) for value in eigenvalues))


def effects(likelihood: LaplaceLikelihood, curved: Curved) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Modes (L, k) and conditional covariances (L, k, k) of each group term in the user's columns."""
    rows = likelihood.rows
    found = conditional_covariances(curved.gram, curved.solution)
    modes: dict[int, np.ndarray] = {}
    spread: dict[int, np.ndarray] = {}
    for i, block in enumerate(rows.blocks):
        for j, columns in zip(block.terms, block.slices, strict=True):
            C = rows.theta.bases[j]
            modes[j] = curved.mode.b[i][:, columns] @ C.T
            spread[j] = C @ found[i][:, columns, columns] @ C.T
    order = range(len(rows.theta.bases))
    return tuple(modes[j] for j in order), tuple(spread[j] for j in order)


def _user_root(likelihood: LaplaceLikelihood, full: np.ndarray) -> np.ndarray:
    """F (p, p) in the user's columns with F F' the coefficients' part of a covariance of all parameters."""
    fixed = likelihood.coefficients
    if not likelihood.p:
        return full[fixed, fixed]
    return np.linalg.solve(likelihood.rows.R, root(full[fixed, fixed]))
