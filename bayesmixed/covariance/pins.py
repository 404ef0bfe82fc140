"""In which coordinates of a block is one of its parameters a coordinate of its own: what a profile holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy

COLLINEAR = 0.995  # cosine of two columns from which one sd says what the other is


@dataclass(frozen=True)
class Pin(ABC):
    """theta of a block as (one parameter, the rest).

    `order` are the positions of the columns, in which order theta is that of: the parameter is then simple. `ends` are
    its own; `relative` says that it is in the unit of the sds, so that it is what sds are relative to times its value
    here; `signed` are positions in the rest that must not be negative.

    Source: Bates (2010), lme4: Mixed-effects Modeling with R, section 1.5.
    """

    order: tuple[int, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """Between which numbers the parameter lies."""
        return 0.0, np.inf

    @property
    def relative(self) -> bool:
        """Whether the parameter is an sd."""
        return True

    @property
    def signed(self) -> tuple[int, ...]:
        """Positions in the rest of what must not be negative."""
        return ()

    @property
    @abstractmethod
    def leading(self) -> int:
        """How many columns come first: what those after them have of their own is a block of the same structure."""

    def beside(self, columns: np.ndarray) -> Pin:
        """The same parameter, where it can with the rest in units of `columns` (k, k), in the order of the pin."""
        return self

    @abstractmethod
    def theta(self, at: float, rest: np.ndarray) -> np.ndarray:
        """theta (m,) where the parameter is `at` and the rest (m - 1,)."""

    @abstractmethod
    def split(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The inverse of `theta`."""

    @abstractmethod
    def pulled(self, at: float, rest: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """d f / d (parameter, rest) (m,) from `slope` = d f / d theta (m,)."""


@dataclass(frozen=True)
class OneElement(Pin):
    """The sd is the element of theta at `position`, or its square."""

    leading: int = 1
    position: int = 0
    squared: bool = False

    def theta(self, at: float, rest: np.ndarray) -> np.ndarray:
        own = np.sqrt(at) if self.squared else at
        return np.concatenate([rest[: self.position], [own], rest[self.position :]])

    def split(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        at = float(theta[self.position])
        return at**2 if self.squared else abs(at), np.delete(theta, self.position)

    def pulled(self, at: float, rest: np.ndarray, slope: np.ndarray) -> np.ndarray:
        own = slope[self.position]
        if self.squared:  # the slope in a root is zero where the sd is, and what is asked there is not that slope
            own = own / (2 * np.sqrt(at)) if at > 0 else 0.0
        return np.concatenate([[own], slope[: self.position], slope[self.position + 1 :]])


@dataclass(frozen=True, eq=False)
class FirstSd(Pin):
    """The sd of the first column of an unstructured block, whose row of Lambda is (sd, 0, ...).

    The other rows are `lower`^-1 (M - `along` (sd, 0, ...)), and M is the rest. With columns A = (a, A_1), lower from
    A_1 = Q lower and along = Q'a, the covariance is that of Q M and of what no other column has of a, times the sd:
    what is searched beside the sd is the same wherever the columns have their zeros, however far from the data.
    """

    lower: np.ndarray | None = None
    along: np.ndarray | None = None

    @property
    def leading(self) -> int:
        return 1

    def beside(self, columns: np.ndarray) -> Pin:
        Q, R = np.linalg.qr(columns[:, :0:-1])
        return FirstSd(self.order, R[::-1, ::-1], Q[:, ::-1].T @ columns[:, 0])

    def theta(self, at: float, rest: np.ndarray) -> np.ndarray:
        if self.lower is None or self.along is None:
            return led(at, rest)
        M = self._matrix(rest)
        M[:, 0] -= at * self.along
        return led(at, self._elements(scipy.linalg.solve_triangular(self.lower, M, lower=True)))

    def split(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        at, rest = abs(float(theta[0])), theta[1:]
        if self.lower is None or self.along is None:
            return at, rest.copy()
        M = self.lower @ self._matrix(rest)
        M[:, 0] += at * self.along
        return at, self._elements(M)

    def pulled(self, at: float, rest: np.ndarray, slope: np.ndarray) -> np.ndarray:
        if self.lower is None or self.along is None:
            return slope
        found = scipy.linalg.solve_triangular(self.lower, self._matrix(slope[1:]), lower=True, trans=1)
        return led(float(slope[0] - self.along @ found[:, 0]), self._elements(found))

    def _matrix(self, elements: np.ndarray) -> np.ndarray:
        """Rows of Lambda after the first (k - 1, k), of its columns from the top down."""
        k = len(self.order)
        found = np.zeros((k, k))
        found.T[triangle(k)] = led(0.0, elements)
        return found[1:]

    def _elements(self, rows: np.ndarray) -> np.ndarray:
        k = len(self.order)
        found: np.ndarray = np.concatenate([np.zeros((1, k)), rows]).T[triangle(k)][1:]
        return found


@dataclass(frozen=True)
class FirstPair(Pin):
    """The correlation of the first two of `columns` columns of an unstructured block: their rows of Lambda say it.

    Lambda[1] = t (r, sqrt(1 - r^2)): r is held, and t, the second sd, takes the place of Lambda[1, 0] in the rest.
    Where the two columns are nearly one (`collinear`), as a constant and years are, the first sd is known relative to
    the second far better than alone, and that ratio takes its place.
    """

    collinear: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def relative(self) -> bool:
        return False

    @property
    def signed(self) -> tuple[int, ...]:
        return 0, 1  # with a negative sd the correlation would have the other sign

    @property
    def leading(self) -> int:
        return 2

    def beside(self, columns: np.ndarray) -> Pin:
        a, b = columns[:, 0], columns[:, 1]
        return replace(self, collinear=abs(a @ b) > COLLINEAR * float(np.linalg.norm(a) * np.linalg.norm(b)))

    def theta(self, at: float, rest: np.ndarray) -> np.ndarray:
        k = len(self.order)
        if self.collinear:
            rest = np.insert(rest[1:], 0, rest[0] * rest[1])
        return np.concatenate([rest[:1], [rest[1] * at], rest[2:k], [rest[1] * _other(at)], rest[k:]])

    def split(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        k = len(self.order)
        length = float(np.hypot(theta[1], theta[k]))
        rest = np.delete(theta, k)
        at = rest[1] / length if length > 0 else 0.0
        rest[1] = length
        if self.collinear:
            rest[0] = rest[0] / length if length > 0 else 0.0
        return float(at), rest

    def pulled(self, at: float, rest: np.ndarray, slope: np.ndarray) -> np.ndarray:
        k, other, first = len(self.order), _other(at), slope[0]
        bend = slope[k] * at / other if other > 0 else 0.0
        own, second = rest[1] * (slope[1] - bend), slope[1] * at + slope[k] * other
        if self.collinear:
            first, second = first * rest[1], second + first * rest[0]
        return np.concatenate([[own, first, second], slope[2:k], slope[k + 1 :]])


@dataclass(frozen=True)
class CommonCorrelation(Pin):
    """The correlation that all pairs share: rho = 1 - k / (k - 1) sin^2 of the last element of theta."""

    @property
    def ends(self) -> tuple[float, float]:
        return -1 / (len(self.order) - 1), 1.0

    @property
    def relative(self) -> bool:
        return False

    @property
    def leading(self) -> int:
        return len(self.order)

    def theta(self, at: float, rest: np.ndarray) -> np.ndarray:
        k = len(self.order)
        share = np.clip((1 - at) * (k - 1) / k, 0.0, 1.0)
        return np.append(rest, np.arctan2(np.sqrt(share), np.sqrt(1 - share)))

    def split(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        k = len(self.order)
        return float(1 - k / (k - 1) * np.sin(theta[-1]) ** 2), theta[:-1].copy()

    def pulled(self, at: float, rest: np.ndarray, slope: np.ndarray) -> np.ndarray:
        k, angle = len(self.order), self.theta(at, rest)[-1]
        bend = k / (k - 1) * np.sin(2 * angle)
        return np.insert(slope[:-1], 0, -slope[-1] / bend if bend else 0.0)


def _other(at: float) -> float:
    """sqrt(1 - r^2)."""
    return float(np.sqrt(max((1 - at) * (1 + at), 0.0)))


def in_front(columns: tuple[int, ...], k: int) -> tuple[int, ...]:
    """The positions of k columns, these first."""
    return (*columns, *(i for i in range(k) if i not in columns))


def led(first: float, rest: np.ndarray) -> np.ndarray:
    """(first, rest) as one array (m + 1,): a profile asks for it at every evaluation."""
    return np.concatenate(([first], rest))


@lru_cache
def triangle(k: int) -> tuple[np.ndarray, ...]:
    """Positions of the lower triangle (k, k), column by column, in the transpose: an unstructured theta's order."""
    return np.triu_indices(k)
