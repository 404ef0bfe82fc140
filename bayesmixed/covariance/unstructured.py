"""Unstructured covariance, ``(x | g)``: k sds and k(k-1)/2 correlations, all free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import Covariance, retriangularise


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
        lower.T[np.triu_indices(k)] = theta
        return lower

    def theta(self, factor: np.ndarray) -> np.ndarray:
        lower = retriangularise(factor)
        return lower.T[np.triu_indices(len(lower))]

    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        return slope.T[np.triu_indices(k)]

    def start(self, sds: np.ndarray) -> np.ndarray:
        return np.diag(sds)[np.triu_indices(len(sds))]

    def theta_names(self, columns: Sequence[str], factor: str) -> list[str]:
        return [
            f"{factor}.{columns[j]}" if i == j else f"{factor}.{columns[i]}.{columns[j]}"
            for j in range(len(columns))
            for i in range(j, len(columns))
        ]

    def null_columns(self, theta: np.ndarray, k: int, tolerance: float) -> list[int]:
        return [int(j) for j in np.flatnonzero(np.abs(np.diag(self.factor(theta, k))) < tolerance)]

    def step_off(self, theta: np.ndarray, k: int, column: int, direction: np.ndarray) -> np.ndarray:
        lower = self.factor(theta, k)
        lower[:, column] = 0.0
        return self.theta(np.column_stack([lower, direction]))

    def sample(self, sds: Any, k: int, site: str, correlation_prior: Any) -> Any:
        import numpyro

        return sds[:, None] * numpyro.sample(site, correlation_prior)
