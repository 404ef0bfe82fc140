"""The task of a permutation test: labels exchanged, every analysis made of each arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...engines.machine.blas import blas_threads
from ...engines.ml import tail_columns
from ..replicates.run import children
from .exchange import Exchange
from .statistics import Statistic


@dataclass(frozen=True, eq=False)
class Arrangements:
    """Labels (n,) of the rows of positive weight by number: `every` one but the observed, or drawn from the seed."""

    exchange: Exchange
    every: tuple[np.ndarray, ...] | None
    seed: int

    def number(self, n: int) -> int:
        """How many are made where n are asked for."""
        return n if self.every is None else len(self.every)

    def __call__(self, number: int) -> np.ndarray:
        if self.every is not None:
            return self.every[number]
        return self.exchange.drawn(children(self.seed, range(number, number + 1))[0])


def arrangements(exchange: Exchange, n: int, seed: int) -> Arrangements:
    """All arrangements but the observed where these are no more than n, else random ones."""
    every = tuple(exchange.others()) if exchange.count() <= n else None
    return Arrangements(exchange, every, seed)


@dataclass(frozen=True, eq=False)
class Analysis:
    """A statistic, and where the rows that exchange labels are among its model's."""

    statistic: Statistic
    places: np.ndarray

    def at(self, labels: np.ndarray) -> tuple[float, float]:
        """Statistic and p of labels (m,) of these rows."""
        every = self.statistic.labelled.labels.copy()
        every[self.places] = labels
        return self.statistic.at(every)


@dataclass(frozen=True, eq=False)
class PermutedAnalyses:
    """The task: statistics and p-values (replicates, analyses, 2)."""

    analyses: tuple[Analysis, ...]
    arrangements: Arrangements
    rows: int

    together = False

    def __call__(self, numbers: range) -> np.ndarray:
        labels = [self.arrangements(number) for number in numbers]
        with blas_threads(tail_columns(self.analyses[0].statistic.fit.model)):
            return self._results(labels)

    def _results(self, labels: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([[analysis.at(one) for analysis in self.analyses] for one in labels])
