"""Laplace's approximation of the marginal likelihood: value and exact gradient in theta, beta and dispersion.

D = -2 log f(y | eta_hat) + u_hat'u_hat + log|M|, M = Lambda'Z'VZ Lambda + I, V = -d2 log f / d eta2 (the observed
curvature). The gradient takes one adjoint solve (Skaug & Fournier 2006, Comput. Stat. Data Anal. 51, 699-709, by hand).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular

from ...families import MAIN, Derivatives, FamilyParameter
from ..linear.modes import log_det_slopes
from ..linear.pls import Solution, solve
from ..working.coordinates import Coordinate, Coordinates
from ..working.gram import Gram
from ..working.theta import Theta
from .curvature import apply, row_variances
from .mode import MAX_STEPS, Mode, Prior, Problem, find_mode
from .products import Pattern, weighted_gram
from .rows import Rows


@dataclass(frozen=True)
class Curved:
    """The quadratic approximation at a mode: derivatives there, cross-products and their solved equations."""

    mode: Mode
    derivatives: Derivatives
    gram: Gram
    solution: Solution


@dataclass(frozen=True)
class WorkingValues:
    """What a vector x stands for: working beta, dispersion, Lambda of each block."""

    beta: np.ndarray
    dispersion: dict[str, float]
    factors: list[np.ndarray]


@dataclass(frozen=True)
class LaplaceLikelihood:
    """Laplace's deviance of one model as a function of x.

    x = (working theta, working beta, coordinates of free dispersion).
    `held` are dispersion parameters fixed by the user; `constant` is the sum of the terms of log f without parameters.
    """

    rows: Rows
    pattern: Pattern | None
    held: Mapping[str, float]
    constant: float
    _last: list[tuple[bytes, WorkingValues]] = field(default_factory=list, repr=False, compare=False)

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.rows.theta

    @cached_property
    def free_parameters(self) -> tuple[FamilyParameter, ...]:
        """The dispersion parameters that are estimated."""
        return tuple(each for each in self.rows.family.others if each.name not in self.held)

    @cached_property
    def free(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(each.name for each in self.free_parameters)

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return self.rows.p

    @property
    def coefficients(self) -> slice:
        """Where the coefficients are in x."""
        return slice(self.theta.size, self.theta.size + self.p)

    def beside(self, x: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
        """What x holds beside theta: beta in the working basis, dispersion by name, what is held included."""
        values = self._values(x)
        return values.beta, values.dispersion

    def _values(self, x: np.ndarray) -> WorkingValues:
        """What x stands for; the last answer is kept, since every part of an evaluation asks."""
        key = x.tobytes()
        if self._last and self._last[0][0] == key:
            return self._last[0][1]
        where = self.coefficients
        pairs = zip(self.free_parameters, x[where.stop :], strict=True)
        dispersion = dict(self.held) | {each.name: float(each.value(at)) for each, at in pairs}
        factors = [self.theta.block_factor(x, block) for block in self.rows.blocks]
        values = WorkingValues(x[where], {name: dispersion[name] for name in self.rows.family.dispersion}, factors)
        self._last[:] = [(key, values)]
        return values

    def coordinates(self, *, coefficients: bool = True) -> Coordinates:
        """What x means, or x without the coefficients."""
        inverse = solve_triangular(self.rows.R, np.eye(self.p)) if self.p else np.zeros((0, 0))
        return Coordinates(
            theta=self.theta,
            origin=np.zeros(self.p),
            basis=inverse if coefficients else np.zeros((self.p, 0)),
            dispersion={each.name: Coordinate(each) for each in self.free_parameters},
            constants=self.held,
        )

    def joined(self, theta: np.ndarray, beta: np.ndarray, dispersion: Mapping[str, float]) -> np.ndarray:
        """x from working theta, beta in the user's columns and dispersion."""
        return np.concatenate([theta, self.rows.R @ beta, self.working_dispersion(dispersion)])

    def working_dispersion(self, dispersion: Mapping[str, float]) -> list[float]:
        """What x has of the free dispersion parameters."""
        return [float(each.working(dispersion[each.name])) for each in self.free_parameters]

    def pulled(self, dispersion: Mapping[str, float], slopes: Mapping[str, float]) -> list[float]:
        """Slopes in x from those in the free dispersion parameters."""
        return [float(each.slope(dispersion[each.name])) * slopes[each.name] for each in self.free_parameters]

    def beta(self, x: np.ndarray) -> np.ndarray:
        """Fixed effects (p,) in the user's columns."""
        working = x[self.coefficients]
        return solve_triangular(self.rows.R, working) if self.p else working

    def factors(self, x: np.ndarray) -> list[np.ndarray]:
        """Lambda (k, k) of each block in the working basis."""
        return self._values(x).factors

    def nothing(self) -> tuple[np.ndarray, ...]:
        """Spherical effects of zero, per block (L, k)."""
        return tuple(np.zeros((block.n_levels, block.k)) for block in self.rows.blocks)

    def mode(
        self,
        x: np.ndarray,
        u: Sequence[np.ndarray] | None = None,
        *,
        free: bool = False,
        prior: Prior | None = None,
        limit: int = MAX_STEPS,
    ) -> Mode:
        """The conditional mode of u given x, from `u`; with `free` coefficients the joint mode of (u, beta).

        Where the log-likelihood is not concave, the better of the modes found from `u` and from zero.

        Parameters
        ----------
        prior
            A normal one of free coefficients: mean (p,) and precision (p, p) in the working basis.
        limit
            Of Newton steps, where a rough mode will do.
        """
        beta, dispersion = self.beside(x)
        problem = Problem(self.rows, self.pattern, self.factors(x), dispersion, free, prior)
        found = find_mode(problem, beta, self.nothing() if u is None else tuple(u), limit)
        if u is not None and not (found.curved and found.settled):
            other = find_mode(problem, beta, self.nothing())
            found = other if other.settled and (other.value < found.value or not found.settled) else found
        return found

    def curved(self, x: np.ndarray, mode: Mode, *, free: bool = False) -> Curved:
        """The quadratic approximation at a mode of u, or with `free` coefficients of (u, beta).

        Raises
        ------
        numpy.linalg.LinAlgError
            Where M is not positive definite: no mode.
        """
        found = mode.derivatives
        if not mode.settled or found is None:
            raise np.linalg.LinAlgError("the conditional mode was not found")
        columns, ww = np.zeros((self.rows.n, 1)), None
        if free:
            columns = np.column_stack([self.rows.Q * found.V[:, None], np.zeros(self.rows.n)])
            ww = np.zeros((self.p + 1, self.p + 1))
            ww[:-1, :-1] = self.rows.Q.T @ columns[:, :-1]
        gram = weighted_gram(self.rows, found.V, columns, ww)
        tail = None if self.pattern is None else self.pattern.filled(self.rows, gram)
        with np.errstate(over="ignore", invalid="ignore"):  # a point where M overflows has no finite value
            return Curved(mode, found, gram, solve(gram, tail, self.factors(x), invert=True))

    def deviance(self, curved: Curved) -> float:
        """D with every constant."""
        return curved.mode.value - 2 * self.constant + curved.solution.log_det_M

    def gradient(self, x: np.ndarray, curved: Curved) -> np.ndarray:
        """dD / dx by one adjoint solve (kappa = -2 g + t - V (Z Lambda a))."""
        rows, d, factors = self.rows, curved.derivatives, self.factors(x)
        blocks = range(len(rows.blocks))
        h = row_variances(rows, self.pattern, curved.gram, curved.solution)
        t = h * d.dV
        sums_t = [rows.block_rows[i].sums(t) for i in blocks]
        alpha = apply(curved.solution, sums_t)
        spread = np.zeros(rows.n)
        for i in blocks:
            spread += rows.block_rows[i].spread(alpha[i])
        zeta = t - d.V * spread
        kappa = zeta - 2 * d.g
        slopes = []
        for i, slope in enumerate(log_det_slopes(curved.gram, curved.solution, reml=False)):
            a = rows.block_rows[i].sums(zeta) @ factors[i]
            sums_g = rows.block_rows[i].sums(d.g)
            slopes.append(slope + rows.block_rows[i].sums(kappa).T @ curved.mode.u[i] + sums_g.T @ a)
        theta = self.theta.pull_back(x, rows.blocks, slopes)
        phi = {
            name: float(np.sum(h * d.third(MAIN, MAIN, name) - spread * d.curvature(MAIN, name) - 2 * d.slope(name)))
            for name in self.free
        }
        return np.concatenate([theta, rows.Q.T @ kappa, self.pulled(self.beside(x)[1], phi)])
