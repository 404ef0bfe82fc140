"""The marginal likelihood of a generalized model's hyperparameters by Laplace's approximation, and Gaussian effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import solve_triangular

from ..laplace.approximation import Curved, LaplaceLikelihood
from ..laplace.mode import Mode
from ..laplace.products import weighted_gram
from ..linear.likelihood import LOG_2PI
from ..linear.pls import Solution, solve
from ..prediction_errors import draw_errors
from ..quadrature.adaptive import OneFactor
from ..quadrature.placing import Grid
from ..working.coordinates import Coordinates
from ..working.gram import Gram
from .crossed import Crossed
from .marginal import Drawn, Marginal, Places, by_term
from .normality import Normality, normality
from .standardised import LinearisedPosterior, NormalForm, linearised
from .together import Together

NODES = 9  # of quadrature in each dimension
MOST_TERMS = 200_000  # rows times nodes of an evaluation: beyond it thousands of evaluations take minutes


@dataclass
class _Path:
    """Modes about a centre as a linear function of x: u = u0 + slopes (x - centre)."""

    centre: np.ndarray
    first: tuple[np.ndarray, ...]
    slopes: tuple[np.ndarray, ...]

    def at(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        away = x - self.centre
        return tuple(u + slope @ away for u, slope in zip(self.first, self.slopes, strict=True))


def path_through(points: np.ndarray, found: list[tuple[np.ndarray, ...]]) -> _Path:
    """From modes at a centre (the first point) and at as many points about it as pin the slopes down."""
    away = np.linalg.pinv(points[1:] - points[0])
    first = found[0]
    slopes = tuple(
        np.einsum("im,mlk->lki", away, np.stack([each[b] for each in found[1:]]) - first[b]) for b in range(len(first))
    )
    return _Path(points[0], first, slopes)


@dataclass
class LaplaceMarginal(Marginal):
    """Effects integrated by Laplace's approximation, or by `quadrature`; coefficients are in x."""

    likelihood: LaplaceLikelihood
    quadrature: OneFactor | None = None
    u: tuple[np.ndarray, ...] | None = None
    path: _Path | None = field(default=None, repr=False)

    @property
    def words(self) -> str:
        if not self.likelihood.rows.blocks:
            return "nothing to integrate out"
        if self.quadrature is not None:
            return f"effects integrated out by adaptive quadrature with {NODES} nodes"
        return "effects integrated out by Laplace's approximation"

    def coordinates(self) -> Coordinates:
        return self.likelihood.coordinates()

    def at(self, x: np.ndarray) -> Curved:
        """The quadratic approximation at x."""
        mode = self.likelihood.mode(x, self.u if self.path is None else self.path.at(x))
        curved = self.likelihood.curved(x, mode)
        self.u = mode.u
        return curved

    def value(self, x: np.ndarray) -> float:
        try:
            return self._loglik(x, self.at(x))
        except np.linalg.LinAlgError:
            return -np.inf

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        curved = self.at(x)
        if self.quadrature is not None:
            return self.quadrature.loglik_and_gradient(x, curved)
        return self._loglik(x, curved), -0.5 * self.likelihood.gradient(x, curved)

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> Drawn:
        likelihood, curved = self.likelihood, self.at(x)
        _, errors = draw_errors(curved.gram, curved.solution, 1, rng, coefficients=False)
        b = [part + error[..., 0] for part, error in zip(curved.mode.b, errors, strict=True)]
        return likelihood.beta(x), by_term(likelihood.rows.blocks, likelihood.rows.theta.bases, b)

    def values_and_places(self, x: np.ndarray) -> tuple[np.ndarray, Places | None]:
        found, places = np.full(len(x), np.nan), None
        if self._side_by_side and len(x):
            together = self._together(x, None)
            found = together.log_values(None if self.quadrature is None else self.quadrature.grid)
            places = together.places
        for i in np.flatnonzero(np.isnan(found)):
            found[i] = self.value(x[i])
        return found, places

    def draws(self, x: np.ndarray, rng: np.random.Generator, places: Places | None = None) -> Sequence[Drawn]:
        if not self._side_by_side:
            return super().draws(x, rng)
        together = self._together(x, places)
        found = together.found
        if found.all():
            return together.draws(x, rng)
        # the search of one point may fail where that of all together did not: only what was not found goes that way
        drawn = iter(self._together(x[found], None).draws(x[found], rng) if found.any() else ())
        return [next(drawn) if here else self.draw(each, rng) for each, here in zip(x, found, strict=True)]

    @property
    def _side_by_side(self) -> bool:
        return self.path is not None and (Together.fits(self.likelihood) or Crossed.fits(self.likelihood))

    def _together(self, x: np.ndarray, places: Places | None) -> Together | Crossed:
        assert self.path is not None
        if places is None:
            starts = [self.path.at(each) for each in x]
            places = tuple(np.stack(parts) for parts in zip(*starts, strict=True))
        if len(self.likelihood.rows.blocks) == 1:
            return Together.at(self.likelihood, x, places[0])
        return Crossed.at(self.likelihood, x, places)

    def _loglik(self, x: np.ndarray, curved: Curved) -> float:
        if self.quadrature is not None:
            return self.quadrature.loglik(x, curved)
        return -0.5 * self.likelihood.deviance(curved)

    def normality(self, x: np.ndarray) -> list[Normality]:
        return normality(self.likelihood, x, self.at(x).mode)

    def linearised(self, x: np.ndarray, form: NormalForm | None) -> LinearisedPosterior | None:
        return linearised(self.likelihood, x, self.at(x), form) if self.likelihood.p else None

    def track(self, points: np.ndarray) -> None:
        self.path = path_through(points, [self.likelihood.mode(x, self.u).u for x in points])


@dataclass(frozen=True)
class _Joint:
    """The quadratic approximation at a joint mode, and the log marginal likelihood `value`."""

    mode: Mode
    gram: Gram
    solution: Solution
    value: float


@dataclass
class JointMarginal(Marginal):
    """Effects and coefficients integrated together by Laplace's approximation: for many coefficients.

    `mean` (p,) and `precision` (p, p) of the coefficients' normal prior in the working basis, `log_constant` the log of
    its density's constant.
    """

    likelihood: LaplaceLikelihood
    mean: np.ndarray
    precision: np.ndarray
    log_constant: float
    last: Mode | None = None
    path: _Path | None = field(default=None, repr=False)
    has_slopes = False

    @property
    def words(self) -> str:
        return "effects and coefficients integrated out by Laplace's approximation"

    def coordinates(self) -> Coordinates:
        return self.likelihood.coordinates(coefficients=False)

    def at(self, x: np.ndarray) -> _Joint:
        """The quadratic approximation at x."""
        likelihood, rows = self.likelihood, self.likelihood.rows
        beta, u = self._start(x)
        full = self._full(x, beta)
        mode = likelihood.mode(full, u, free=True, prior=(self.mean, self.precision))
        if not mode.settled or mode.derivatives is None:
            raise np.linalg.LinAlgError("the joint mode was not found")
        self.last, V = mode, mode.derivatives.V
        columns = np.column_stack([rows.Q * V[:, None], np.zeros(rows.n)])
        ww = np.zeros((rows.p + 1, rows.p + 1))
        ww[:-1, :-1] = rows.Q.T @ columns[:, :-1] + self.precision
        gram = weighted_gram(rows, V, columns, ww)
        tail = None if likelihood.pattern is None else likelihood.pattern.filled(rows, gram)
        solution = solve(gram, tail, likelihood.factors(full), invert=True)
        log_det = solution.log_det_M + solution.log_det_U
        volume = 0.5 * rows.p * LOG_2PI - float(np.sum(np.log(np.abs(np.diag(rows.R)))))  # in the user's columns
        value = -0.5 * (mode.value + log_det) + likelihood.constant + volume + self.log_constant
        return _Joint(mode, gram, solution, value)

    def value(self, x: np.ndarray) -> float:
        try:
            return self.at(x).value
        except np.linalg.LinAlgError:
            return -np.inf

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        raise NotImplementedError("the joint integral has no gradient: use differences of `value`")

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> Drawn:
        found, rows = self.at(x), self.likelihood.rows
        shift, errors = draw_errors(found.gram, found.solution, 1, rng, coefficients=True)
        b = [part + error[..., 0] for part, error in zip(found.mode.b, errors, strict=True)]
        beta = found.mode.beta + shift[:, 0]
        return solve_triangular(rows.R, beta) if rows.p else beta, by_term(rows.blocks, rows.theta.bases, b)

    def normality(self, x: np.ndarray) -> list[Normality]:
        mode = self.at(x).mode
        return normality(self.likelihood, self._full(x, mode.beta), mode)

    def track(self, points: np.ndarray) -> None:
        modes = [self.at(x).mode for x in points]
        self.path = path_through(points, [(mode.beta[:, None], *mode.u) for mode in modes])

    def _start(self, x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        if self.path is not None:
            beta, *u = self.path.at(x)
            return beta[:, 0], tuple(u)
        return (self.mean, self.likelihood.nothing()) if self.last is None else (self.last.beta, self.last.u)

    def _full(self, x: np.ndarray, beta: np.ndarray) -> np.ndarray:
        """x with coefficients in their place."""
        first = self.likelihood.theta.size
        return np.concatenate([x[:first], beta, x[first:]])


def laplace_marginal(likelihood: LaplaceLikelihood) -> LaplaceMarginal:
    """By quadrature where the integral factors over one factor's levels and does not cost too much."""
    blocks = likelihood.rows.blocks
    if len(blocks) == 1 and likelihood.rows.n * NODES ** blocks[0].k <= MOST_TERMS:
        return LaplaceMarginal(likelihood, OneFactor(likelihood, Grid.of(NODES, blocks[0].k)))
    return LaplaceMarginal(likelihood)
