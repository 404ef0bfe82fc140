"""What a block's free parameters are: which sds, what else shapes it, and how each lies on the whole real line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

CORRELATION, INTERVAL = "correlation", "interval"  # supports: correlation matrices; numbers between two ends
NEAREST = 1e-9  # of an interval: how near to its ends a starting point may be
LOG_2 = float(np.log(2))


class Values(NamedTuple):
    """The parameters of a block at one point, or at many along leading axes.

    `sds` (..., m), in the order of `Free.sds`; `shapes` those of `Free.shapes`, each (...,), a correlation matrix by a
    root of it with rows of unit length, (..., k, k).
    """

    sds: Any
    shapes: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Sd:
    """A standard deviation: the covariance grows with the square of all of a block's.

    `columns` are the positions of the columns that it is about: of one column it is the sd, of several a common one.
    `stem` ends its name: "1|Subject_sigma", of several columns "Subject_sigma".
    """

    columns: tuple[int, ...]
    stem: str = "sigma"

    def name(self, tag: str, effects: Sequence[str]) -> str:
        """What it is called in a bar called `tag` with those `effects`."""
        return f"{effects[self.columns[0]] if len(self.columns) == 1 else tag}_{self.stem}"


class Shape(ABC):
    """A parameter that changes the covariance at given sds; `stem` ends its name.

    `role` says which default prior it has, `support` which priors it may have, `sampled` in words what a program
    samples; `size` is the number of elements that it takes on the whole real line.
    """

    role: ClassVar[str]
    support: ClassVar[str]
    sampled: ClassVar[str]
    stem: str

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of elements on the whole real line."""

    @property
    def axes(self) -> tuple[int, ...]:
        """The lengths of axes of one value on the whole real line, in a program."""
        return (self.size,)

    @property
    def ends(self) -> tuple[float, float]:
        """Those of its interval where it is one number."""
        return -np.inf, np.inf

    @abstractmethod
    def from_real(self, real: np.ndarray) -> np.ndarray:
        """Values (N, ...) at `real` (N, size)."""

    @abstractmethod
    def to_real(self, value: np.ndarray) -> np.ndarray:
        """The inverse for one value: (size,), finite also where the value is on its boundary."""

    @abstractmethod
    def log_volume(self, real: np.ndarray) -> np.ndarray:
        """log |d value / d real| (N,)."""

    def each(self, log_density: Callable[[Any], tuple[Any, Any]], values: np.ndarray) -> np.ndarray:
        """The log densities (N,) of values (N, ...) by a function of what is stated."""
        return np.asarray(log_density(values)[0])

    def numbers(self, stated: np.ndarray, columns: Sequence[str]) -> dict[tuple[str, ...], np.ndarray]:
        """The numbers (...,) that what is stated consists of, by the columns of the block that each is about."""
        return {(): stated}

    @abstractmethod
    def penalty(self, value: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus twice a log density that is zero where the covariance is singular, and its slope in what is stated.

        +inf, with slope 0, there.
        """

    def stated(self, value: np.ndarray) -> np.ndarray:
        """What its prior speaks of."""
        return value

    def written(self, value: str) -> str:
        """`stated` as the text of a script, of the name of a value."""
        return value


@dataclass(frozen=True)
class CorrelationMatrix(Shape):
    """All correlations of k columns, none tied to another; a value is a root of the matrix.

    On the real line: atanh of the canonical partial correlations, row by row as NumPyro's. Source: Lewandowski,
    Kurowicka & Joe (2009, J. Multivariate Anal. 100, 1989-2001).
    """

    columns: int
    stem: str = "corr"
    role = "correlations"
    sampled = "Cholesky factor of the correlation"
    support = CORRELATION

    @property
    def size(self) -> int:
        return self.columns * (self.columns - 1) // 2

    def from_real(self, real: np.ndarray) -> np.ndarray:
        return correlation_roots(real, self.columns)

    def to_real(self, value: np.ndarray) -> np.ndarray:
        return partial_correlations(value)

    def log_volume(self, real: np.ndarray) -> np.ndarray:
        return correlation_log_volume(real, self.columns)

    def numbers(self, stated: np.ndarray, columns: Sequence[str]) -> dict[tuple[str, ...], np.ndarray]:
        pairs = [(j, i) for i in range(self.columns) for j in range(i)]
        return {(columns[j], columns[i]): stated[..., j, i] for j, i in pairs}

    def each(self, log_density: Callable[[Any], tuple[Any, Any]], values: np.ndarray) -> np.ndarray:
        return np.array([float(log_density(R)[0]) for R in values @ np.swapaxes(values, 1, 2)])

    def penalty(self, value: np.ndarray) -> tuple[float, np.ndarray]:
        R = self.stated(value)
        sign, log_det = np.linalg.slogdet(R)
        if sign <= 0:
            return np.inf, np.zeros_like(R)
        return -1.5 * float(log_det), -1.5 * np.linalg.inv(R)

    def stated(self, value: np.ndarray) -> np.ndarray:
        R: np.ndarray = value @ np.swapaxes(value, -1, -2)
        diagonal = np.arange(self.columns)
        R[..., diagonal, diagonal] = 1.0
        return R

    def written(self, value: str) -> str:
        return f"{value} @ {value}.T"


@dataclass(frozen=True)
class Correlation(Shape):
    """A correlation between `low` < 0 and `high` > 0, where the covariance is singular.

    On the real line: the logit of its place between them.
    """

    low: float
    high: float
    stem: str = "rho"
    role = "correlation"
    support = INTERVAL
    sampled = "common correlation"

    @property
    def size(self) -> int:
        return 1

    @property
    def axes(self) -> tuple[int, ...]:
        return ()

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    def from_real(self, real: np.ndarray) -> np.ndarray:
        return self.low + (self.high - self.low) / (1 + np.exp(-real[:, 0]))

    def to_real(self, value: np.ndarray) -> np.ndarray:
        share = np.clip((np.asarray(value) - self.low) / (self.high - self.low), NEAREST, 1 - NEAREST)
        return np.reshape(np.log(share / (1 - share)), 1)

    def log_volume(self, real: np.ndarray) -> np.ndarray:
        size = np.abs(real[:, 0])
        return float(np.log(self.high - self.low)) - size - 2 * np.log1p(np.exp(-size))

    def penalty(self, value: np.ndarray) -> tuple[float, np.ndarray]:
        left, right = 1 - value / self.low, 1 - value / self.high
        if not (left > 0 and right > 0):
            return np.inf, np.zeros(())
        return -1.5 * float(np.log(left) + np.log(right)), 1.5 * (1 / (left * self.low) + 1 / (right * self.high))


@dataclass(frozen=True)
class Free:
    """The free parameters of a block of k columns."""

    sds: tuple[Sd, ...]
    shapes: tuple[Shape, ...] = ()

    @property
    def by_column(self) -> bool:
        """Whether its sds are those of the columns, one each and in order."""
        return [sd.columns for sd in self.sds] == [(j,) for j in range(len(self.sds))] and all(
            sd.stem == "sigma" for sd in self.sds
        )

    @property
    def sizes(self) -> tuple[int, int]:
        """Elements on the real line: logs of sds, and of everything else."""
        return len(self.sds), sum(shape.size for shape in self.shapes)

    def of_sds(self, spreads: np.ndarray) -> np.ndarray:
        """Sizes (m,) of what each sd is about, from those of the columns (k,): their root mean square."""
        if self.by_column:
            return spreads
        return np.array([np.sqrt(np.mean(spreads[list(sd.columns)] ** 2)) for sd in self.sds])

    def from_real(self, real: np.ndarray) -> Values:
        """The values at (log sds, shapes on the real line) (N, m)."""
        m = len(self.sds)
        return Values(np.exp(real[:, :m]), tuple(s.from_real(part) for s, part in self._parts(real[:, m:])))

    def to_real(self, values: Values) -> np.ndarray:
        """The inverse for the values of one point: (m,)."""
        parts = [shape.to_real(value) for shape, value in zip(self.shapes, values.shapes, strict=True)]
        return np.concatenate([np.log(values.sds), *parts])

    def log_volume(self, real: np.ndarray) -> np.ndarray:
        """log |d shapes / d their elements on the real line| (N,) at `real` (N, m); that of sds is their logs."""
        parts = [shape.log_volume(part) for shape, part in self._parts(real[:, len(self.sds) :])]
        return np.sum(parts, axis=0) if parts else np.zeros(len(real))

    def _parts(self, real: np.ndarray) -> list[tuple[Shape, np.ndarray]]:
        ends = np.cumsum([shape.size for shape in self.shapes])
        return [(s, real[:, end - s.size : end]) for s, end in zip(self.shapes, ends, strict=True)]


def sd_of_each(k: int) -> tuple[Sd, ...]:
    """One sd per column, of k columns.

    >>> len(sd_of_each(3))
    3
    """
    return tuple(Sd((j,)) for j in range(k))


def sd_of_all(k: int) -> tuple[Sd, ...]:
    """One sd that all k columns have.

    >>> len(sd_of_all(3))
    1
    """
    return (Sd(tuple(range(k))),)


def correlation_roots(partials: np.ndarray, k: int) -> np.ndarray:
    """Cholesky factors (N, k, k) of correlation matrices from atanh of their partial correlations, row by row."""
    P = np.zeros((len(partials), k, k))
    P[:, *np.tril_indices(k, -1)] = np.tanh(partials)
    left = np.cumprod(np.sqrt(1 - P**2), axis=2)
    P[:, :, 1:] *= left[:, :, :-1]
    P[:, np.arange(1, k), np.arange(1, k)] = left[:, np.arange(1, k), np.arange(k - 1)]
    P[:, 0, 0] = 1.0
    return P


def correlation_log_volume(partials: np.ndarray, k: int) -> np.ndarray:
    """log |d correlations / d partials| (N,): sum over columns j = 1 .. k - 1 of (k - j + 1) / 2 log(1 - p^2)."""
    columns = np.tril_indices(k, -1)[1]
    size = np.abs(partials)
    log_rest = 2 * (LOG_2 - size - np.log1p(np.exp(-2 * size)))  # log(1 - tanh^2)
    return log_rest @ ((k - columns) / 2)


def partial_correlations(rows: np.ndarray) -> np.ndarray:
    """The inverse of `correlation_roots` for any root (k, k) with rows of unit length."""
    root = np.linalg.cholesky(rows @ rows.T)
    left = 1 - np.cumsum(root**2, axis=1) + root**2
    partial = root / np.sqrt(np.maximum(left, 1e-300))
    return np.arctanh(np.clip(partial[np.tril_indices(len(root), -1)], -1 + NEAREST, 1 - NEAREST))
