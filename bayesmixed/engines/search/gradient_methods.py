"""Minimising a smooth criterion with an exact gradient: quasi-Newton, then Newton steps where that stopped early."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from .optimizer import HUGE, Optimizer, Optimum, ValueAndGradient

DECREASE = 1e-8  # predicted decrease of the criterion below which no further step is taken, and
STEP = 1e-6  # predicted step, relative to 1 + |x|: both must be small
ROUNDING = 1e-9  # of a value: what a step may raise it by
MAX_ITERATIONS = 1000
STOPPED = 99  # SciPy's status of a search that a callback ended


@dataclass(frozen=True)
class GradientMethod(Optimizer):
    """A gradient method of SciPy, then Newton steps where it stopped early."""

    def minimise(self, function: ValueAndGradient, start: np.ndarray, metric: np.ndarray | None = None) -> Optimum:
        if len(start) == 0:
            value, gradient = Counted(function)(start)
            return Optimum(start, value, gradient, 0.0, 1, "nothing to optimise")
        unit = _units(metric, len(start))
        if metric is None or not np.any(unit > 1):
            return self._minimise(function, start, metric)
        within = self._minimise(_in_units(function, unit), start / unit, metric / np.outer(unit, unit))
        return replace(within, x=within.x * unit, gradient=within.gradient / unit)

    @property
    def iterations(self) -> int:
        """The most iterations of the search."""
        return self.maxiter or MAX_ITERATIONS

    @abstractmethod
    def options(self, metric: np.ndarray | None) -> dict[str, Any]:
        """Options of `scipy.optimize.minimize`, its tests of convergence among them."""

    def stop(self, counted: Counted, metric: np.ndarray | None) -> Callable[[np.ndarray], None] | None:
        """A callback that ends the search where SciPy's own tests would go on for nothing."""
        return None

    def _minimise(self, function: ValueAndGradient, start: np.ndarray, metric: np.ndarray | None) -> Optimum:
        counted = Counted(function)
        result: Any = minimize(  # type: ignore[call-overload]
            counted,
            start,
            jac=True,
            method=self.name,
            options=self.options(metric),
            callback=self.stop(counted, metric),
        )
        inverse = result.hess_inv if hasattr(result, "hess_inv") else None
        dense = None if inverse is None else (inverse.todense() if hasattr(inverse, "todense") else inverse)
        words = _words(result, self.iterations)
        point = Optimum(result.x, float(result.fun), np.asarray(result.jac), np.inf, 0, words)
        polished = point if self.limited and result.nit >= self.iterations else _polish(counted, point, dense)
        return replace(polished, evaluations=counted.evaluations)


@dataclass(frozen=True)
class BFGS(GradientMethod):
    """Broyden, Fletcher, Goldfarb and Shanno's: starts with the metric, and stops by what it predicts."""

    name = "BFGS"

    def options(self, metric: np.ndarray | None) -> dict[str, Any]:
        return {"gtol": 1e-5, "hess_inv0": metric, "maxiter": self.iterations}

    def stop(self, counted: Counted, metric: np.ndarray | None) -> Callable[[np.ndarray], None] | None:
        return None if metric is None else _stopper(counted, metric)


@dataclass(frozen=True)
class LBFGSB(GradientMethod):
    """The limited-memory form of BFGS."""

    name = "L-BFGS-B"

    def options(self, metric: np.ndarray | None) -> dict[str, Any]:
        return {"ftol": 1e-15, "gtol": 1e-6, "maxcor": 30, "maxiter": self.iterations}


@dataclass(frozen=True)
class TNC(GradientMethod):
    """A truncated Newton method; its limit is of evaluations."""

    name = "TNC"

    def options(self, metric: np.ndarray | None) -> dict[str, Any]:
        return {"ftol": 1e-15, "maxfun": self.iterations}


@dataclass(frozen=True)
class SLSQP(GradientMethod):
    """Sequential quadratic programs."""

    name = "SLSQP"

    def options(self, metric: np.ndarray | None) -> dict[str, Any]:
        return {"ftol": 1e-15, "maxiter": self.iterations}


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


def _words(result: Any, iterations: int) -> str:
    """How the search ended, in words of our own."""
    if not result.success and result.nit >= iterations:
        return f"after {result.nit} iterations, the most allowed"
    if not np.isfinite(result.fun) or result.fun >= HUGE:
        return "no point was found at which the criterion can be evaluated"
    if result.success or result.status == STOPPED:
        return "the last steps were negligible, but the criterion still slopes there"
    return "no step lowers the criterion any more, but it still slopes there, as where rounding hides the way down"


class Counted:
    """A criterion that counts its evaluations, remembers the last gradient and is huge where it cannot be evaluated."""

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


def _stopper(counted: Counted, metric: np.ndarray) -> Callable[[np.ndarray], None]:
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


def _polish(function: Counted, point: Optimum, inverse: np.ndarray | None) -> Optimum:
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
        inverse, rounding = inverse_hessian(function, point)
        trial = point.x - inverse @ point.gradient
        value, gradient = function(trial)
        if value <= point.value + max(rounding, ROUNDING * (1 + abs(point.value))) and (
            np.max(np.abs(gradient)) < np.max(np.abs(point.gradient)) or value < point.value - DECREASE
        ):
            point = Optimum(trial, value, gradient, point.decrease, 0, point.message)
    return point


def inverse_hessian(function: Counted, point: Optimum) -> tuple[np.ndarray, float]:
    """(|H|)^-1 from forward differences of the gradient, flat directions left out; and the rounding of values.

    That is how far values are from the parabola that the gradients say: sums of huge terms know less than the gradient.
    """
    size = 1e-5 * (1 + np.abs(point.x))
    moved = [function(point.x + h * e) for h, e in zip(size, np.eye(len(size)), strict=True)]
    slopes = np.array([gradient for _, gradient in moved])
    hessian = (slopes - point.gradient) / size[:, None]
    said = point.value + 0.5 * size * (np.diag(slopes) + point.gradient)
    off = np.abs([value for value, _ in moved] - said)
    # in units of its diagonal, or a direction of curvature 1 would be flat beside one of 1e9; what is held has none
    bends = np.abs(np.diag(hessian))
    unit = np.where(bends > 0, 1 / np.sqrt(np.maximum(bends, 1e-300)), 0.0)
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T) * np.outer(unit, unit))
    values = np.abs(values)
    kept = values > 1e-8 * max(values.max(), 1e-300)
    rounding = float(np.median(off))  # a step outside the domain is far off, and no rounding
    half = unit[:, None] * vectors[:, kept]
    return (half / values[kept]) @ half.T, rounding
