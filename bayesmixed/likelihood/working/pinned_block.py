"""A block whose theta begins with one of its parameters, whatever the columns in which the likelihood is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...covariance import Covariance, Edge, Free, Values
from ...covariance.pins import Pin, led
from .theta import Theta


@dataclass(frozen=True, eq=False)
class PinnedBlock(Covariance):
    """`base` in the coordinates (parameter, rest) of a `pin`, with the factor `A` Lambda in place of Lambda.

    A (k, k) takes the columns in the pin's order to those of the likelihood. A Lambda is not triangular, which nothing
    asks of a factor: so no factorisation is made, and none differentiated, on the way.
    """

    base: Covariance
    pin: Pin
    A: np.ndarray

    invariance = "none"

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.base.name

    @property
    def correlated(self) -> bool:  # type: ignore[override]
        return self.base.correlated

    def parameters(self, k: int) -> Free:
        return self.base.parameters(k)

    def factor_from(self, values: Values, k: int, xp: Any) -> Any:
        return self.base.factor_from(values, k, xp)

    def values(self, factor: np.ndarray) -> Values:
        return self.base.values(factor)

    def n_theta(self, k: int) -> int:
        return self.base.n_theta(k)

    def inner(self, theta: np.ndarray) -> np.ndarray:
        """The base's theta."""
        return self.pin.theta(float(theta[0]), theta[1:])

    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        return self.A @ self.base.factor(self.inner(theta), k)

    def theta(self, factor: np.ndarray) -> np.ndarray:
        at, rest = self.pin.split(self.base.theta(np.linalg.solve(self.A, factor)))
        return led(at, rest)

    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        inner = self.base.pullback(self.inner(theta), k, self.A.T @ slope)
        return self.pin.pulled(float(theta[0]), theta[1:], inner)

    def start(self, sds: np.ndarray) -> np.ndarray:
        at, rest = self.pin.split(self.base.start(sds[list(self.pin.order)]))
        return led(at, rest)

    def edges(self, theta: np.ndarray, k: int) -> list[tuple[Edge, ...]]:
        return []

    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        """Those of the columns behind the leading ones, which leave the parameter as it is."""
        first = self.pin.leading
        if first >= k:
            return []
        groups = self.base.null_directions(self._behind(theta, k), k - first, tolerance)
        return [np.concatenate([np.zeros((first, group.shape[1])), group]) for group in groups]

    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        first = self.pin.leading
        moved = self.base.step_off(self._behind(theta, k), k - first, direction[first:])
        Lambda = self.base.factor(self.inner(theta), k)
        Lambda[first:, first:] = self.base.factor(moved, k - first)
        found = np.insert(self.pin.split(self.base.theta(Lambda))[1], 0, theta[0])
        return found

    def _behind(self, theta: np.ndarray, k: int) -> np.ndarray:
        first = self.pin.leading
        return self.base.theta(self.base.factor(self.inner(theta), k)[first:, first:])


def pinned(theta: Theta, j: int, pin: Pin) -> Theta:
    """The layout in which the parameter is the first element of the group term at j."""
    order = np.eye(theta.k(j))[list(pin.order)]
    columns = np.linalg.solve(theta.bases[j], order.T)
    block = PinnedBlock(theta.covariances[j], pin.beside(columns), columns)
    return replace(theta, covariances=tuple(block if i == j else c for i, c in enumerate(theta.covariances)))
