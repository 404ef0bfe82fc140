"""Unstructured covariance, ``(x | g)``: k sds and k(k-1)/2 correlations, all free."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .base import Covariance, echelon, retriangularise


class Unstructured(Covariance):
    """Lambda is any lower-triangular matrix; theta is its column-major lower triangle (Bates et al. 2015, eq. 8).

    >>> Unstructured().factor(np.array([1.0, 0.5, 2.0]), 2)
    array([[1. , 0. ],
           [0.5, 2. ]])
    """

    name = "us"
    invariance = "linear"
    has_correlation = True

    def n_theta(self, k: int) -> int:
        return k * (k + 1) // 2

    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        lower = np.zeros((k, k))
        lower.T[_triangle(k)] = theta
        return lower

    def theta(self, factor: np.ndarray) -> np.ndarray:
        lower = retriangularise(factor)
        return lower.T[_triangle(len(lower))]

    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        return slope.T[_triangle(k)]

    def start(self, sds: np.ndarray) -> np.ndarray:
        return np.diag(sds)[_triangle(len(sds))]

    def theta_columns(self, k: int) -> list[list[int]]:
        starts = [j * k - j * (j - 1) // 2 for j in range(k)]
        return [list(range(start, start + k - j)) for j, start in enumerate(starts)]

    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        left, values, _ = np.linalg.svd(self.factor(theta, k))
        null = left[:, values < tolerance]
        return [null] if null.shape[1] else []

    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        return self.theta(np.column_stack([self.factor(theta, k), direction]))

    def leading(self, theta: np.ndarray, k: int) -> np.ndarray:
        lower = self.factor(theta, k)
        return theta if np.all(np.diag(lower)) else echelon(lower).T[_triangle(k)]

    def sample(self, sds: Any, k: int, site: str, correlation_prior: Any) -> Any:
        import numpyro

        return sds[:, None] * numpyro.sample(site, correlation_prior)


@lru_cache
def _triangle(k: int) -> tuple[np.ndarray, ...]:
    """Positions of the lower triangle, column by column, in the transpose."""
    return np.triu_indices(k)
