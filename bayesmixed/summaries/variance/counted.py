"""What are mean and variance over responses, where a row stands for as many of them as its count says?"""

from __future__ import annotations

import numpy as np


def mean(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Means (...,) of values (..., n) with counts (n,).

    >>> float(mean(np.array([1.0, 4.0]), np.array([2.0, 1.0])))
    2.0
    """
    return values @ (counts / counts.sum())


def variance(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Variances (...,) of values (..., n) with counts (n,), with the sum of the counts less 1; 0 of a single response.

    >>> float(variance(np.array([1.0, 4.0]), np.array([2.0, 1.0])))
    3.0
    """
    total = float(counts.sum())
    if total <= 1:
        return np.zeros(values.shape[:-1])
    centred = values - mean(values, counts)[..., None]
    return centred**2 @ counts / (total - 1)


def mean_square(columns: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """E[z z'] (k, k) of the rows z of columns (n, k) with counts (n,)."""
    return (counts[:, None] * columns).T @ columns / counts.sum()
