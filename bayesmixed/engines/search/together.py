"""Minimising many smooth criteria at once: one quasi-Newton search each, evaluated together, until each has ended.

A member that has ended moves no more, so its answer depends on no other; the last steps are Newton's, which leave no
trace of the way there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .optimizer import HUGE

Evaluate = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""x (b, m), members (b,) -> values (b,), gradients (b, m)."""

MAX_ROUNDS = 200
ENOUGH = 1e-4  # of the predicted decrease: what a step must achieve (Armijo)
DECREASE = 1e-6  # predicted decrease of the criterion at which a search ends, and
STEP = 1e-4  # predicted step, relative to 1 + |x|: Newton's steps that follow square what is left
SHORTEST = 1e-8  # of a step: a search that needs shorter ones is stuck
LONGEST = 4.0  # of a step, in 1 + |x|
CHORDS = 3  # last steps with one Hessian
FLAT = 1e-8  # of the largest curvature, in units of the diagonal


@dataclass(frozen=True)
class ManyOptima:
    """Where B searches ended: `x` (B, m), `values` (B,), `gradients` (B, m), `hessians` (B, m, m), `evaluations` (B,).

    `decrease` (B,) is what a Newton step would still gain; `curved_up` (B,) whether the Hessian is positive definite.
    """

    x: np.ndarray
    values: np.ndarray
    gradients: np.ndarray
    hessians: np.ndarray
    decrease: np.ndarray
    curved_up: np.ndarray
    evaluations: np.ndarray

    @property
    def converged(self) -> np.ndarray:
        """As of one `Optimum`, and at a minimum inside."""
        return np.isfinite(self.values) & (self.values < HUGE) & (self.decrease < 1e-6) & self.curved_up


def minimise_together(function: Evaluate, start: np.ndarray, metric: np.ndarray) -> ManyOptima:
    """Search from `start` (B, m); `metric` (m, m) guesses the inverse Hessian of every member."""
    safe = _safe(function)
    x, values, gradients, evaluations = _quasi_newton(safe, start, metric)
    return _polished(safe, x, values, gradients, evaluations)


def _safe(function: Evaluate) -> Evaluate:
    """A function that has a huge value where one cannot be evaluated; a member that fails spoils no other."""

    def evaluate(x: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        try:
            with np.errstate(all="ignore"):
                values, gradients = function(x, members)
        except np.linalg.LinAlgError:
            if len(x) == 1:
                return np.array([HUGE]), np.zeros_like(x)
            half = len(x) // 2
            parts = [evaluate(x[some], members[some]) for some in (slice(half), slice(half, None))]
            return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        good = np.isfinite(values) & np.isfinite(gradients).all(axis=1)
        return np.where(good, values, HUGE), np.where(good[:, None], gradients, 0.0)

    return evaluate


def _quasi_newton(
    function: Evaluate, start: np.ndarray, metric: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """BFGS with backtracking: every round each member that goes on evaluates one point."""
    x, count = start.copy(), len(start)
    members = np.arange(count)
    f, g = function(x, members)
    inverse = np.repeat(metric[None], count, axis=0)
    direction = _direction(inverse, g, x)
    size, evaluations = np.ones(count), np.ones(count, dtype=int)
    active = members[~_small(direction, g, x)]
    for _ in range(MAX_ROUNDS):
        if not len(active):
            break
        step = size[active, None] * direction[active]
        f_new, g_new = function(x[active] + step, active)
        evaluations[active] += 1
        slope = np.einsum("bi,bi->b", g[active], step)
        good = f_new <= f[active] + ENOUGH * slope
        moved = active[good]
        inverse[moved] = _updated(inverse[moved], step[good], g_new[good] - g[moved])
        x[moved], f[moved], g[moved] = x[moved] + step[good], f_new[good], g_new[good]
        direction[moved], size[moved] = _direction(inverse[moved], g[moved], x[moved]), 1.0
        back = active[~good]
        size[back] *= _shortened(f_new[~good] - f[back], slope[~good])
        ended = size[active] < SHORTEST
        ended[good] |= _small(direction[moved], g[moved], x[moved])
        active = active[~ended]
    return x, f, g, evaluations


def _direction(inverse: np.ndarray, g: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The quasi-Newton step, no longer than `LONGEST`."""
    step = -np.einsum("bij,bj->bi", inverse, g)
    longest, most = np.max(np.abs(step), axis=1, initial=0.0), LONGEST * (1 + np.max(np.abs(x), axis=1, initial=0.0))
    return step * np.minimum(1.0, most / np.maximum(longest, 1e-300))[:, None]


def _small(direction: np.ndarray, g: np.ndarray, x: np.ndarray) -> np.ndarray:
    predicted = -0.5 * np.einsum("bi,bi->b", direction, g)
    near = np.max(np.abs(direction), axis=1, initial=0.0) <= STEP * (1 + np.max(np.abs(x), axis=1, initial=0.0))
    return (predicted < DECREASE) & near


def _shortened(rise: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """The factor of the next trial: the minimum of the parabola through value, slope and the trial's value."""
    with np.errstate(all="ignore"):
        return np.clip(np.nan_to_num(-slope / (2 * (rise - slope)), nan=0.1), 0.1, 0.5)


def _updated(inverse: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The BFGS update of inverse Hessians; members without curvature along the step keep theirs."""
    sy = np.einsum("bi,bi->b", s, y)
    bends = sy > 1e-10 * np.linalg.norm(s, axis=1) * np.linalg.norm(y, axis=1)
    rho = np.where(bends, 1 / np.where(bends, sy, 1.0), 0.0)
    left = np.eye(s.shape[1]) - rho[:, None, None] * s[:, :, None] * y[:, None, :]
    found = left @ inverse @ left.transpose(0, 2, 1) + rho[:, None, None] * s[:, :, None] * s[:, None, :]
    return np.where(bends[:, None, None], found, inverse)


def _polished(function: Evaluate, x: np.ndarray, f: np.ndarray, g: np.ndarray, evaluations: np.ndarray) -> ManyOptima:
    """Newton steps with one Hessian by differences, each taken where it lowers the gradient."""
    x, f, g = x.copy(), f.copy(), g.copy()
    members = np.arange(len(x))
    hessians = _hessians(function, x, g)
    inverse, unit = _absolute_inverse(hessians)
    for _ in range(CHORDS if x.shape[1] else 0):
        step = -np.einsum("bij,bj->bi", inverse, g)
        f_new, g_new = function(x + step, members)
        lower = np.max(np.abs(g_new), axis=1) < np.max(np.abs(g), axis=1)
        lower &= f_new <= f + 1e-9 * (1 + np.abs(f))
        x[lower], f[lower], g[lower] = x[lower] + step[lower], f_new[lower], g_new[lower]
    decrease = 0.5 * np.einsum("bi,bij,bj->b", g, inverse, g)
    scaled = hessians * unit[:, :, None] * unit[:, None, :]
    curved_up = np.linalg.eigvalsh(scaled)[:, 0] > FLAT if x.shape[1] else np.ones(len(x), dtype=bool)
    return ManyOptima(x, f, g, hessians, decrease, curved_up, evaluations + x.shape[1] + CHORDS)


def _hessians(function: Evaluate, x: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Differences of the gradient (B, m, m), symmetric."""
    count, m = x.shape
    if not m:
        return np.zeros((count, 0, 0))
    size = 1e-5 * (1 + np.abs(x))
    moved = [x + size[:, [i]] * np.eye(m)[i] for i in range(m)]
    _, slopes = function(np.concatenate(moved), np.tile(np.arange(count), m))
    found = (slopes.reshape(m, count, m) - g).transpose(1, 0, 2) / size[:, :, None]
    return 0.5 * (found + found.transpose(0, 2, 1))


def _absolute_inverse(hessians: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|H|^-1 (B, m, m), flat directions left out, and the units (B, m) in which the diagonal is 1."""
    bends = np.abs(np.diagonal(hessians, axis1=1, axis2=2))
    unit = np.where(bends > 0, 1 / np.sqrt(np.maximum(bends, 1e-300)), 0.0)
    values, vectors = np.linalg.eigh(hessians * unit[:, :, None] * unit[:, None, :])
    size = np.abs(values)
    kept = size > FLAT * np.maximum(size.max(axis=1, initial=1e-300), 1e-300)[:, None]
    weights = np.where(kept, 1 / np.where(kept, size, 1.0), 0.0)
    half = unit[:, :, None] * vectors
    return (half * weights[:, None, :]) @ half.transpose(0, 2, 1), unit
