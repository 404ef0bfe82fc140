"""What does a variance at zero cost or save: how fast does the criterion rise as the direction begins to vary?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..covariance import Covariance
from ..engines.generalized import LaplaceCriterion
from ..engines.optimize import minimise
from ..engines.search import Criterion
from ..fits.point import PointFit
from ..likelihood.at import laplace_of, likelihood_of
from ..likelihood.at_sigma import NormalPrior, SigmaCriterion
from .directions import Direction

RISES = (1.0, 3.84)  # of the deviance: one standard error, and the 95 % limit of a profile
CLOSE = 0.01  # relative error of a rise at which the search for its sd stops
STEP = 1e-6  # of the differences of a change of coordinates
FIRST, FARTHEST = 0.05, 1e4  # sds of a working (unit mean square) column: where to begin, where to give up


@dataclass(frozen=True)
class Rise:
    """A point of the profile.

    `sd` of the column (absolute), where others determine it of what they leave; `rise` of the deviance or REML
    criterion; the bar's `sds` (k,) and `corr` (k, k) there.
    """

    sd: float
    rise: float
    sds: np.ndarray
    corr: np.ndarray


def profile(fit: PointFit, direction: Direction) -> tuple[Rise, ...]:
    """The sds at which the deviance (or REML criterion) has risen by 1 and by 3.84.

    A column with sd zero: its sd. A column that others determine: the sd of its effects given those of all others,
    the last diagonal element of Lambda with that column as the last. Everything else is re-maximised, in a
    generalized model by Laplace. Empty where the fit maximised something else (MAP), or where the covariance structure
    does not survive a change of columns.
    """
    if fit.engine.name not in ("ml", "reml"):
        return ()
    if fit.model.covariances[direction.term].invariance not in ("linear", "scaling"):
        return ()
    held = _held(fit, direction)
    found = (held.reach(target) for target in RISES)
    return tuple(rise for rise in found if rise is not None)


@dataclass(frozen=True)
class _Held:
    """A criterion whose x has, for one bar, the factor of its columns in another order: one element of it is held.

    `order` lists the columns: with the column of interest first its sd is the first element of theta, with that
    column last its sd given all others is the last. `position` is that element's in x. `basis` (k, k) turns a factor
    of the working columns into one of the user's, `scale` is what relative sds are multiplied by at x, the exponential
    of x's last element, up to a factor, where that is `free_scale`.
    """

    criterion: Criterion
    x: np.ndarray
    where: slice
    structure: Covariance
    order: list[int]
    position: int
    basis: np.ndarray
    scale: Callable[[np.ndarray], float]
    free_scale: bool

    @cached_property
    def mix(self) -> np.ndarray:
        """From the working columns to the user's in the new order."""
        return self.basis[self.order]

    @cached_property
    def back(self) -> np.ndarray:
        """From the user's columns in the new order to the working ones."""
        return np.linalg.inv(self.mix)

    @cached_property
    def unit(self) -> float:
        """The sd that working effects as large as the residual sd give the element held."""
        k = len(self.order)
        factor = self.structure.factor(self.structure.theta(self.mix), k)
        return self.scale(self.x) * float(factor[0, 0] if self.position == self.where.start else factor[-1, -1])

    @cached_property
    def lowest(self) -> float:
        """The criterion on the boundary."""
        return self.criterion.value(self.x)

    def working(self, y: np.ndarray) -> np.ndarray:
        """x of the criterion."""
        x = y.copy()
        x[self.where] = self.structure.theta(self.back @ self.structure.factor(y[self.where], len(self.mix)))
        return x

    def mixed(self, x: np.ndarray) -> np.ndarray:
        """y of x."""
        y = x.copy()
        y[self.where] = self.structure.theta(self.mix @ self.structure.factor(x[self.where], len(self.mix)))
        return y

    def slopes(self, y: np.ndarray) -> np.ndarray:
        """d x / d y (m, m), by differences of the change of columns alone."""
        J = np.eye(len(y))
        for i in range(self.where.start, self.where.stop):
            ends = []
            for sign in (1, -1):
                moved = y.copy()
                moved[i] += sign * STEP
                ends.append(self.working(moved))
            J[:, i] = (ends[0] - ends[1]) / (2 * STEP)
        return J

    def minimum(self, sd: float, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The least criterion with the direction held at an sd, and its y, searched from `y`."""
        free = np.delete(np.arange(len(y)), self.position)

        def full(z: np.ndarray) -> np.ndarray:
            whole = y.copy()
            whole[free] = z
            whole[self.position] = sd / self.scale(whole)
            return whole

        def function(z: np.ndarray) -> tuple[float, np.ndarray]:
            whole = full(z)
            value, gradient = self.criterion.value_and_gradient(self.working(whole))
            slopes = self.slopes(whole).T @ gradient
            if self.free_scale:  # the element held is relative to it
                slopes[-1] -= slopes[self.position] * whole[self.position]
            return value, slopes[free]

        optimum = minimise(function, y[free], metric=self._metric(full(y[free]), free))
        return optimum.value, full(optimum.x)

    def reach(self, target: float) -> Rise | None:
        """The sd at which the criterion has risen by `target`; None where it never does.

        The square root of a rise is nearly linear in the sd, so that a secant needs few steps.
        """
        goal, y = np.sqrt(target), self.mixed(self.x)
        low, high, t = (0.0, 0.0), None, FIRST * self.unit
        for _ in range(30):
            value, y = self.minimum(t, y)
            rise = max(value - self.lowest, 0.0)
            if abs(rise - target) <= CLOSE * target:
                return self._rise(y, rise)
            root = float(np.sqrt(rise))
            low, high = ((t, root), high) if root < goal else (low, (t, root))
            if high is None:
                t *= float(np.clip(goal / max(root, 1e-6), 1.1, 8.0))
            else:
                t = low[0] + (high[0] - low[0]) * (goal - low[1]) / (high[1] - low[1])
            if t > FARTHEST * self.unit:
                return None
        return None

    def _metric(self, y: np.ndarray, free: np.ndarray) -> np.ndarray:
        """A guess of the inverse curvature in the free elements."""
        J = self.slopes(y)
        curvature = (J.T @ np.linalg.pinv(self.criterion.metric(self.working(y))) @ J)[np.ix_(free, free)]
        values, vectors = np.linalg.eigh(0.5 * (curvature + curvature.T))
        values = np.maximum(values, 1e-6 * np.max(values, initial=1e-6))
        inverse = (vectors / values) @ vectors.T
        return 0.5 * (inverse + inverse.T)

    def _rise(self, y: np.ndarray, rise: float) -> Rise:
        x = self.working(y)
        scale = self.scale(x)
        F = scale * self.basis @ self.structure.factor(x[self.where], len(self.mix))
        sds = np.linalg.norm(F, axis=1)
        unit = F / np.where(sds > 0, sds, 1.0)[:, None]
        return Rise(scale * float(y[self.position]), rise, sds, unit @ unit.T)


def _held(fit: PointFit, direction: Direction) -> _Held:
    j = direction.term
    criterion, x, bases, scale, free = _linear(fit) if fit.model.has_scale else _generalized(fit)
    structure, k = criterion.structures()[j]
    where, others = criterion.slices()[j], [i for i in range(k) if i != direction.column]
    if direction.is_zero:
        order, position = [direction.column, *others], where.start
    else:
        order, position = [*others, direction.column], where.stop - 1
    return _Held(criterion, x, where, structure, order, position, bases[j], scale, free)


_Parts = tuple[Criterion, np.ndarray, tuple[np.ndarray, ...], Callable[[np.ndarray], float], bool]


def _linear(fit: PointFit) -> _Parts:
    likelihood, sigma = likelihood_of(fit.model), fit.model.constants.get("sigma")
    flat = NormalPrior.none(likelihood)
    criterion = SigmaCriterion(likelihood, fit.engine.name == "reml", sigma, flat, free=False)
    x = criterion.start(likelihood.working(fit.theta))
    return criterion, x, likelihood.term_bases, criterion.residual_sd, sigma is None


def _generalized(fit: PointFit) -> _Parts:
    likelihood = laplace_of(fit.model)
    x = likelihood.joined(likelihood.working(fit.theta), fit.beta, fit.dispersion)
    return LaplaceCriterion(likelihood), x, likelihood.rows.term_bases, lambda x: 1.0, False
