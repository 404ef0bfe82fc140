"""How labels are exchanged: between whole levels of a factor, or between the rows inside each level."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, prod
from typing import ClassVar

import numpy as np

from ...messages import Told


@dataclass(frozen=True, eq=False)
class Exchange(ABC):
    """Labels 0, 1, .. (n,) of rows in levels `codes` (n,): which rows may exchange theirs."""

    labels: np.ndarray
    codes: np.ndarray

    words: ClassVar[str]  # what is exchanged; {levels} stands for what they are called

    @abstractmethod
    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Labels (n,) after a random exchange."""

    @abstractmethod
    def count(self) -> int:
        """How many different arrangements there are, the one that was observed among them."""

    @abstractmethod
    def others(self) -> Iterator[np.ndarray]:
        """Every arrangement but the one that was observed."""

    @abstractmethod
    def alike(self, values: np.ndarray) -> bool:
        """Whether what is exchanged has the same values (n,)."""

    @abstractmethod
    def respects(self, codes: np.ndarray) -> bool:
        """Whether rows of one level of a factor (n,) stay together, or only they are exchanged."""


@dataclass(frozen=True, eq=False)
class WholeLevels(Exchange):
    """Each level has one label for all its rows, which it exchanges with another level."""

    words = Told("exchanged-labels", "Exchanged: labels of whole {levels}, with which their rows go.")

    @property
    def of_levels(self) -> np.ndarray:
        """The label (L,) of each level."""
        found = np.empty(self.codes.max() + 1, dtype=int)
        found[self.codes] = self.labels
        return found

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(self.of_levels)[self.codes]

    def count(self) -> int:
        return _arrangements(self.of_levels)

    def others(self) -> Iterator[np.ndarray]:
        own = self.of_levels
        for found in _every(own):
            if not np.array_equal(found, own):
                yield found[self.codes]

    def alike(self, values: np.ndarray) -> bool:
        if np.all(values == values[0]):
            return True
        parts = _by_level(values, self.codes)
        return all(np.array_equal(part, parts[0]) for part in parts)

    def respects(self, codes: np.ndarray) -> bool:
        return _pairs(codes, self.codes) == len(np.unique(codes))


@dataclass(frozen=True, eq=False)
class WithinLevels(Exchange):
    """Rows exchange labels with others of their level."""

    words = Told("exchanged-labels", "Exchanged: labels of rows within {levels}.")

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        own = np.argsort(self.codes, kind="stable")
        mixed = np.lexsort((rng.random(len(self.codes)), self.codes))
        found = np.empty_like(self.labels)
        found[own] = self.labels[mixed]
        return found

    def count(self) -> int:
        return prod(_arrangements(self.labels[self.codes == level]) for level in np.unique(self.codes))

    def others(self) -> Iterator[np.ndarray]:
        places = [np.flatnonzero(self.codes == level) for level in np.unique(self.codes)]
        for parts in itertools.product(*(list(_every(self.labels[at])) for at in places)):
            found = np.empty_like(self.labels)
            for at, part in zip(places, parts, strict=True):
                found[at] = part
            if not np.array_equal(found, self.labels):
                yield found

    def alike(self, values: np.ndarray) -> bool:
        return all(part[0] == part[-1] for part in _by_level(values, self.codes))

    def respects(self, codes: np.ndarray) -> bool:
        return _pairs(codes, self.codes) == len(np.unique(self.codes))


def exchange(labels: np.ndarray, codes: np.ndarray) -> Exchange:
    """Whole levels where each has one label, else rows within levels."""
    constant = _pairs(codes, labels) == len(np.unique(codes))
    return WholeLevels(labels, codes) if constant else WithinLevels(labels, codes)


def _pairs(a: np.ndarray, b: np.ndarray) -> int:
    return len(np.unique(np.column_stack([a, b]), axis=0))


def _by_level(values: np.ndarray, codes: np.ndarray) -> list[np.ndarray]:
    """The values of each level, sorted."""
    order = np.lexsort((values, codes))
    return np.split(values[order], np.flatnonzero(np.diff(codes[order])) + 1)


def _arrangements(labels: np.ndarray) -> int:
    """Different orders of some labels, of which several may be the same."""
    left, found = len(labels), 1
    for count in np.unique(labels, return_counts=True)[1]:
        found *= comb(left, int(count))
        left -= int(count)
    return found


def _every(labels: np.ndarray) -> Iterator[np.ndarray]:
    """Every order of some labels, in the order of a dictionary (Knuth, The Art of Computer Programming, 7.2.1.2 L)."""
    a = np.sort(labels)
    while True:
        yield a.copy()
        rising = np.flatnonzero(a[:-1] < a[1:])
        if not len(rising):
            return
        j = rising[-1]
        last = np.flatnonzero(a > a[j])
        k = last[last > j][-1]
        a[j], a[k] = a[k], a[j]
        a[j + 1 :] = a[j + 1 :][::-1]
