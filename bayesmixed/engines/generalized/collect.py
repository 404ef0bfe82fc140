"""Laplace's deviance as a criterion, the certificate of its optimum, and what a generalized fit reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import FitError
from ...fits.point import PointFit, point_values
from ...fits.status import PointStatus, singular_terms
from ...likelihood.boundary import ACCEPT, Direction
from ...likelihood.laplace.approximation import Curved, LaplaceLikelihood
from ...likelihood.laplace.mode import Mode
from ...likelihood.laplace.start import metric
from ...likelihood.laplace.working_response import working_deviance
from ...likelihood.linear.modes import conditional_covariances
from ...likelihood.working.basis import root
from ...likelihood.working.theta import Theta
from ..search.boundary_search import Criterion
from ..search.optimizer import Optimum
from ..search.second_look import StandIn
from .runaway import at_limits, without_maximum

if TYPE_CHECKING:
    from ...model import Model
    from ..base import Engine

DIFFERENCE = 2e-4  # of a standard error: the step of the differences that make the Hessian
LONGER = (1.0, 10.0, 30.0)  # times that, by errors from a first Hessian, where the first steps were not good
ASYMMETRIC = 1e-3  # of unit curvature: two elements that should be equal differ by more than truncation explains
SHORT, LONG = 0.1, 100.0  # times the right step (others held): rounding, or truncation, is then seen
SETTLED = 1e-7  # predicted decrease of the deviance below which no Newton step is taken

_Visited = tuple[np.ndarray, Curved]  # x and the approximation there


@dataclass
class LaplaceCriterion:
    """Laplace's deviance as a function to minimise; `u`, then the effects of a point nearby start each inner search."""

    likelihood: LaplaceLikelihood
    u: Sequence[np.ndarray] | None = None
    first: np.ndarray | None = field(default=None, repr=False)
    anchor: _Visited | None = field(default=None, repr=False)
    last: _Visited | None = field(default=None, repr=False)
    at_zero: bool = False
    lenient: bool = False  # takes a mode that did not settle: only to show where a search broke down

    def at(self, x: np.ndarray) -> Curved:
        """The quadratic approximation at x; known at the last two points."""
        near = self._nearest(x)
        if near is not None and np.array_equal(near[0], x):
            self.anchor, self.last = (self.last if near is self.anchor else self.anchor), near
            return near[1]
        mode: Mode = self.likelihood.mode(x, self.u if near is None else near[1].mode.u)
        if self.lenient:
            mode = replace(mode, settled=True)
        curved = self.likelihood.curved(x, mode)
        self.anchor, self.last = near, (x.copy(), curved)
        return curved

    def _nearest(self, x: np.ndarray) -> _Visited | None:
        """The nearer of the last two starting points: differences about one point all start there."""
        known = [point for point in (self.last, self.anchor) if point is not None]
        return min(known, key=lambda point: float(np.sum((point[0] - x) ** 2)), default=None)

    def deviance(self, x: np.ndarray, curved: Curved) -> float:
        """-2 log-likelihood at the approximation of x, every constant included."""
        return self.likelihood.deviance(curved)

    def value(self, x: np.ndarray) -> float:
        """The deviance alone; +inf where there is no mode."""
        try:
            return self.deviance(x, self.at(x))
        except np.linalg.LinAlgError:
            return np.inf

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The deviance and its exact gradient."""
        curved = self.at(x)
        return self.likelihood.deviance(curved), self.likelihood.gradient(x, curved)

    def metric(self, x: np.ndarray) -> np.ndarray:
        """The start's metric, for later points too, unless it was one at zero variances, which have none."""
        if self.first is None or self.at_zero:
            self.at_zero = len(held(self, x)) > 0
            try:
                curved = self.at(x)
                free = self.likelihood.curved(x, curved.mode, free=True)
                self.first = metric(self.likelihood, x, free, curved)
            except np.linalg.LinAlgError:
                self.first = np.eye(len(x))
        return self.first

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.likelihood.theta

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        """The deviance of the working linear model at x."""
        return working_deviance(self.likelihood, self.at(x)), 2


def certified(criterion: Criterion, optimum: Optimum, polish: bool) -> tuple[Optimum, np.ndarray]:
    """The optimum after a last Newton step, where one still pays, and the Hessian (m, m) there; bounds are held."""
    x, count = optimum.x, optimum.evaluations
    free = np.setdiff1d(np.arange(len(x)), held(criterion, x))
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
        shown = collect(model, engine, lenient, optimum, None, hessian)
        return replace(shown, status=replace(shown.status, problems=(f"The fit broke down: {reason}.",)))
    except np.linalg.LinAlgError:
        raise FitError(f"The fit broke down at its start: {reason}.") from None


def held(criterion: Criterion, x: np.ndarray) -> np.ndarray:
    """Positions of x on their bound: zero diagonal elements of Lambda, and the whole column where it is zero."""
    found: list[int] = []
    for column in criterion.theta.columns:
        if not np.any(x[column]):
            found += column
        elif x[column[0]] == 0:
            found.append(column[0])
    return np.array(found, dtype=int)


def _simpler(likelihood: LaplaceLikelihood, dispersion: Mapping[str, float]) -> list[int]:
    """Positions in x of dispersion parameters so far out that the family is a simpler one: they are at a bound."""
    limits, first = likelihood.rows.family.limits, likelihood.coefficients.stop
    return [
        first + i for i, name in enumerate(likelihood.free) if name in limits and limits[name].reached(dispersion[name])
    ]


def differenced(criterion: Criterion, x: np.ndarray, gradient: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The Hessian (m, m) by forward differences of the exact gradient in the `free` positions, zero elsewhere.

    Symmetrised; relative to one standard error the step's truncation and the inner search's error are both about 1e-4.
    Where the metric was that of a poor start, or sums so large that the gradient's rounding shows in what should be
    symmetric, steps are taken anew: by the errors that the first Hessian says, and longer ones.
    """
    steps = DIFFERENCE * np.sqrt(np.diag(criterion.metric(x)))
    rows = _slopes_of_gradient(criterion, x, gradient, free, steps)
    for longer in LONGER:
        curvatures = np.diag(rows)
        right = np.array(
            [DIFFERENCE * np.sqrt(2 / c) if c > 0 else step for c, step in zip(curvatures, steps, strict=True)]
        )
        good = (steps > SHORT * right) & (steps < LONG * right)
        if not np.all(np.isfinite(rows)) or (np.all(good[free]) and _asymmetry(rows, free) < ASYMMETRIC):
            break
        steps = longer * right
        again = _slopes_of_gradient(criterion, x, gradient, free, steps)
        rows = again if longer == 1.0 or _asymmetry(again, free) < _asymmetry(rows, free) else rows
    return 0.5 * (rows + rows.T)


def _slopes_of_gradient(
    criterion: Criterion, x: np.ndarray, gradient: np.ndarray, free: np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """Differences (m, m) of the gradient, one row per position of x that is `free`; NaN where there is no mode."""
    rows = np.zeros((len(x), len(x)))
    for i in free:
        moved = x.copy()
        moved[i] += steps[i]
        try:
            rows[i, free] = (criterion.value_and_gradient(moved)[1] - gradient)[free] / (moved[i] - x[i])
        except np.linalg.LinAlgError:
            rows[i, free] = np.nan
    return rows


def _asymmetry(rows: np.ndarray, free: np.ndarray) -> float:
    """The largest difference of two elements that should be equal, relative to unit curvature."""
    part = rows[np.ix_(free, free)]
    sizes = np.sqrt(np.abs(np.diag(part)))
    units = np.outer(sizes, sizes)
    return float(np.max(np.abs(part - part.T)[units > 0] / units[units > 0], initial=0.0))


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


def covariance(hessian: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Covariance (m, m) of the estimates, 2 H^-1 with parameters on their bound held; NaN unless H is positive."""
    found = np.zeros_like(hessian)
    part = hessian[np.ix_(free, free)]
    try:
        np.linalg.cholesky(part)  # where it is no maximum there are no standard errors
        inverse = np.linalg.inv(part) if len(free) else part
    except np.linalg.LinAlgError:
        inverse = np.full_like(part, np.nan)
    found[np.ix_(free, free)] = 2 * inverse
    return found


def collect(
    model: Model,
    engine: Engine,
    criterion: LaplaceCriterion,
    optimum: Optimum,
    edge: Direction | None,
    hessian: np.ndarray,
    curved: Curved | None = None,
    penalised: Collection[str] = (),
) -> PointFit:
    """What a fit reports at the optimum, where the approximation may be known already.

    `penalised` names the coefficients with priors.
    """
    likelihood, x = criterion.likelihood, optimum.x
    curved = criterion.at(x) if curved is None else curved
    theta, dispersion = likelihood.theta.reported(x), likelihood.beside(x)[1]
    factors = likelihood.theta.factors(theta)
    b, spread = effects(likelihood, curved)
    free = np.setdiff1d(np.arange(len(x)), [*held(criterion, x), *_simpler(likelihood, dispersion)])
    eigenvalues = (
        np.linalg.eigvalsh(hessian[np.ix_(free, free)]) if np.all(np.isfinite(hessian)) else np.array([np.nan])
    )
    stays, curved_up = edge is None or edge.slope >= ACCEPT, bool(np.all(eigenvalues > 0))
    status = PointStatus.of(
        optimum.converged and stays and curved_up,
        singular_terms(model.design.groups, [F / likelihood.rows.unit for F in factors]),
        optimum.gradient[free] if len(free) else optimum.gradient,
        optimum.evaluations,
        edge,
        optimum.message if curved_up or criterion.lenient else "the Hessian has a direction without curvature",
        eigenvalues,
    )
    beta, beta_root = likelihood.beta(x), _user_root(likelihood, covariance(hessian, free))
    return PointFit(
        model=model,
        engine=engine,
        parameters=point_values(model, beta, factors, b, dispersion),
        theta=theta,
        b_covariances=spread,
        beta_root=beta_root,
        criterion=optimum.value,
        loglik=-0.5 * criterion.deviance(x, curved),
        n_parameters=len(x),
        status=at_limits(without_maximum(status, model, beta, beta_root @ beta_root.T, penalised), model, dispersion),
    )


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
