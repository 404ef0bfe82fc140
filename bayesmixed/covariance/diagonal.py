"""Diagonal covariance, ``(x || g)`` or ``diag(x | g)``: k free sds, no correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Covariance, Edge, log_det_penalty, of_lengths
from .parameters import Free, Values, sd_of_each
from .pins import OneElement, Pin, in_front


@dataclass(frozen=True)
class Diagonal(Covariance):
    """Lambda = diag(theta).

    >>> Diagonal().factor(np.array([1.0, 2.0]), 2)
    array([[1., 0.],
           [0., 2.]])
    """

    name = "diag"
    invariance = "scaling"
    correlated = False
    absorbing = True
    linear = True

    def parameters(self, k: int) -> Free:
        return Free(sd_of_each(k))

    def factor_from(self, values: Values, k: int, xp: Any) -> Any:
        return xp.where(np.eye(k, dtype=bool), values.sds[..., None], 0.0)

    def written(self, k: int, sds: str, shapes: tuple[str, ...]) -> str:
        return f"jnp.diag({sds})"

    def values(self, factor: np.ndarray) -> Values:
        return Values(np.sqrt(np.sum(factor**2, axis=-1)))

    def pulled(self, factor: np.ndarray, slopes: Values) -> np.ndarray:
        return of_lengths(factor, slopes.sds)

    def pins(self, k: int) -> tuple[Pin, ...]:
        return tuple(OneElement(in_front((i,), k)) for i in range(k))

    def boundary_penalty(self, factor: np.ndarray) -> tuple[float, np.ndarray]:
        return log_det_penalty(factor)

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

    def edges(self, theta: np.ndarray, k: int) -> list[tuple[Edge, ...]]:
        return [(Edge((j,), (0.0,), abs(float(theta[j]))),) for j in range(k)]

    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        return [np.eye(k)[:, [j]] for j in np.flatnonzero(np.abs(theta) < tolerance)]

    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        return np.hypot(theta, direction)

    def simplifies(self, other: Covariance, k: int, levels: bool) -> bool:
        return k > 1 and other.correlated and other.parameters(k).by_column
