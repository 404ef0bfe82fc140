"""Diagonal covariance, ``(x || g)`` or ``diag(x | g)``: k free sds, no correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Covariance


class Diagonal(Covariance):
    """Lambda = diag(theta).

    >>> Diagonal().factor(np.array([1.0, 2.0]), 2)
    array([[1., 0.],
           [0., 2.]])
    """

    name = "diag"
    invariance = "scaling"
    has_correlation = False

    def n_theta(self, k: int) -> int:
        return k

    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        return np.diag(theta)

    def theta(self, factor: np.ndarray) -> np.ndarray:
        return np.linalg.norm(factor, axis=1)

    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        return np.diag(slope).copy()

    def start(self, sds: np.ndarray) -> np.ndarray:
        return np.array(sds, dtype=float)

    def theta_columns(self, k: int) -> list[list[int]]:
        return [[j] for j in range(k)]

    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        return [np.eye(k)[:, [j]] for j in np.flatnonzero(np.abs(theta) < tolerance)]

    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        return np.hypot(theta, direction)

    def sample(self, sds: Any, k: int, site: str, correlation_prior: Any) -> Any:
        import jax.numpy as jnp

        return jnp.diag(sds)
