"""The metric of the sampler: the inverse curvature at the start, so that a warm-up has only its step size to find."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FLOOR = 0.1  # smallest curvature of the metric relative to the rough scales
DIFFERENCE = 1e-4  # of a rough scale: the step of the differences that make the Hessian
TIMED = 5  # evaluations of the gradient that are timed


@dataclass(frozen=True)
class Metric:
    """`inverse_mass` (d, d), or (d,) where only its diagonal is kept, a `root` of it, and `seconds` per gradient."""

    inverse_mass: np.ndarray
    root: np.ndarray
    seconds: float

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """A normal draw (d,) with this covariance: how far chains start from each other."""
        noise = rng.standard_normal(len(self.root))
        return self.root @ noise if self.root.ndim == 2 else self.root * noise


def metric_at(
    gradient: Callable[[np.ndarray], np.ndarray], unit: np.ndarray, *, dense: bool, few: np.ndarray
) -> Metric:
    """The metric around the start.

    Parameters
    ----------
    gradient
        Shift (d,) from the start -> gradient (d,) of the potential energy there.
    unit
        (d,), rough posterior sds, in which distances are measured.
    dense
        Invert the whole Hessian. Else the metric is diagonal: squared units, for the positions `few` the diagonal of
        the inverse of their part of the Hessian.
    few
        Positions of the parameters that are not effects of levels.

    The Hessian is taken by central differences of the gradient; eigenvalues below 0.1 are raised, so that a direction
    that only the prior holds stays within about three units.
    """
    seconds = _seconds(gradient, len(unit))
    if dense:
        root = _root(gradient, unit, np.arange(len(unit)))
        return Metric(root @ root.T, root, seconds)
    scale = unit.copy()
    scale[few] = np.linalg.norm(_root(gradient, unit, few), axis=1)
    return Metric(scale**2, scale, seconds)


def _root(gradient: Callable[[np.ndarray], np.ndarray], unit: np.ndarray, where: np.ndarray) -> np.ndarray:
    """R (m, m) with R R' the inverse Hessian at the positions `where`; the units where there is none."""
    steps = DIFFERENCE * np.diag(unit)[where]
    columns = [unit * (gradient(step) - gradient(-step)) / (2 * DIFFERENCE) for step in steps]
    hessian = np.array(columns).reshape(len(where), len(unit))[:, where]
    if not np.all(np.isfinite(hessian)):
        return np.diag(unit[where])
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    return unit[where, None] * vectors / np.sqrt(np.maximum(np.abs(values), FLOOR))


def _seconds(gradient: Callable[[np.ndarray], np.ndarray], d: int) -> float:
    """The shortest of a few evaluations: others may have used the processor meanwhile."""
    times = []
    for _ in range(TIMED):
        begin = time.perf_counter()
        gradient(np.zeros(d))
        times.append(time.perf_counter() - begin)
    return min(times)
