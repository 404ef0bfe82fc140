"""Many hyperparameters at once where effects of several factors meet: Newton steps over arrays (points, rows).

The same joint modes and curvatures as one point at a time (`likelihood.laplace`), the levels of the largest factor
eliminated, what is left of the others dense: for small data the time goes into calls, not into numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..laplace.approximation import LaplaceLikelihood
from ..laplace.rows import BlockRows, Pairs
from ..newton import Ascent, Point, Step, climb
from ..quadrature.adaptive import level_sums
from ..quadrature.placing import Grid
from .marginal import Drawn, Places, by_term

SMALL = 5_000  # rows up to which points are evaluated side by side
MOST_COUPLED, MOST_PRODUCTS = 20_000, 4_000_000  # elements of the coupling with the tail, and products to eliminate it
MAX_STEPS = 50
FLOOR = 1e-3  # of the largest curvature: what a row without curvature of its own is given in a step


@dataclass(frozen=True)
class CrossedCurvature:
    """M (., q, q) at points: of the largest factor its inverse blocks `H` (N, L, k, k), `E` = H C (N, L k, q).

    C is the coupling with the tail, `half` (N, q, q) the Cholesky factor of what is left of the tail, `log_det` (N,).
    """

    H: np.ndarray
    E: np.ndarray
    half: np.ndarray
    log_det: np.ndarray

    def solve(self, right: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """M^-1 right, both per block (N, L, k)."""
        n, flat = len(self.H), right[0].reshape(len(self.H), -1, 1)
        tail = np.concatenate([part.reshape(n, -1) for part in right[1:]], axis=1)[..., None]
        tail = tail - np.swapaxes(self.E, 1, 2) @ flat
        tail = np.linalg.solve(self.half, tail)
        tail = np.linalg.solve(np.swapaxes(self.half, 1, 2), tail)
        return self._back((self.H @ right[0][..., None])[..., 0], tail, right)

    def draw(self, like: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """A draw from Normal(0, M^-1) at each point, per block."""
        z = rng.standard_normal((*self.half.shape[:2], 1))
        tail = np.linalg.solve(np.swapaxes(self.half, 1, 2), z)
        noise = rng.standard_normal((*like[0].shape, 1))
        return self._back((np.linalg.cholesky(self.H) @ noise)[..., 0], tail, like)

    def _back(self, first: np.ndarray, tail: np.ndarray, like: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The largest factor's part given the tail's (N, q, 1): `first` less E times it."""
        first = first - (self.E @ tail).reshape(first.shape)
        edges = np.cumsum([0, *(part.shape[1] * part.shape[2] for part in like[1:])])
        pieces = zip(edges[:-1], edges[1:], like[1:], strict=True)
        return (first, *(tail[:, a:b, 0].reshape(part.shape) for a, b, part in pieces))


@dataclass(frozen=True)
class _Effects(Point):
    """Effects `u` per block (N, L, k): `eta` (N, n), log f without what is constant `log` (N,), `g` and `V` (N, n)."""

    u: Places
    eta: np.ndarray
    log: np.ndarray
    g: np.ndarray
    V: np.ndarray


@dataclass(frozen=True)
class _EffectsStep(Step):
    """A full step per block (N, L, k), and what it adds to the predictor (N, n)."""

    u: Places
    eta: np.ndarray


@dataclass(frozen=True)
class JointIntegrands(Ascent[_Effects, _EffectsStep]):
    """log f(y | u) - u'u / 2 of all effects at N points; `fixed` (N, n) is the predictor without effects."""

    likelihood: LaplaceLikelihood
    fixed: np.ndarray
    factors: tuple[np.ndarray, ...]
    dispersion: dict[str, np.ndarray]

    @classmethod
    def at(cls, likelihood: LaplaceLikelihood, x: np.ndarray) -> JointIntegrands:
        """Those of x (N, .)."""
        rows = likelihood.rows
        fixed = rows.offset + x[:, likelihood.coefficients] @ rows.Q.T
        per_point = [likelihood.factors(each) for each in x]
        factors = tuple(np.stack(parts) for parts in zip(*per_point, strict=True))
        values = [likelihood.beside(each)[1] for each in x]
        dispersion = {name: np.array([[v[name]] for v in values]) for name in rows.family.dispersion}
        return cls(likelihood, fixed, factors, dispersion)

    def of(self, some: np.ndarray) -> JointIntegrands:
        factors = tuple(part[some] for part in self.factors)
        dispersion = {name: value[some] for name, value in self.dispersion.items()}
        return JointIntegrands(self.likelihood, self.fixed[some], factors, dispersion)

    def point(self, u: Places) -> _Effects:
        """At effects u per block (N, L, k)."""
        return self._valued(u, self.fixed + self._spread(u))

    def moved(self, at: _Effects, step: _EffectsStep, size: Any, last: Any) -> _Effects:
        size = np.asarray(size)[..., None]
        u = tuple(part + size[..., None] * d for part, d in zip(at.u, step.u, strict=True))
        return self._valued(u, at.eta + size * step.eta)

    def step(self, at: _Effects) -> _EffectsStep:
        gradient = self._gradient(at.u, np.nan_to_num(at.g))
        curvature, positive = self.curvature(_raised(np.nan_to_num(at.V)))
        step = curvature.solve(gradient)
        decrement = sum(np.sum(a * b, axis=(1, 2)) for a, b in zip(gradient, step, strict=True))
        usable = np.isfinite(at.value) & positive
        return _EffectsStep(np.where(usable, decrement, np.nan), step, self._spread(step))

    def _spread(self, u: Sequence[np.ndarray]) -> np.ndarray:
        """Z Lambda u (N, n)."""
        total = np.zeros(self.fixed.shape)
        for rows, part, F in zip(self.likelihood.rows.block_rows, u, self.factors, strict=True):
            b = part @ np.swapaxes(F, 1, 2)
            for j in range(rows.k):
                total += rows.weighted(j, b[:, rows.codes, j])
        return total

    def _valued(self, u: Places, eta: np.ndarray) -> _Effects:
        """The point with its derivatives; -inf outside the domain of the link."""
        rows = self.likelihood.rows
        low, high = rows.family.eta_range
        d = rows.family.derivatives(rows.observed, eta, self.dispersion, 2)
        inside = np.all((eta > low) & (eta < high), axis=1)
        log = np.where(inside, np.sum(np.broadcast_to(d.kernel, eta.shape), axis=1), -np.inf)
        log = np.where(np.isnan(log), -np.inf, log)
        value = log - 0.5 * sum(np.sum(part**2, axis=(1, 2)) for part in u)
        return _Effects(value, u, eta, log, d.g, d.V)

    def _gradient(self, u: Places, g: np.ndarray) -> tuple[np.ndarray, ...]:
        found = []
        for rows, part, F in zip(self.likelihood.rows.block_rows, u, self.factors, strict=True):
            found.append(np.stack([level_sums(rows, g, j) for j in range(rows.k)], axis=2) @ F - part)
        return tuple(found)

    def curvature(self, V: np.ndarray) -> tuple[CrossedCurvature, np.ndarray]:
        """M for weights V (N, n), the identity where it is not positive definite; and where it is."""
        rows = self.likelihood.rows
        n, blocks = len(V), rows.block_rows
        starts = np.cumsum([0, *(each.n_levels * each.k for each in blocks[1:])])
        C = np.zeros((n, blocks[0].n_levels * blocks[0].k, starts[-1]))
        T = np.zeros((n, starts[-1], starts[-1]))
        for i, block in enumerate(blocks):
            own = np.swapaxes(self.factors[i], 1, 2)[:, None] @ _own(block, V) @ self.factors[i][:, None]
            own = own + np.eye(block.k)
            if i == 0:
                first = own
            else:
                at = starts[i - 1] + np.arange(block.n_levels)[:, None] * block.k + np.arange(block.k)
                T[:, at[:, :, None], at[:, None, :]] = own
        for (i, j), pairs in rows.pairs.items():
            values = _products(pairs, blocks[i], blocks[j], V)
            values = np.swapaxes(self.factors[i], 1, 2)[:, None] @ values @ self.factors[j][:, None]
            a = pairs.a[:, None] * blocks[i].k + np.arange(blocks[i].k)
            b = starts[j - 1] + pairs.b[:, None] * blocks[j].k + np.arange(blocks[j].k)
            if i == 0:
                C[:, a[:, :, None], b[:, None, :]] = values
            else:
                a = starts[i - 1] + a
                T[:, a[:, :, None], b[:, None, :]] = values
                T[:, b[:, :, None], a[:, None, :]] = np.swapaxes(values, 2, 3)
        return _eliminated(first, C, T)


@dataclass(frozen=True)
class Crossed:
    """Points x (N, .) with the modes `u` of their effects per block (N, L, k), and the curvature there.

    `kernel` (N,) is log f at the modes without what is constant; `found` (N,) False where no mode was found this way.
    """

    integrands: JointIntegrands
    u: Places
    kernel: np.ndarray
    curvature: CrossedCurvature
    found: np.ndarray

    @staticmethod
    def fits(likelihood: LaplaceLikelihood) -> bool:
        """Whether there are several factors and everything is so small that calls would cost more than numbers."""
        sizes = [block.n_levels * block.k for block in likelihood.rows.blocks]
        tail = sum(sizes[1:])
        coupled = sizes[0] * tail if sizes else 0
        small = likelihood.rows.n <= SMALL and coupled <= MOST_COUPLED and coupled * tail <= MOST_PRODUCTS
        return len(sizes) > 1 and small

    @property
    def places(self) -> Places:
        """The modes, to start a later search at."""
        return self.u

    @classmethod
    def at(cls, likelihood: LaplaceLikelihood, x: np.ndarray, u: Places) -> Crossed:
        """Newton steps for every point from u."""
        integrands = JointIntegrands.at(likelihood, x)
        with np.errstate(all="ignore"):  # points far out overflow, and are not found
            ended = climb(integrands, integrands.point(u), MAX_STEPS)
            at = integrands.point(ended.at.u)
            curvature, positive = integrands.curvature(np.nan_to_num(at.V))
        return cls(integrands, at.u, ended.at.log, curvature, ended.settled & positive)

    def log_values(self, grid: Grid | None) -> np.ndarray:
        """log marginal likelihood (N,) by Laplace's approximation; NaN where no mode was found."""
        penalty = sum(np.sum(part**2, axis=(1, 2)) for part in self.u)
        log = self.kernel - 0.5 * penalty - 0.5 * self.curvature.log_det + self.integrands.likelihood.constant
        return np.where(self.found, log, np.nan)

    def draws(self, x: np.ndarray, rng: np.random.Generator) -> list[Drawn]:
        """Coefficients as x (N, .) has them, and a draw of the effects of each point."""
        errors = self.curvature.draw(self.u, rng)
        u = [mode + error for mode, error in zip(self.u, errors, strict=True)]
        b = [part @ np.swapaxes(F, 1, 2) for part, F in zip(u, self.integrands.factors, strict=True)]
        likelihood = self.integrands.likelihood
        blocks, bases = likelihood.rows.blocks, likelihood.rows.theta.bases
        effects = [by_term(blocks, bases, [part[i] for part in b]) for i in range(len(x))]
        return [(likelihood.beta(each), parts) for each, parts in zip(x, effects, strict=True)]


def _own(block: BlockRows, V: np.ndarray) -> np.ndarray:
    """Z'VZ per level (N, L, k, k) of one block, for V (N, n)."""
    found = np.empty((len(V), block.n_levels, block.k, block.k))
    for i in range(block.k):
        left = block.weighted(i, V)
        for j in range(i + 1):
            found[:, :, i, j] = found[:, :, j, i] = level_sums(block, left, j)
    return found


def _products(pairs: Pairs, left: BlockRows, right: BlockRows, V: np.ndarray) -> np.ndarray:
    """Z_a' V Z_b per pair of levels (N, m, k_a, k_b), for V (N, n)."""
    n, m = len(V), len(pairs.a)
    found = np.empty((n, m, left.k, right.k))
    where = (pairs.where + m * np.arange(n)[:, None]).ravel()
    for i in range(left.k):
        part = left.weighted(i, V)
        for j in range(right.k):
            values = right.weighted(j, part)
            found[:, :, i, j] = values if pairs.single else np.bincount(where, values.ravel(), n * m).reshape(n, m)
    return found


def _eliminated(first: np.ndarray, C: np.ndarray, T: np.ndarray) -> tuple[CrossedCurvature, np.ndarray]:
    """From the blocks of M; a point whose M is not positive definite gets the identity, and False."""
    n, L, k = first.shape[:3]
    positive = np.all(np.isfinite(first), axis=(1, 2, 3)) & np.all(np.isfinite(T), axis=(1, 2))
    if k == 1:
        positive &= np.all(first[..., 0, 0] > 0, axis=1)
    else:
        positive[positive] = np.all(np.linalg.eigvalsh(first[positive])[..., 0] > 0, axis=1)
    first = np.where(positive[:, None, None, None], first, np.eye(k))
    H = 1 / first if k == 1 else np.linalg.inv(first)
    log_det = np.sum(np.log(first[..., 0, 0]), axis=1) if k == 1 else np.sum(np.linalg.slogdet(first)[1], axis=1)
    E = (H @ C.reshape(n, L, k, -1)).reshape(C.shape)
    S = T - np.swapaxes(C, 1, 2) @ E
    S = np.where(positive[:, None, None], S, np.eye(S.shape[1]))
    try:
        half = np.linalg.cholesky(S)
    except np.linalg.LinAlgError:
        positive &= np.linalg.eigvalsh(S)[:, 0] > 0
        S = np.where(positive[:, None, None], S, np.eye(S.shape[1]))
        half = np.linalg.cholesky(S)
    log_det = log_det + 2 * np.sum(np.log(np.diagonal(half, axis1=1, axis2=2)), axis=1)
    return CrossedCurvature(H, E, half, log_det), positive


def _raised(V: np.ndarray) -> np.ndarray:
    """Curvatures with which a step climbs: rows without one of their own are given a little."""
    if np.min(V, initial=0.0) >= 0:
        return V
    return np.where(V > 0, V, FLOOR * np.max(np.abs(V), axis=1, keepdims=True))
