"""The conditional mode of the effects by penalised Newton steps (PIRLS), with or without the fixed effects.

For given Lambda, dispersion and, unless they are free, beta: minimise -2 log f(y | eta) + u'u over u (and beta), where
eta = offset + X beta + Z Lambda u. A step solves the linear mixed model with weights V = -d2 log f / d eta2 for what u
and beta change by: the change, and with it the test of a mode, then has the relative accuracy of the gradient, however
large the sums of V (solved for the new u, it has that of the largest of them, and a mode is never told from rounding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...families import Derivatives
from ..linear.modes import modes
from ..linear.pls import shrink, solve
from ..newton import SETTLED, Ascent, Point, Step, climb
from .products import Pattern, weighted_gram
from .rows import Rows

MAX_STEPS = 200
ULP = float(np.finfo(float).eps)
ROUNDING = 16 * ULP  # of the sum of terms' sizes: what the value is known to
FLOOR = 1e-3  # of the mean curvature: what a row without curvature of its own is given in a step
LOST = 1e-8  # of the largest singular value of Lambda: directions in which no start is taken over

Prior = tuple[np.ndarray, np.ndarray]  # mean (p,) and precision (p, p) of beta in the working basis


@dataclass(frozen=True)
class Mode:
    """Where the steps ended: `u` and `b` per block (L, k), `beta` (p,) in the working basis, `eta` (n,), `value`.

    `value` is -2 kernel + u'u (and the prior's penalty of a free beta); `derivatives` at eta, of order 3; `settled`
    False where the steps ran out; `curved` False where a negative curvature was met on the way, so that there may be
    another mode; `steps` taken.
    """

    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray
    value: float
    derivatives: Derivatives | None
    settled: bool
    curved: bool
    steps: int


@dataclass(frozen=True)
class Problem:
    """What is minimised: rows, Lambda (k, k) per block in the working basis, dispersion, and whether beta is free."""

    rows: Rows
    pattern: Pattern | None
    factors: Sequence[np.ndarray]
    dispersion: dict[str, float]
    free: bool
    prior: Prior | None = None


def find_mode(problem: Problem, beta: np.ndarray, u: Sequence[np.ndarray], limit: int = MAX_STEPS) -> Mode:
    """Minimise the penalised deviance from `u` (L, k) per block, and from `beta` (p,), where that is free.

    `limit` is the most steps taken.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows on the way is halved or given up
        return _descended(problem, beta, u, limit)


def _descended(problem: Problem, beta: np.ndarray, u: Sequence[np.ndarray], limit: int) -> Mode:
    at = _point(problem, beta, u)
    if not np.isfinite(at.value):
        at = _point(problem, beta, [np.zeros_like(part) for part in u])
    descent = _Descent(problem, None if problem.pattern is None else problem.pattern.scratch())
    found = climb(descent, at, limit)
    return _mode(problem, found.at, bool(found.settled), found.steps)


@dataclass(frozen=True)
class _Point(Point):
    """Where the steps are, `value` minus the penalised deviance; `pull` per block (L, k) with u = Lambda' pull.

    At a mode pull is Z'g. `curved` is False where a negative curvature was met before.
    """

    pull: tuple[np.ndarray, ...]
    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray
    derivatives: Derivatives | None
    curved: bool


@dataclass(frozen=True)
class _Step(Step):
    """What a full step adds; `decrement` is the fall of the deviance that it predicts."""

    pull: tuple[np.ndarray, ...]
    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray


@dataclass(frozen=True)
class _Descent(Ascent[_Point, _Step]):
    """The steps of one problem, whose `pattern` is refilled at each."""

    problem: Problem
    pattern: Pattern | None

    def step(self, at: _Point) -> _Step | None:
        return None if at.derivatives is None else _newton(self.problem, self.pattern, at)

    def moved(self, at: _Point, step: _Step, size: float, last: bool) -> _Point:
        effects = _added(at.pull, step.pull, size), _added(at.u, step.u, size), _added(at.b, step.b, size)
        beta, eta = at.beta + size * step.beta, at.eta + size * step.eta
        return _valued(self.problem, effects, beta, eta, 3 if last else 2, _is_curved(at))

    def negligible(self, at: _Point, step: _Step) -> bool:
        """Also what rounding of eta alone makes of a mode's zero gradient."""
        if abs(step.decrement) < SETTLED:
            return True
        assert at.derivatives is not None  # there is a step
        rounding = np.abs(at.derivatives.V) @ (self.problem.rows.unit**2 + at.eta**2)
        return abs(step.decrement) < ROUNDING**2 * float(rounding)

    def rounding(self, at: _Point) -> float:
        """Each term to its own rounding, its mean's, and to what that of eta makes of it."""
        found, unit = at.derivatives, self.problem.rows.unit
        assert found is not None  # there is a step
        terms = np.sum(np.abs(found.kernel)) + unit**2 * np.sum(np.abs(found.V)) + np.abs(found.g) @ np.abs(at.eta)
        return ROUNDING * (1 + float(terms) + sum(float(np.vdot(part, part)) for part in at.u))


def _is_curved(at: _Point) -> bool:
    return at.curved and (at.derivatives is None or bool((at.derivatives.V >= 0).all()))


def _mode(problem: Problem, at: _Point, settled: bool, steps: int) -> Mode:
    found, curved = at.derivatives, _is_curved(at)
    if found is not None and found.dV is None:
        found = problem.rows.family.derivatives(problem.rows.observed, at.eta, problem.dispersion, 3)
    return Mode(at.u, at.b, at.beta, at.eta, -at.value, found, settled and found is not None, curved, steps)


def _point(problem: Problem, beta: np.ndarray, u: Sequence[np.ndarray]) -> _Point:
    pull = tuple(part @ np.linalg.pinv(Lambda, LOST) for part, Lambda in zip(u, problem.factors, strict=True))
    reached = tuple(part @ Lambda for part, Lambda in zip(pull, problem.factors, strict=True))
    b = tuple(part @ Lambda.T for part, Lambda in zip(reached, problem.factors, strict=True))
    eta = problem.rows.offset + problem.rows.Q @ beta
    for block, part in zip(problem.rows.block_rows, b, strict=True):
        eta = eta + block.spread(part)
    return _valued(problem, (pull, reached, b), beta, eta, 2, curved=True)


_Effects = tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], tuple[np.ndarray, ...]]  # pull, u, b


def _valued(problem: Problem, effects: _Effects, beta: np.ndarray, eta: np.ndarray, order: int, curved: bool) -> _Point:
    """The point with its value and derivatives; -inf and none outside the link's domain."""
    low, high = problem.rows.eta_range
    if (low > -np.inf and eta.min() <= low) or (high < np.inf and eta.max() >= high):
        return _Point(-np.inf, *effects, beta, eta, None, curved)
    found = problem.rows.family.derivatives(problem.rows.observed, eta, problem.dispersion, order)
    deviance = -2 * float(found.kernel.sum()) + _penalty(problem, beta)
    for part in effects[1]:
        deviance += float(np.vdot(part, part))
    if not np.isfinite(deviance):
        return _Point(-np.inf, *effects, beta, eta, None, curved)
    return _Point(-deviance, *effects, beta, eta, found, curved)


def _penalty(problem: Problem, beta: np.ndarray) -> float:
    if problem.prior is None or not problem.free:
        return 0.0
    away = beta - problem.prior[0]
    return float(away @ problem.prior[1] @ away)


def _stepping(V: np.ndarray) -> np.ndarray:
    """Curvatures that make a descent step: those that are not positive are taken by their size."""
    if V.min(initial=np.inf) > 0:
        return V
    sizes = np.abs(V)
    return np.where(V > 0, V, np.maximum(sizes, FLOOR * float(np.mean(sizes)) or 1.0))


def _newton(problem: Problem, pattern: Pattern | None, at: _Point) -> _Step | None:
    """The full step; None where its equations cannot be solved."""
    found = at.derivatives
    assert found is not None  # the caller's condition
    one = len(problem.rows.blocks) == 1 and not problem.free
    curvatures = [found.V] if np.min(found.V, initial=1.0) > 0 else [found.V, _stepping(found.V)]
    for V in curvatures:
        try:
            step = _one_block(problem, at, V, found.g) if one else _all_blocks(problem, pattern, at, V, found.g)
        except np.linalg.LinAlgError:
            continue
        if np.isfinite(step.decrement):
            return step
    return None


def _one_block(problem: Problem, at: _Point, V: np.ndarray, g: np.ndarray) -> _Step:
    """The full step where levels of one grouping factor do not interact: M du = Lambda'(Z'g - pull)."""
    rows, Lambda = problem.rows.block_rows[0], problem.factors[0]
    A = rows.products(V)
    left = rows.sums(g) - at.pull[0]
    b = _times(shrink(A, Lambda).W, left)
    more = _pull(A, b, left - _times(A, b), Lambda)
    du = more @ Lambda
    db = du @ Lambda.T
    return _Step(float(np.vdot(left, db)), (more,), (du,), (db,), np.zeros_like(at.beta), rows.spread(db))


def _all_blocks(problem: Problem, pattern: Pattern | None, at: _Point, V: np.ndarray, g: np.ndarray) -> _Step:
    """The full step by the elimination of `likelihood.pls`."""
    rows, free, factors = problem.rows, problem.free, problem.factors
    columns, ww, slope = g[:, None], None, np.zeros_like(at.beta)
    if free:
        columns, ww, slope = _with_fixed(problem, at, V, g)
    gram = weighted_gram(rows, V, columns, ww)
    for left, old in zip(gram.zw, at.pull, strict=True):
        left[:, :, -1] -= old
    tail = None if pattern is None else pattern.refilled(rows, gram)
    solution = solve(gram, tail, factors, invert=True)
    found = modes(gram, solution)
    pull = tuple(map(_pull, gram.zz, found.b, found.Ze, factors))
    du = tuple(part @ Lambda for part, Lambda in zip(pull, factors, strict=True))
    db = tuple(part @ Lambda.T for part, Lambda in zip(du, factors, strict=True))
    dbeta = solution.beta if free else slope
    moved = rows.Q @ dbeta if free else np.zeros(rows.n)
    for block, part in zip(rows.block_rows, db, strict=True):
        moved = moved + block.spread(part)
    decrement = float(slope @ dbeta) + sum(float(np.vdot(zw[:, :, -1], d)) for zw, d in zip(gram.zw, db, strict=True))
    return _Step(decrement, pull, du, db, dbeta, moved)


def _pull(A: np.ndarray, b: np.ndarray, Ze: np.ndarray, Lambda: np.ndarray) -> np.ndarray:
    """Solve b = Lambda Lambda' pull (L, k): by Z'(residual) Ze, and from b itself in directions in which that cancels.

    Those are where the rows, by their products A (L, k, k), say more of the effects than their distribution does.
    """
    told = float(np.max(A, initial=0.0))
    if len(Lambda) == 1:
        variance = float(Lambda[0, 0]) ** 2
        return b / variance if variance * told > 1 else Ze
    left, sizes, _ = np.linalg.svd(Lambda)
    firm = sizes**2 * told > 1
    return np.where(firm, b @ left / np.where(firm, sizes**2, 1.0), Ze @ left) @ left.T


def _with_fixed(
    problem: Problem, at: _Point, V: np.ndarray, g: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """V Q beside g, the cross-products of both with Q, and half the slope in beta, the prior's part in both."""
    rows = problem.rows
    weighted = rows.Q * V[:, None]
    ww, slope = np.zeros((rows.p + 1, rows.p + 1)), rows.Q.T @ g
    ww[:-1, :-1] = rows.Q.T @ weighted
    if problem.prior is not None:
        ww[:-1, :-1] += problem.prior[1]
        slope = slope - problem.prior[1] @ (at.beta - problem.prior[0])
    ww[:-1, -1] = ww[-1, :-1] = slope
    return np.column_stack([weighted, g]), ww, slope


def _times(blocks: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Per level block (L, k, k) times vector (L, k)."""
    if blocks.shape[1] == 1:
        return blocks[:, 0] * right
    return (blocks @ right[:, :, None])[:, :, 0]


def _added(parts: tuple[np.ndarray, ...], changes: tuple[np.ndarray, ...], size: float) -> tuple[np.ndarray, ...]:
    return tuple(part + size * change for part, change in zip(parts, changes, strict=True))
