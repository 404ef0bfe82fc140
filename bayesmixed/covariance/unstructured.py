"""Unstructured covariance, ``(x | g)``: k sds and k(k-1)/2 correlations, all free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Covariance, Edge, echelon, log_det_penalty, of_lengths, retriangularise
from .parameters import CorrelationMatrix, Free, Values, sd_of_each
from .pins import FirstPair, FirstSd, Pin, in_front, triangle


@dataclass(frozen=True)
class Unstructured(Covariance):
    """Lambda is any lower-triangular matrix; theta is its column-major lower triangle (Bates et al. 2015, eq. 8).

    >>> Unstructured().factor(np.array([1.0, 0.5, 2.0]), 2)
    array([[1. , 0. ],
           [0.5, 2. ]])
    """

    name = "us"
    invariance = "linear"
    correlated = True
    absorbing = True
    unrestricted = True
    linear = True

    def parameters(self, k: int) -> Free:
        return Free(sd_of_each(k), (CorrelationMatrix(k),) if k > 1 else ())

    def factor_from(self, values: Values, k: int, xp: Any) -> Any:
        return values.sds[..., None] * (values.shapes[0] if k > 1 else 1.0)

    def written(self, k: int, sds: str, shapes: tuple[str, ...]) -> str:
        return f"{sds}[:, None] * {shapes[0]}"

    def values(self, factor: np.ndarray) -> Values:
        sds = np.sqrt(np.sum(factor**2, axis=-1))
        if factor.shape[-2] == 1:
            return Values(sds)
        unit = np.divide(factor, sds[..., None], out=np.zeros_like(factor), where=sds[..., None] != 0)
        return Values(sds, (unit,))

    def pulled(self, factor: np.ndarray, slopes: Values) -> np.ndarray:
        found = of_lengths(factor, slopes.sds)
        if not slopes.shapes:
            return found
        norms = np.linalg.norm(factor, axis=1)
        inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        unit = inverse[:, None] * factor
        of_unit = 2 * slopes.shapes[0] @ unit
        of_unit -= unit * np.sum(unit * of_unit, axis=1, keepdims=True)
        return found + inverse[:, None] * of_unit

    def pins(self, k: int) -> tuple[Pin, ...]:
        sds = [FirstSd(in_front((i,), k)) for i in range(k)]
        return (*sds, *(FirstPair(in_front((j, i), k)) for i in range(k) for j in range(i)))

    def boundary_penalty(self, factor: np.ndarray) -> tuple[float, np.ndarray]:
        return log_det_penalty(factor)

    def n_theta(self, k: int) -> int:
        return k * (k + 1) // 2

    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        lower = np.zeros((k, k))
        lower.T[triangle(k)] = theta
        return lower

    def theta(self, factor: np.ndarray) -> np.ndarray:
        lower = retriangularise(factor)
        return lower.T[triangle(len(lower))]

    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        return slope.T[triangle(k)]

    def start(self, sds: np.ndarray) -> np.ndarray:
        return np.diag(sds)[triangle(len(sds))]

    def edges(self, theta: np.ndarray, k: int) -> list[tuple[Edge, ...]]:
        """Of each column of Lambda: all of it zero, its diagonal element zero."""
        starts = [j * k - j * (j - 1) // 2 for j in range(k)]
        columns = [tuple(range(start, start + k - j)) for j, start in enumerate(starts)]
        return [(_zero(theta, column), _zero(theta, column[:1])) for column in columns]

    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        left, values, _ = np.linalg.svd(self.factor(theta, k))
        null = left[:, values < tolerance]
        return [null] if null.shape[1] else []

    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        return self.theta(np.column_stack([self.factor(theta, k), direction]))

    def leading(self, theta: np.ndarray, k: int) -> np.ndarray:
        lower = self.factor(theta, k)
        return theta if np.all(np.diag(lower)) else echelon(lower).T[triangle(k)]


def _zero(theta: np.ndarray, positions: tuple[int, ...]) -> Edge:
    return Edge(positions, (0.0,) * len(positions), float(np.max(np.abs(theta[list(positions)]))))
