"""ML of generalized linear mixed models: Laplace's deviance minimised over theta, beta and dispersion together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..covariance import Covariance
from ..fits.point import PointFit
from ..fits.status import PointStatus, singular_terms
from ..likelihood.at import laplace_of
from ..likelihood.boundary import ACCEPT, Direction
from ..likelihood.effects import conditional_covariances
from ..likelihood.laplace.likelihood import Curved, LaplaceLikelihood
from ..likelihood.laplace.mode import Mode
from ..likelihood.laplace.start import metric, start
from .optimize import Optimum
from .search import given_start, search

if TYPE_CHECKING:
    from ..model import Model
    from .base import Engine

DIFFERENCE = 1e-3  # of a standard error: the step of the differences that make the Hessian
SETTLED = 1e-7  # predicted decrease of the deviance below which no Newton step is taken


@dataclass
class LaplaceCriterion:
    """Laplace's deviance as a function to minimise; the effects of the last evaluation are the next one's start."""

    likelihood: LaplaceLikelihood
    u: Sequence[np.ndarray] | None = None
    first: np.ndarray | None = field(default=None, repr=False)
    middle: tuple[np.ndarray, Sequence[np.ndarray]] | None = field(default=None, repr=False)
    last: tuple[np.ndarray, Sequence[np.ndarray]] | None = field(default=None, repr=False)
    paired: bool = False

    def at(self, x: np.ndarray) -> Curved:
        """The quadratic approximation at x."""
        mirrored = self.middle is not None and self.last is not None and _opposite(x, self.middle[0], self.last[0])
        mode: Mode = self.likelihood.mode(x, self._start(mirrored))
        curved = self.likelihood.curved(x, mode)
        if not mirrored and not self.paired:
            self.middle = self.last
        self.paired, self.last, self.u = mirrored, (x.copy(), mode.u), mode.u
        return curved

    def _start(self, mirrored: bool) -> Sequence[np.ndarray] | None:
        """Effects to start from: on the far side of the middle they move as much the other way, to first order."""
        if self.middle is None or self.last is None:
            return self.u
        if mirrored:
            return [2 * m - u for m, u in zip(self.middle[1], self.last[1], strict=True)]
        return self.middle[1] if self.paired else self.last[1]

    def value(self, x: np.ndarray) -> float:
        """The deviance alone; +inf where there is no mode."""
        try:
            return self.likelihood.deviance(self.at(x))
        except np.linalg.LinAlgError:
            return np.inf

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The deviance and its exact gradient."""
        curved = self.at(x)
        return self.likelihood.deviance(curved), self.likelihood.gradient(x, curved)

    def metric(self, x: np.ndarray) -> np.ndarray:
        """The start's metric, for every start: later ones are near."""
        if self.first is None:
            try:
                mode = self.likelihood.mode(x, self.u)
                gradient = self.likelihood.gradient(x, self.likelihood.curved(x, mode))
                free = self.likelihood.curved(x, mode, free=True)
                self.first = metric(self.likelihood, x, free, gradient)
            except np.linalg.LinAlgError:
                self.first = np.eye(len(x))
        return self.first

    def slices(self) -> dict[int, slice]:
        """Where each group term's parameters are in x."""
        return self.likelihood.slices()

    def columns(self) -> list[list[int]]:
        """Positions in x of each column of each Lambda."""
        return self.likelihood.columns()

    def structures(self) -> dict[int, tuple[Covariance, int]]:
        """Covariance structure and number of columns of each group term."""
        return self.likelihood.structures()


def _opposite(x: np.ndarray, middle: np.ndarray, last: np.ndarray) -> bool:
    """Whether x mirrors the last point about the one in the middle, as central differences do."""
    step = float(np.max(np.abs(last - middle), initial=0.0))
    return step > 0 and bool(np.max(np.abs(x + last - 2 * middle)) < 1e-6 * step)


def fit_generalized(
    model: Model,
    engine: Engine,
    *,
    start_theta: Sequence[float] | None,
    optimizer: str | None,
    maxiter: int | None,
) -> PointFit:
    """Laplace's ML and what a fit reports."""
    likelihood = laplace_of(model)
    given = None if start_theta is None else likelihood.working(given_start(start_theta, likelihood.n_theta))
    x, mode = start(likelihood, given)
    criterion = LaplaceCriterion(likelihood, mode.u)
    optimum, edge = search(criterion, x, optimizer, maxiter)
    optimum, hessian = certified(criterion, optimum, maxiter is None)
    return collect(model, engine, criterion, optimum, edge, hessian)


def certified(criterion: LaplaceCriterion, optimum: Optimum, polish: bool) -> tuple[Optimum, np.ndarray]:
    """The optimum after a last Newton step, where one still pays, and the Hessian (m, m) there; bounds are held."""
    x, count = optimum.x, optimum.evaluations
    free = np.setdiff1d(np.arange(len(x)), held(criterion, x))
    hessian = differenced(criterion, x, free)
    count += 2 * len(free)
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


def held(criterion: LaplaceCriterion, x: np.ndarray) -> np.ndarray:
    """Positions of x on their bound: zero diagonal elements of Lambda, and the whole column where it is zero."""
    found: list[int] = []
    for column in criterion.columns():
        if not np.any(x[column]):
            found += column
        elif x[column[0]] == 0:
            found.append(column[0])
    return np.array(found, dtype=int)


def differenced(criterion: LaplaceCriterion, x: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The Hessian (m, m) by central differences of the gradient in the `free` positions, zero elsewhere."""
    hessian = np.zeros((len(x), len(x)))
    scale = np.sqrt(np.maximum(np.diag(criterion.metric(x)), 1e-12))
    criterion.value_and_gradient(x)  # where differences start from
    for i in free:
        h = DIFFERENCE * scale[i]
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * h
            try:
                ends.append(criterion.value_and_gradient(moved)[1])
            except np.linalg.LinAlgError:
                ends.append(np.full(len(x), np.nan))
        hessian[i] = (ends[0] - ends[1]) / (2 * h)
    kept = np.zeros((len(x), len(x)))
    kept[np.ix_(free, free)] = 0.5 * (hessian + hessian.T)[np.ix_(free, free)]
    return kept


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
    """Covariance (m, m) of the estimates, 2 H^-1 with parameters on their bound held; NaN where H has no inverse."""
    found = np.zeros_like(hessian)
    part = hessian[np.ix_(free, free)]
    try:
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
) -> PointFit:
    """What a fit reports at the optimum."""
    likelihood, x = criterion.likelihood, optimum.x
    curved = criterion.at(x)
    parts, _, dispersion = likelihood.split(x)
    rows = likelihood.rows
    factors = tuple(
        rows.term_bases[j] @ likelihood.covariances[j].factor(parts[j], len(rows.term_bases[j]))
        for j in range(len(rows.term_bases))
    )
    factors = tuple(c.factor(c.theta(F), len(F)) for c, F in zip(likelihood.covariances, factors, strict=True))
    b, spread = effects(likelihood, curved)
    free = np.setdiff1d(np.arange(len(x)), held(criterion, x))
    eigenvalues = (
        np.linalg.eigvalsh(hessian[np.ix_(free, free)]) if np.all(np.isfinite(hessian)) else np.array([np.nan])
    )
    proved = edge is None or edge.slope >= ACCEPT
    curved_up = bool(np.all(eigenvalues > 0))
    return PointFit(
        model=model,
        engine=engine,
        beta=likelihood.beta(x),
        theta=likelihood.reported(x[: likelihood.n_theta]),
        dispersion=dispersion,
        factors=factors,
        b=b,
        b_covariances=spread,
        beta_covariance=_user_covariance(likelihood, covariance(hessian, free)),
        criterion=optimum.value,
        loglik=-0.5 * likelihood.deviance(curved),
        n_parameters=len(x),
        status=PointStatus.of(
            optimum.converged and proved and curved_up,
            singular_terms(model.design.groups, factors),
            optimum.gradient[free],
            optimum.evaluations,
            edge,
            optimum.message if curved_up else "the Hessian has a direction without curvature",
            eigenvalues,
        ),
    )


def effects(likelihood: LaplaceLikelihood, curved: Curved) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Modes (L, k) and conditional covariances (L, k, k) of each group term in the user's columns."""
    rows = likelihood.rows
    found = conditional_covariances(curved.gram, curved.solution)
    modes: dict[int, np.ndarray] = {}
    spread: dict[int, np.ndarray] = {}
    for i, block in enumerate(rows.blocks):
        for j, columns in zip(block.terms, block.slices, strict=True):
            C = rows.term_bases[j]
            modes[j] = curved.mode.b[i][:, columns] @ C.T
            spread[j] = C @ found[i][:, columns, columns] @ C.T
    order = range(len(rows.term_bases))
    return tuple(modes[j] for j in order), tuple(spread[j] for j in order)


def _user_covariance(likelihood: LaplaceLikelihood, full: np.ndarray) -> np.ndarray:
    fixed = slice(likelihood.n_theta, likelihood.n_theta + likelihood.p)
    if not likelihood.p:
        return full[fixed, fixed]
    half = np.linalg.solve(likelihood.rows.R, full[fixed, fixed])
    return np.linalg.solve(likelihood.rows.R, half.T).T
