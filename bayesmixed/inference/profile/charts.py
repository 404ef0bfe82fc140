"""Where in the coordinates of a criterion a parameter is: x as a function of (parameter, everything else)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ...likelihood.working.coordinates import Coordinate

FOLDS = 40.0  # of a logarithm or a logit: a parameter 1e17 times as large


@dataclass(frozen=True)
class Chart(ABC):
    """x (m,) of y = (w, z): w stands for the parameter, of which `value` says the number, z (m - 1,) for the rest.

    `position` is where the parameter was in x.
    """

    position: int

    @abstractmethod
    def x(self, y: np.ndarray) -> np.ndarray:
        """x of y."""

    @abstractmethod
    def y(self, x: np.ndarray) -> np.ndarray:
        """y of x."""

    @abstractmethod
    def slopes(self, y: np.ndarray) -> np.ndarray:
        """d x / d y (m, m)."""

    def value(self, w: float) -> float:
        """The parameter at w."""
        return w

    def at(self, value: float) -> float:
        """The w of a parameter."""
        return value

    def stretch(self, w: float) -> float:
        """d value / d w."""
        return 1.0

    @property
    def far(self) -> float:
        """How far from the estimate w says nothing new."""
        return np.inf

    def pulled(self, y: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """The gradient in y (m,) from that in x."""
        return gradient @ self.slopes(y)

    def _permuted(self, y: np.ndarray) -> np.ndarray:
        return y[_order(self.position, len(y))]  # rows of a matrix alike

    def _front(self, x: np.ndarray) -> np.ndarray:
        found = np.empty_like(x)
        found[_order(self.position, len(x))] = x
        return found


@dataclass(frozen=True)
class Element(Chart):
    """The parameter is an element of x, perhaps by a `coordinate` of its own, such as a logarithm."""

    coordinate: Coordinate | None = None

    def x(self, y: np.ndarray) -> np.ndarray:
        return self._permuted(y)

    def y(self, x: np.ndarray) -> np.ndarray:
        return self._front(x)

    def slopes(self, y: np.ndarray) -> np.ndarray:
        return self._permuted(np.eye(len(y)))

    def pulled(self, y: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return self._front(gradient)

    def value(self, w: float) -> float:
        return w if self.coordinate is None else float(self.coordinate.value(w))

    @property
    def far(self) -> float:
        return FOLDS if self.coordinate is not None else np.inf

    def at(self, value: float) -> float:
        return value if self.coordinate is None else self.coordinate.at(value)

    def stretch(self, w: float) -> float:
        return 1.0 if self.coordinate is None else float(self.coordinate.parameter.slope(self.value(w)))


@dataclass(frozen=True)
class RelativeSd(Chart):
    """The element of x is an sd over sigma; sigma is `unit` times the exponential of the last of x, or a `constant`."""

    unit: float
    constant: float | None

    def x(self, y: np.ndarray) -> np.ndarray:
        found = self._permuted(y)
        found[self.position] /= self._sigma(found)
        return found

    def y(self, x: np.ndarray) -> np.ndarray:
        found = self._front(x)
        found[0] *= self._sigma(x)
        return found

    def slopes(self, y: np.ndarray) -> np.ndarray:
        J, x = self._permuted(np.eye(len(y))), self.x(y)
        J[self.position, 0] = 1 / self._sigma(x)
        if self.constant is None:
            J[self.position, -1] -= x[self.position]
        return J

    def _sigma(self, x: np.ndarray) -> float:
        return self.unit * float(np.exp(x[-1])) if self.constant is None else self.constant


@dataclass(frozen=True, eq=False)
class Combination(Chart):
    """The parameter is `origin` + c't of the elements t of x from `position` on, c (p,)."""

    c: np.ndarray
    origin: float

    def x(self, y: np.ndarray) -> np.ndarray:
        found = self._permuted(y)
        found[self._where] = self._turn @ np.append(found[self._where][1:], self._along(found[self.position]))
        return found

    def y(self, x: np.ndarray) -> np.ndarray:
        found, t = x.copy(), self._turn.T @ x[self._where]
        found[self._where] = np.insert(t[:-1], 0, self.origin + float(self.c @ x[self._where]))
        return self._front(found)

    def slopes(self, y: np.ndarray) -> np.ndarray:
        J = self._permuted(np.eye(len(y)))
        own = np.zeros((len(self.c), len(self.c)))
        own[:-1, 1:] = np.eye(len(self.c) - 1)
        own[-1, 0] = 1 / float(np.linalg.norm(self.c))
        J[self._where] = self._turn @ own @ J[self._where]
        return J

    def _along(self, value: float) -> float:
        return (value - self.origin) / float(np.linalg.norm(self.c))

    @property
    def _where(self) -> slice:
        return slice(self.position, self.position + len(self.c))

    @cached_property
    def _turn(self) -> np.ndarray:
        """An orthogonal matrix whose last column is along c."""
        p = len(self.c)
        Q, R = np.linalg.qr(np.column_stack([self.c, np.eye(p)])[:, :p])
        return np.column_stack([Q[:, 1:], np.sign(R[0, 0]) * Q[:, 0]])


@lru_cache
def _order(position: int, m: int) -> np.ndarray:
    """Where in y the elements (m,) of x are."""
    found = np.arange(m)
    found[:position] += 1
    found[position] = 0
    return found
