"""What does a variance at zero cost or save: how fast does the criterion rise as the direction begins to vary?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...engines.search.nearby import nearby
from ...fits.point import PointFit
from ...likelihood.at import heteroscedastic_of, laplace_of, likelihood_of
from ...likelihood.criteria.criterion import Criterion
from ...likelihood.criteria.laplace_deviance import LaplaceCriterion
from ...likelihood.criteria.turned import Turned
from ...likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from ...likelihood.criteria.with_sigmas import SigmasCriterion
from ..diagnosis.work import Work
from .null_directions import NullDirection

# of the deviance: one standard error, and the 95 % limit of a profile; from an estimate at zero, where half of the
# statistics are zero, the latter is about a one-sided limit of 97.5 %
RISES = (1.0, 3.84)
CLOSE = 0.01  # relative error of a rise at which the search for its sd stops
SETTLED = 1e-3  # predicted decrease of the deviance at which a minimum is taken: a tenth of what CLOSE lets a rise err
SECANTS, FASTEST = (
    30,
    8.0,
)  # of a search of one rise: its steps, and the largest factor of one while nothing is above it
NEXT = 1.8  # times an sd: about where the rise is 3.84 times as large
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


def profile(fit: PointFit, direction: NullDirection, work: Work | None = None) -> tuple[Rise, ...]:
    """The sds at which the deviance (or REML criterion) has risen by 1 and by 3.84.

    A column with sd zero: its sd. A column that others determine: the sd of its effects given those of all others, the
    last diagonal element of Lambda with that column as the last. Everything else is re-maximised, in a generalized
    model by Laplace. `work` limits the evaluations: what it does not reach is left out. Empty where the fit maximised
    something else (MAP), or where the covariance structure does not survive a change of columns.
    """
    if fit.engine.regularised:
        return ()
    if fit.model.covariances[direction.term].invariance not in ("linear", "scaling"):
        return ()
    held = _held(fit, direction, Work() if work is None else work)
    return tuple(held.rises(RISES))


@dataclass(frozen=True)
class _Held:
    """A criterion in the user's columns of one bar in another order, with one element held.

    With the column of interest first its sd is the first element of theta, with that column last its sd given all
    others is the last. `position` is that element's in y, `x` the estimates in the columns of `turned.base`; `scale` is
    what relative sds are multiplied by at x, the exponential of x's last element, up to a factor, where that is
    `free_scale`.
    """

    turned: Turned
    x: np.ndarray
    position: int
    scale: Callable[[np.ndarray], float]
    free_scale: bool
    work: Work

    @cached_property
    def unit(self) -> float:
        """The sd that working effects as large as the residual sd give the element held."""
        j, theta = self.turned.term, self.turned.theta
        factor = theta.factor(theta.replaced(self.x, j, self.turned.A), j)
        first = self.position == theta.slices[j].start
        return self.scale(self.x) * float(factor[0, 0] if first else factor[-1, -1])

    @cached_property
    def lowest(self) -> float:
        """The criterion on the boundary."""
        return self.turned.base.value(self.x)

    def function(self, sd: float, z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The criterion with the direction held at an sd and the rest at z, its gradient in z, and the whole y."""
        whole = y.copy()
        whole[self.free] = z
        whole[self.position] = sd / self.scale(whole)
        self.work.count()
        try:
            value, slopes = self.turned.value_and_gradient(whole)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros(len(z)), whole
        if self.free_scale:  # the element held is relative to it
            slopes[-1] -= slopes[self.position] * whole[self.position]
        return value, slopes[self.free], whole

    @cached_property
    def free(self) -> np.ndarray:
        """Positions of what is not held."""
        return np.delete(np.arange(len(self.x)), self.position)

    def minimum(self, sd: float, y: np.ndarray, H: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The least criterion with the direction held at an sd, its y, and the inverse curvature there.

        From `y` and the inverse curvature `H` of a neighbour: one sd's minimum is near the last one's.
        """

        def function(z: np.ndarray) -> tuple[float, np.ndarray]:
            return self.function(sd, z, y)[:2]

        found = nearby(function, y[self.free], H, settled=SETTLED, exhausted=lambda: self.work.exhausted)
        whole = y.copy()
        whole[self.free] = found.x
        whole[self.position] = sd / self.scale(whole)
        return found.value, whole, found.H

    def rises(self, targets: Sequence[float]) -> Iterator[Rise]:
        """The points at which the criterion has risen by ascending targets, as far as it ever does.

        The square root of a rise is nearly linear in the sd, so that a secant needs few steps.
        """
        y = self.turned.turned(self.x)
        H = self._metric(y, self.free)
        low, t = (0.0, 0.0), FIRST * self.unit
        for target in targets:
            goal, high = np.sqrt(target), None
            for _ in range(SECANTS):
                value, y, H = self.minimum(t, y, H)
                rise = max(value - self.lowest, 0.0)
                if self.work.exhausted or t > FARTHEST * self.unit:
                    return
                root = float(np.sqrt(rise))
                if abs(rise - target) <= CLOSE * target:
                    yield self._rise(y, rise)
                    break
                low, high = ((t, root), high) if root < goal else (low, (t, root))
                if high is None:
                    t *= float(np.clip(goal / max(root, 1e-6), 1.1, FASTEST))
                else:
                    t = low[0] + (high[0] - low[0]) * (goal - low[1]) / (high[1] - low[1])
            else:
                return
            low = (t, root)
            t *= NEXT

    def _metric(self, y: np.ndarray, free: np.ndarray) -> np.ndarray:
        """A guess of the inverse curvature in the free elements."""
        J = self.turned.slopes(y)
        metric = self.turned.base.metric(self.turned.back(y))
        curvature = (J.T @ np.linalg.pinv(metric) @ J)[np.ix_(free, free)]
        values, vectors = np.linalg.eigh(0.5 * (curvature + curvature.T))
        values = np.maximum(values, 1e-6 * np.max(values, initial=1e-6))
        inverse = (vectors / values) @ vectors.T
        return 0.5 * (inverse + inverse.T)

    def _rise(self, y: np.ndarray, rise: float) -> Rise:
        x = self.turned.back(y)
        scale = self.scale(x)
        F = scale * self.turned.base.theta.typed(x)[self.turned.term]
        sds = np.linalg.norm(F, axis=1)
        unit = F / np.where(sds > 0, sds, 1.0)[:, None]
        return Rise(scale * float(y[self.position]), rise, sds, unit @ unit.T)


def _held(fit: PointFit, direction: NullDirection, work: Work) -> _Held:
    j = direction.term
    criterion, x, scale, free = _parts(fit)
    theta, where = criterion.theta, criterion.theta.slices[j]
    others = [i for i in range(theta.k(j)) if i != direction.column]
    if direction.is_zero:
        order, position = [direction.column, *others], where.start
    else:
        order, position = [*others, direction.column], where.stop - 1
    return _Held(Turned(criterion, j, theta.bases[j][order]), x, position, scale, free, work)


_Parts = tuple[Criterion, np.ndarray, Callable[[np.ndarray], float], bool]


def _parts(fit: PointFit) -> _Parts:
    if fit.model.has_scale:
        return _linear(fit)
    return _with_sigmas(fit) if fit.model.linear else _generalized(fit)


def _with_sigmas(fit: PointFit) -> _Parts:
    rows = heteroscedastic_of(fit.model)
    criterion = SigmasCriterion(rows, fit.engine.restricted, NormalPrior.none(rows.basis), free=False)
    x = criterion.x(criterion.theta.working(fit.theta), fit.parameters.coefficients["sigma"][0, 0])
    return criterion, x, lambda x: 1.0, False


def _linear(fit: PointFit) -> _Parts:
    likelihood, sigma = likelihood_of(fit.model), fit.model.constants.get("sigma")
    flat = NormalPrior.none(likelihood.basis)
    criterion = SigmaCriterion(likelihood, fit.engine.restricted, sigma, flat, free=False)
    return criterion, criterion.start(likelihood.theta.working(fit.theta)), criterion.residual_sd, sigma is None


def _generalized(fit: PointFit) -> _Parts:
    likelihood = laplace_of(fit.model)
    x = likelihood.joined(likelihood.theta.working(fit.theta), fit.beta, fit.dispersion)
    return LaplaceCriterion(likelihood), x, lambda x: 1.0, False
