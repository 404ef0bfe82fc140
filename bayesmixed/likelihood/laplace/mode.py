"""The conditional mode of the effects by penalised Newton steps (PIRLS), with or without the fixed effects.

For given Lambda, dispersion and, unless they are free, beta: minimise -2 log f(y | eta) + u'u over u (and beta), where
eta = offset + X beta + Z Lambda u. A step solves the linear mixed model with weights V = -d2 log f / d eta2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..effects import modes
from ..pls import Solution, solve
from .products import Pattern, weighted_gram
from .rows import Rows

MAX_STEPS = 200
MAX_HALVINGS = 30
SETTLED = 1e-8  # Newton decrement after which one more step leaves an error of the order of its square
FLOOR = 1e-3  # of the largest curvature: what a row without curvature of its own is given in a step


@dataclass(frozen=True)
class Mode:
    """Where the steps ended: `u` and `b` per block (L, k), `beta` (p,) in the working basis, `eta` (n,), `value`.

    `value` is -2 kernel + u'u; `settled` False where the steps ran out; `curved` False where a negative curvature
    was met on the way, so that there may be another mode.
    """

    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray
    value: float
    settled: bool
    curved: bool
    steps: int


def find_mode(
    rows: Rows,
    pattern: Pattern | None,
    factors: Sequence[np.ndarray],
    dispersion: dict[str, float],
    beta: np.ndarray,
    u: Sequence[np.ndarray],
    *,
    free: bool,
    prior: tuple[np.ndarray, np.ndarray] | None = None,
) -> Mode:
    """Minimise the penalised deviance from `u` (and from `beta`, where that is `free`).

    Parameters
    ----------
    factors
        Lambda (k, k) per block, in the working basis.
    beta
        (p,) in the working basis.
    prior
        Mean (p,) and precision (p, p) of a normal prior of beta in the working basis, for a free beta.
    """
    at = _point(rows, factors, dispersion, beta, u, prior if free else None)
    if not np.isfinite(at.value):
        at = _point(rows, factors, dispersion, beta, [np.zeros_like(part) for part in u], prior if free else None)
    curved, last = True, False
    for count in range(1, MAX_STEPS + 1):
        if not np.isfinite(at.value):
            break
        found = rows.family.derivatives(rows.observed, at.eta, dispersion, 2)
        curved = curved and bool(np.all(found.V >= 0))
        step = _newton(rows, pattern, factors, at, found.g, _stepping(found.V), free, prior)
        if step is None:
            break
        new = _halved(rows, factors, dispersion, at, step, prior if free else None)
        decrement, at = step.decrement, new if new is not None else at
        if new is None or last:
            return _mode(at, abs(decrement) < 1e3 * SETTLED * (1 + abs(at.value)), curved, count)
        last = abs(decrement) < SETTLED * (1 + 1e-4 * abs(at.value))
        if abs(decrement) < 1e-15 * (1 + abs(at.value)):
            return _mode(at, True, curved, count)
    return _mode(at, False, curved, MAX_STEPS)


@dataclass(frozen=True)
class _Point:
    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray
    value: float


@dataclass(frozen=True)
class _Step:
    u: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    beta: np.ndarray
    eta: np.ndarray
    decrement: float


def _mode(at: _Point, settled: bool, curved: bool, steps: int) -> Mode:
    return Mode(at.u, at.b, at.beta, at.eta, at.value, settled, curved, steps)


def _point(
    rows: Rows,
    factors: Sequence[np.ndarray],
    dispersion: dict[str, float],
    beta: np.ndarray,
    u: Sequence[np.ndarray],
    prior: tuple[np.ndarray, np.ndarray] | None,
) -> _Point:
    b = tuple(part @ Lambda.T for part, Lambda in zip(u, factors, strict=True))
    eta = rows.offset + rows.Q @ beta
    for block, part in zip(rows.block_rows, b, strict=True):
        eta = eta + block.spread(part)
    return _valued(rows, dispersion, tuple(u), b, beta, eta, prior)


def _valued(
    rows: Rows,
    dispersion: dict[str, float],
    u: tuple[np.ndarray, ...],
    b: tuple[np.ndarray, ...],
    beta: np.ndarray,
    eta: np.ndarray,
    prior: tuple[np.ndarray, np.ndarray] | None,
) -> _Point:
    low, high = rows.family.eta_range
    value = np.inf
    if (low == -np.inf or np.min(eta) > low) and (high == np.inf or np.max(eta) < high):
        kernel = float(np.sum(rows.family.derivatives(rows.observed, eta, dispersion, 0).kernel))
        value = -2 * kernel + sum(float(np.sum(part**2)) for part in u) + _penalty(beta, prior)
    return _Point(u, b, beta, eta, value if np.isfinite(value) else np.inf)


def _penalty(beta: np.ndarray, prior: tuple[np.ndarray, np.ndarray] | None) -> float:
    if prior is None:
        return 0.0
    away = beta - prior[0]
    return float(away @ prior[1] @ away)


def _stepping(V: np.ndarray) -> np.ndarray:
    """Curvatures that make a descent step: those that are not positive are raised."""
    low = np.min(V, initial=np.inf)
    return V if low > 0 else np.maximum(V, FLOOR * max(float(np.max(np.abs(V))), 1e-300))


def _newton(
    rows: Rows,
    pattern: Pattern | None,
    factors: Sequence[np.ndarray],
    at: _Point,
    g: np.ndarray,
    V: np.ndarray,
    free: bool,
    prior: tuple[np.ndarray, np.ndarray] | None,
) -> _Step | None:
    """The full step; None where its equations cannot be solved."""
    around = at.eta - rows.offset if free else at.eta - rows.offset - rows.Q @ at.beta
    target = V * around + g
    columns, ww = target[:, None], None
    if free:
        weighted = rows.Q * V[:, None]
        columns = np.column_stack([weighted, target])
        ww = np.zeros((rows.p + 1, rows.p + 1))
        ww[:-1, :-1] = rows.Q.T @ weighted
        ww[:-1, -1] = ww[-1, :-1] = rows.Q.T @ target
        if prior is not None:
            ww[:-1, :-1] += prior[1]
            ww[:-1, -1] += prior[1] @ prior[0]
    gram = weighted_gram(rows, V, columns, ww)
    tail = None if pattern is None else pattern.filled(rows, gram)
    try:
        solution: Solution = solve(gram, tail, factors, invert=True)
    except np.linalg.LinAlgError:
        return None
    found = modes(gram, solution)
    u = tuple(Ze @ Lambda for Ze, Lambda in zip(found.Ze, factors, strict=True))
    # without free coefficients U is 1 x 1 and its solution empty
    beta = solution.beta if free else at.beta
    if not all(np.all(np.isfinite(part)) for part in (*u, beta)):
        return None
    du = tuple(new - old for new, old in zip(u, at.u, strict=True))
    db = tuple(new - old for new, old in zip(found.b, at.b, strict=True))
    moved = rows.Q @ (beta - at.beta) if free else np.zeros(rows.n)
    for block, part in zip(rows.block_rows, db, strict=True):
        moved = moved + block.spread(part)
    decrement = float(g @ moved) - sum(float(np.sum(a * b)) for a, b in zip(at.u, du, strict=True))
    if free and prior is not None:
        decrement -= float((beta - at.beta) @ prior[1] @ (at.beta - prior[0]))
    return _Step(du, db, beta - at.beta, moved, decrement)


def _halved(
    rows: Rows,
    factors: Sequence[np.ndarray],
    dispersion: dict[str, float],
    at: _Point,
    step: _Step,
    prior: tuple[np.ndarray, np.ndarray] | None,
) -> _Point | None:
    """The first of the full, half, quarter ... steps that does not raise the value; None where none does."""
    size = 1.0
    for _ in range(MAX_HALVINGS):
        new = _valued(
            rows,
            dispersion,
            tuple(a + size * d for a, d in zip(at.u, step.u, strict=True)),
            tuple(a + size * d for a, d in zip(at.b, step.b, strict=True)),
            at.beta + size * step.beta,
            at.eta + size * step.eta,
            prior,
        )
        if new.value <= at.value + 1e-12 * (1 + abs(at.value)):
            return new
        size /= 2
    return None
