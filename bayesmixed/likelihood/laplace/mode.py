"""The conditional mode of the effects by penalised Newton steps (PIRLS), with or without the fixed effects.

For given Lambda, dispersion and, unless they are free, beta: minimise -2 log f(y | eta) + u'u over u (and beta), where
eta = offset + X beta + Z Lambda u. A step solves the linear mixed model with weights V = -d2 log f / d eta2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...families import Derivatives
from ..effects import modes
from ..pls import shrink, solve
from .products import Pattern, weighted_gram
from .rows import Rows

MAX_STEPS = 200
MAX_HALVINGS = 30
SETTLED = 1e-8  # Newton decrement whose step leaves an error of the order of its square
ROUNDING = 1e-14  # of the value: what a decrement cannot be told from zero by
FLOOR = 1e-3  # of the largest curvature: what a row without curvature of its own is given in a step

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
    pattern = None if problem.pattern is None else problem.pattern.scratch()
    curved = True
    for count in range(1, limit + 1):
        if at.derivatives is None:
            break
        curved = curved and bool(np.min(at.derivatives.V, initial=0.0) >= 0)
        step = _newton(problem, pattern, at)
        if step is None:
            break
        small = abs(step.decrement) < SETTLED + ROUNDING * abs(at.value)
        new = _halved(problem, at, step, 3 if small else 2)
        if new is None:
            # rounding: no step lowers the value any more
            return _mode(problem, at, abs(step.decrement) < 1e3 * (SETTLED + ROUNDING * abs(at.value)), curved, count)
        at = new
        if small:
            return _mode(problem, at, True, curved, count)
    return _mode(problem, at, False, curved, limit)


@dataclass(frozen=True)
class _Point:
    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray
    value: float
    derivatives: Derivatives | None


@dataclass(frozen=True)
class _Step:
    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray
    decrement: float


def _mode(problem: Problem, at: _Point, settled: bool, curved: bool, steps: int) -> Mode:
    found = at.derivatives
    if found is not None and found.dV is None:
        found = problem.rows.family.derivatives(problem.rows.observed, at.eta, problem.dispersion, 3)
    return Mode(at.u, at.b, at.beta, at.eta, at.value, found, settled and found is not None, curved, steps)


def _point(problem: Problem, beta: np.ndarray, u: Sequence[np.ndarray]) -> _Point:
    b = tuple(part @ Lambda.T for part, Lambda in zip(u, problem.factors, strict=True))
    eta = problem.rows.offset + problem.rows.Q @ beta
    for block, part in zip(problem.rows.block_rows, b, strict=True):
        eta = eta + block.spread(part)
    return _valued(problem, tuple(u), b, beta, eta, 2)


def _valued(
    problem: Problem,
    u: tuple[np.ndarray, ...],
    b: tuple[np.ndarray, ...],
    beta: np.ndarray,
    eta: np.ndarray,
    order: int,
) -> _Point:
    """The point with its value and derivatives; +inf and none outside the link's domain."""
    low, high = problem.rows.eta_range
    if (low > -np.inf and eta.min() <= low) or (high < np.inf and eta.max() >= high):
        return _Point(u, b, beta, eta, np.inf, None)
    found = problem.rows.family.derivatives(problem.rows.observed, eta, problem.dispersion, order)
    value = -2 * float(found.kernel.sum()) + _penalty(problem, beta)
    for part in u:
        value += float(np.vdot(part, part))
    if not np.isfinite(value):
        return _Point(u, b, beta, eta, np.inf, None)
    return _Point(u, b, beta, eta, value, found)


def _penalty(problem: Problem, beta: np.ndarray) -> float:
    if problem.prior is None or not problem.free:
        return 0.0
    away = beta - problem.prior[0]
    return float(away @ problem.prior[1] @ away)


def _stepping(V: np.ndarray) -> np.ndarray:
    """Curvatures that make a descent step: those that are not positive are raised."""
    low = V.min(initial=np.inf)
    return V if low > 0 else np.maximum(V, FLOOR * max(float(np.abs(V).max(initial=0.0)), 1e-300))


def _newton(problem: Problem, pattern: Pattern | None, at: _Point) -> _Step | None:
    """The full step; None where its equations cannot be solved."""
    assert at.derivatives is not None  # the caller's condition
    found = _full_step(problem, pattern, at, at.derivatives)
    if found is None:
        return None
    (u, b, beta), g = found, at.derivatives.g
    du = tuple(new - old for new, old in zip(u, at.u, strict=True))
    db = tuple(new - old for new, old in zip(b, at.b, strict=True))
    dbeta = beta - at.beta
    moved = problem.rows.Q @ dbeta if problem.free else 0.0
    for block, part in zip(problem.rows.block_rows, db, strict=True):
        moved = moved + block.spread(part)
    moved = moved if isinstance(moved, np.ndarray) else np.zeros(problem.rows.n)
    decrement = float(g @ moved) - sum(float(np.vdot(a, d)) for a, d in zip(at.u, du, strict=True))
    if problem.free and problem.prior is not None:
        decrement -= float(dbeta @ problem.prior[1] @ (at.beta - problem.prior[0]))
    return _Step(du, db, dbeta, moved, decrement) if np.isfinite(decrement) else None


def _full_step(problem: Problem, pattern: Pattern | None, at: _Point, found: Derivatives) -> _Solved | None:
    """u, b and beta at the full step by the observed curvature; by a raised one where that gives no descent."""
    one = len(problem.rows.blocks) == 1 and not problem.free
    curvatures = [found.V] if np.min(found.V, initial=1.0) > 0 else [found.V, _stepping(found.V)]
    for V in curvatures:
        try:
            if one:
                return _one_block(problem, at, V, found.g)
            return _all_blocks(problem, pattern, at, V, found.g)
        except np.linalg.LinAlgError:
            continue
    return None


_Solved = tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.ndarray]


def _one_block(problem: Problem, at: _Point, V: np.ndarray, g: np.ndarray) -> _Solved:
    """u, b at the full step: levels of one grouping factor do not interact."""
    rows, Lambda = problem.rows.block_rows[0], problem.factors[0]
    A = rows.products(V)
    right = rows.sums(g) + _times(A, at.b[0])
    b = _times(shrink(A, Lambda).W, right)
    return ((right - _times(A, b)) @ Lambda,), (b,), at.beta


def _all_blocks(problem: Problem, pattern: Pattern | None, at: _Point, V: np.ndarray, g: np.ndarray) -> _Solved:
    """u, b and beta at the full step, by the elimination of `likelihood.pls`."""
    rows, free = problem.rows, problem.free
    around = at.eta - rows.offset if free else at.eta - rows.offset - rows.Q @ at.beta
    target = V * around + g
    columns, ww = target[:, None], None
    if free:
        columns, ww = _with_fixed(problem, V, target)
    gram = weighted_gram(rows, V, columns, ww)
    tail = None if pattern is None else pattern.refilled(rows, gram)
    solution = solve(gram, tail, problem.factors, invert=True)
    found = modes(gram, solution)
    u = tuple(Ze @ Lambda for Ze, Lambda in zip(found.Ze, problem.factors, strict=True))
    return u, found.b, solution.beta if free else at.beta


def _with_fixed(problem: Problem, V: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """V Q beside the target, and the cross-products of both with Q, the prior's precision added."""
    rows = problem.rows
    weighted = rows.Q * V[:, None]
    ww = np.zeros((rows.p + 1, rows.p + 1))
    ww[:-1, :-1] = rows.Q.T @ weighted
    ww[:-1, -1] = ww[-1, :-1] = rows.Q.T @ target
    if problem.prior is not None:
        ww[:-1, :-1] += problem.prior[1]
        ww[:-1, -1] += problem.prior[1] @ problem.prior[0]
    return np.column_stack([weighted, target]), ww


def _times(blocks: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Per level block (L, k, k) times vector (L, k)."""
    if blocks.shape[1] == 1:
        return blocks[:, 0] * right
    return (blocks @ right[:, :, None])[:, :, 0]


def _halved(problem: Problem, at: _Point, step: _Step, order: int) -> _Point | None:
    """The first of the full, half, quarter ... steps that does not raise the value; None where none does."""
    size = 1.0
    for _ in range(MAX_HALVINGS):
        new = _valued(
            problem,
            tuple(a + size * d for a, d in zip(at.u, step.u, strict=True)),
            tuple(a + size * d for a, d in zip(at.b, step.b, strict=True)),
            at.beta + size * step.beta,
            at.eta + size * step.eta,
            order,
        )
        if new.value <= at.value + 1e-12 * (1 + abs(at.value)):
            return new
        size /= 2
    return None
