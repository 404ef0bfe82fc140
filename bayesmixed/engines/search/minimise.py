"""Minimising a smooth criterion with an exact gradient: quasi-Newton, then Newton steps where that stopped early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...errors import FitError, nearest

OPTIMIZERS = ("BFGS", "L-BFGS-B", "TNC", "SLSQP")
DECREASE = 1e-8  # predicted decrease of the criterion below which no further step is taken, and
STEP = 1e-6  # predicted step, relative to 1 + |x|: both must be small
ROUNDING = 1e-9  # of a value: what a step may raise it by
MAX_ITERATIONS = 1000
STOPPED = 99  # SciPy's status of a search that a callback ended
HUGE = 1e100  # stands for +inf, which line searches cannot interpolate

ValueAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Optimum:
    """Where the search ended: `x`, `value`, `gradient` there, the predicted remaining `decrease`, `evaluations`."""

    x: np.ndarray
    value: float
    gradient: np.ndarray
    decrease: float
    evaluations: int
    message: str

    @property
    def converged(self) -> bool:
        """Whether the predicted remaining decrease is negligible: 1e-6 in the criterion."""
        return bool(np.isfinite(self.value) and self.decrease < 1e-6 and self.value < HUGE)


def minimise(
    function: ValueAndGradient,
    start: np.ndarray,
    *,
    metric: np.ndarray | None = None,
    optimizer: str | None = None,
    maxiter: int | None = None,
) -> Optimum:
    """Minimise `function`.

    Parameters
    ----------
    function
        x -> (value, gradient); may raise LinAlgError outside its domain.
    start
        First x.
    metric
        A guess of the inverse Hessian at `start`; used by BFGS.
    optimizer
        One of SciPy's gradient methods in `OPTIMIZERS`, BFGS by default.
    maxiter
        Limit of iterations, 1000 by default.
    """
    if optimizer is not None and optimizer not in OPTIMIZERS:
        raise FitError(f"Unknown optimizer {optimizer!r}. {nearest(optimizer, OPTIMIZERS)}")
    if len(start) == 0:
        value, gradient = _Counted(function)(start)
        return Optimum(start, value, gradient, 0.0, 1, "nothing to optimise")
    unit = _units(metric, len(start))
    if np.any(unit > 1):
        within = _minimise(
            _in_units(function, unit), start / unit, metric / np.outer(unit, unit), optimizer=optimizer, maxiter=maxiter
        )
        return replace(within, x=within.x * unit, gradient=within.gradient / unit)
    return _minimise(function, start, metric, optimizer=optimizer, maxiter=maxiter)


def _units(metric: np.ndarray | None, size: int) -> np.ndarray:
    """What each coordinate is measured in: its own uncertainty where that is large, so that no gradient looks small.

    An sd of 1e8 residual sds has a gradient of 1e-8, which SciPy's test takes for zero.
    """
    return np.ones(size) if metric is None else np.maximum(np.sqrt(np.abs(np.diag(metric))), 1.0)


def _in_units(function: ValueAndGradient, unit: np.ndarray) -> ValueAndGradient:
    def scaled(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = function(x * unit)
        return value, gradient * unit

    return scaled


def _minimise(
    function: ValueAndGradient,
    start: np.ndarray,
    metric: np.ndarray | None,
    *,
    optimizer: str | None,
    maxiter: int | None,
) -> Optimum:
    counted = _Counted(function)
    method = optimizer or "BFGS"
    options: dict[str, Any] = {"gtol": 1e-5, "hess_inv0": metric} if method == "BFGS" else {"ftol": 1e-15}
    if method == "L-BFGS-B":
        options |= {"gtol": 1e-6, "maxcor": 30}
    options["maxfun" if method == "TNC" else "maxiter"] = maxiter or MAX_ITERATIONS
    stop = None if metric is None or method != "BFGS" else _stopper(counted, metric)
    result: Any = minimize(  # type: ignore[call-overload]
        counted, start, jac=True, method=method, options=options, callback=stop
    )
    inverse = result.hess_inv if hasattr(result, "hess_inv") else None
    dense = None if inverse is None else (inverse.todense() if hasattr(inverse, "todense") else inverse)
    point = Optimum(result.x, float(result.fun), np.asarray(result.jac), np.inf, 0, _words(result, maxiter))
    polished = point if maxiter is not None and result.nit >= maxiter else _polish(counted, point, dense)
    return Optimum(
        polished.x, polished.value, polished.gradient, polished.decrease, counted.evaluations, polished.message
    )


def _words(result: Any, maxiter: int | None) -> str:
    """How the search ended, in words of our own."""
    if not result.success and result.nit >= (maxiter or MAX_ITERATIONS):
        return f"after {result.nit} iterations, the most allowed"
    if not np.isfinite(result.fun) or result.fun >= HUGE:
        return "no point was found at which the criterion can be evaluated"
    if result.success or result.status == STOPPED:
        return "the last steps were negligible, but the criterion still slopes there"
    return "no step lowers the criterion any more, but it still slopes there, as where rounding hides the way down"


class _Counted:
    """Counts evaluations, remembers the last gradient, and turns a failed factorisation into a huge value."""

    def __init__(self, function: ValueAndGradient) -> None:
        self.function = function
        self.evaluations = 0
        self.last: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        try:
            value, gradient = self.function(x)
        except np.linalg.LinAlgError:
            value, gradient = HUGE, np.zeros_like(x)
        if not np.isfinite(value):
            value, gradient = HUGE, np.zeros_like(x)
        self.last = (x.copy(), gradient)
        return value, gradient


def _stopper(counted: _Counted, metric: np.ndarray) -> Callable[[np.ndarray], None]:
    """Ends a search by scale: SciPy's test is of the gradient alone, whose unit depends on the amount of data."""

    def stop(x: np.ndarray) -> None:
        if counted.last is None or not np.array_equal(counted.last[0], x):
            return
        step = metric @ counted.last[1]
        if 0.5 * step @ counted.last[1] < DECREASE and _small(step, x):
            raise StopIteration

    return stop


def _small(step: np.ndarray, x: np.ndarray) -> bool:
    return bool(np.max(np.abs(step)) <= STEP * (1 + np.max(np.abs(x))))


def _polish(function: _Counted, point: Optimum, inverse: np.ndarray | None) -> Optimum:
    """Newton steps with a Hessian of gradient differences, until the predicted decrease is negligible."""
    for attempt in range(4):
        step = None if inverse is None else -inverse @ point.gradient
        decrease = np.inf if step is None else float(-0.5 * step @ point.gradient)
        point = Optimum(point.x, point.value, point.gradient, max(decrease, 0.0), 0, point.message)
        small = step is not None and _small(step, point.x)
        if 0 <= decrease <= DECREASE and (small or attempt > 0):
            return point
        if attempt == 3:
            return point
        inverse, rounding = _inverse_hessian(function, point)
        trial = point.x - inverse @ point.gradient
        value, gradient = function(trial)
        if value <= point.value + max(rounding, ROUNDING * (1 + abs(point.value))) and (
            np.max(np.abs(gradient)) < np.max(np.abs(point.gradient)) or value < point.value - DECREASE
        ):
            point = Optimum(trial, value, gradient, point.decrease, 0, point.message)
    return point


def _inverse_hessian(function: _Counted, point: Optimum) -> tuple[np.ndarray, float]:
    """(|H|)^-1 from forward differences of the gradient, flat directions left out; and the rounding of values.

    That is how far values are from the parabola that the gradients say: sums of huge terms know less than the gradient.
    """
    size = 1e-5 * (1 + np.abs(point.x))
    moved = [function(point.x + h * e) for h, e in zip(size, np.eye(len(size)), strict=True)]
    slopes = np.array([gradient for _, gradient in moved])
    hessian = (slopes - point.gradient) / size[:, None]
    said = point.value + 0.5 * size * (np.diag(slopes) + point.gradient)
    off = np.abs([value for value, _ in moved] - said)
    # in units of its diagonal, or a direction of curvature 1 would be flat beside one of 1e9
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T) * np.outer(unit, unit))
    values = np.abs(values)
    kept = values > 1e-8 * max(values.max(), 1e-300)
    rounding = float(np.median(off))  # a step outside the domain is far off, and no rounding
    half = unit[:, None] * vectors[:, kept]
    return (half / values[kept]) @ half.T, rounding
