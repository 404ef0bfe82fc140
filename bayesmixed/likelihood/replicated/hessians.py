"""How the deviances of many responses bend at their minima: Hessians by differences of the exact gradients."""

from __future__ import annotations

import numpy as np

from ..criteria.hessian import HUNDREDTH
from .laplace import ManyLaplace


def many_hessians(criteria: ManyLaplace, x: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The Hessians (B, m, m) at x (B, m), by central differences of a hundredth of a standard error.

    `variance` (m,) is a guess of the variances of x; an error of the step's square over 6 of third derivatives is left.
    """
    members, H = np.arange(len(x)), np.empty((len(x), x.shape[1], x.shape[1]))
    steps = HUNDREDTH * np.sqrt(variance)
    for i, step in enumerate(steps):
        moved = np.zeros(x.shape[1])
        moved[i] = step
        above = criteria.values_and_gradients(x + moved, members)[1]
        H[:, i] = (above - criteria.values_and_gradients(x - moved, members)[1]) / (2 * step)
    return 0.5 * (H + H.transpose(0, 2, 1))


def covariances(H: np.ndarray, held: np.ndarray) -> np.ndarray:
    """2 H^-1 (B, m, m) of what is not `held` (B, m), zero beside it; NaN where H is not positive."""
    free = ~held
    part = np.where(free[:, :, None] & free[:, None, :], H, np.eye(H.shape[1]))
    known = np.all(np.isfinite(part), axis=(1, 2))
    part[~known] = np.eye(H.shape[1])
    sizes = np.sqrt(np.maximum(np.diagonal(part, axis1=1, axis2=2), 1e-300))
    units = sizes[:, :, None] * sizes[:, None, :]
    values, vectors = np.linalg.eigh(part / units)
    known &= values[:, 0] > 0
    values[~known] = np.nan
    found: np.ndarray = 2 * (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1) / units
    return np.where(free[:, :, None] & free[:, None, :], found, 0.0)
