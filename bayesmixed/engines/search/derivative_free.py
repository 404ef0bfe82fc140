"""Minimising a criterion by its values alone: searches that share no step with those that follow the gradient."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from .gradient_methods import Counted, inverse_hessian
from .optimizer import HUGE, Optimizer, Optimum, ValueAndGradient

STEP = 1e-4  # of a coordinate's own uncertainty: steps that are shorter end a search
DECREASE = 1e-9  # of the criterion: so do decreases that are smaller
GAIN = 1e-7  # of the criterion: what a search that begins anew where the last ended must find to be repeated
EVALUATIONS = 400  # of the criterion per coordinate, at most

Values = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class DerivativeFree(Optimizer):
    """A method of SciPy that never asks for the gradient; that is formed once, to say how good the end is.

    The search begins anew where it ended until that gains nothing: such methods may stop where no minimum is.
    """

    def minimise(self, function: ValueAndGradient, start: np.ndarray, metric: np.ndarray | None = None) -> Optimum:
        counted = Counted(function)
        if len(start) == 0:
            value, gradient = counted(start)
            return Optimum(start, value, gradient, 0.0, 1, "nothing to optimise")
        unit = np.ones(len(start)) if metric is None else np.sqrt(np.maximum(np.abs(np.diag(metric)), 1e-300))
        z, value = start / unit, counted(start)[0]
        most = EVALUATIONS * len(start)
        while counted.evaluations < most:
            result = self.searched(lambda z: counted(z * unit)[0], z, self.maxiter or most - counted.evaluations)
            gain = value - float(result.fun)
            if gain > 0:
                z, value = np.asarray(result.x), float(result.fun)
            if gain < GAIN or self.limited:
                break
        return _ended(counted, z * unit, str(result.message).rstrip("."))

    @abstractmethod
    def searched(self, values: Values, start: np.ndarray, most: int) -> Any:
        """SciPy's result of one search of `most` iterations, in coordinates whose uncertainty is about 1."""


@dataclass(frozen=True)
class NelderMead(DerivativeFree):
    """The simplex of Nelder & Mead (1965), its steps adapted to the number of coordinates (Gao & Han 2012)."""

    name = "Nelder-Mead"

    def searched(self, values: Values, start: np.ndarray, most: int) -> Any:
        simplex = np.vstack([start, start + np.eye(len(start))])
        tests = {"initial_simplex": simplex, "xatol": STEP, "fatol": DECREASE, "adaptive": True}
        options: Any = {**tests, "maxiter": most, "maxfev": 2 * most}
        return minimize(values, start, method="Nelder-Mead", options=options)


@dataclass(frozen=True)
class COBYQA(DerivativeFree):
    """Quadratic models that interpolate values in a trust region: Powell's way (Ragonneau & Zhang 2023), as BOBYQA."""

    name = "COBYQA"

    def searched(self, values: Values, start: np.ndarray, most: int) -> Any:
        options: Any = {"initial_tr_radius": 1.0, "final_tr_radius": STEP, "maxiter": most, "maxfev": most}
        return minimize(values, start, method="COBYQA", options=options)


def _ended(counted: Counted, x: np.ndarray, message: str) -> Optimum:
    """Where a search ended, with the decrease that the gradient there still predicts."""
    value, gradient = counted(x)
    found = Optimum(x, value, gradient, np.inf, counted.evaluations, message)
    if value >= HUGE:
        return found
    inverse, _ = inverse_hessian(counted, found)
    return replace(found, decrease=float(0.5 * gradient @ inverse @ gradient), evaluations=counted.evaluations)
