"""Which fixed terms vary within the levels of a grouping factor, and within how many of them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...design.design import GroupTerm, Predictor
from ...formula.parts import Term

ROUNDING = 1e-10  # of a column's variance over all rows: what is left of one that is constant within a level
AT_ONCE = 1 << 22  # numbers in the cross-products of the levels that are looked at together


@dataclass(frozen=True, eq=False)
class Within:
    """The rows of a grouping factor's levels, and the fixed columns in them.

    `name` of the factor, `codes` (n,) the level of each row, `sizes` (L,) their numbers of rows, `columns` (n, k) by
    term.
    """

    name: str
    codes: np.ndarray
    sizes: np.ndarray
    columns: dict[str, np.ndarray]

    @classmethod
    def of(cls, predictor: Predictor, group: GroupTerm, used: np.ndarray) -> Within:
        """Those of a design's rows that are `used` (n,) and have a level."""
        rows = used & (group.codes >= 0)
        codes = np.unique(group.codes[rows], return_inverse=True)[1]
        columns = {name: predictor.X[rows][:, list(where)] for name, where in predictor.terms.items()}
        return cls(group.factor, codes, np.bincount(codes), columns)

    @property
    def n_levels(self) -> int:
        """Number of levels that have rows."""
        return len(self.sizes)

    @cached_property
    def deviations(self) -> dict[str, np.ndarray]:
        """The columns less their means within levels, in units of their sds over all rows: zero where constant."""
        found = {}
        for name, X in self.columns.items():
            X = X - X.mean(axis=0)
            spread = np.sqrt(np.mean(X**2, axis=0))
            X = X / np.where(spread > 0, spread, 1.0)
            means = [np.bincount(self.codes, column) / self.sizes for column in X.T]
            found[name] = X - np.array(means).T[self.codes] if means else X
        return found

    def ranks(self, names: Sequence[str]) -> np.ndarray:
        """How many dimensions (L,) the columns of these terms have about their means, level by level."""
        X = np.hstack([np.zeros((len(self.codes), 0)), *(self.deviations[name] for name in names)])
        p, ranks = X.shape[1], np.zeros(self.n_levels, dtype=int)
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(self.sizes)
        step = max(1, AT_ONCE // max(1, p * p))
        for first in range(0, self.n_levels if p else 0, step):
            last = min(first + step, self.n_levels)
            rows = order[ends[first] - self.sizes[first] : ends[last - 1]]
            products = np.zeros((last - first, p, p))
            for i in range(p):
                for j in range(i + 1):
                    sums = np.bincount(self.codes[rows] - first, X[rows, i] * X[rows, j], last - first)
                    products[:, i, j] = products[:, j, i] = sums / self.sizes[first:last]
            ranks[first:last] = np.sum(np.linalg.eigvalsh(products) > ROUNDING, axis=1)
        return ranks

    def beyond(self, term: Term, terms: Sequence[Term]) -> np.ndarray:
        """Whether (L,) a term varies within a level by more than its parts do there.

        With `a` constant in a level, `a:b` says what `b` says: an interaction varies only where its combinations do.
        """
        parts = [other.name for other in terms if other.key < term.key and other.name in self.columns]
        if term.name not in self.columns:  # all of its columns are aliased
            return np.zeros(self.n_levels, dtype=bool)
        found: np.ndarray = self.ranks([*parts, term.name]) > self.ranks(parts)
        return found

    def inside(self, other: Within) -> bool:
        """Whether its levels are parts of the other factor's, more than one in some."""
        if len(self.codes) != len(other.codes):  # rows without a level of one
            return False
        pairs = len(np.unique(self.codes.astype(np.int64) * other.n_levels + other.codes))
        return pairs == self.n_levels > other.n_levels

    def by_levels(self, inner: Within) -> Within:
        """One row for each level of a factor inside this one, with the terms that are constant there."""
        first = np.unique(inner.codes, return_index=True)[1]
        constant = [name for name in self.columns if not np.any(inner.ranks([name]))]
        codes = self.codes[first]
        return Within(self.name, codes, np.bincount(codes), {name: self.columns[name][first] for name in constant})

    def saturated(self, names: Sequence[str], intercept: bool) -> bool:
        """Whether a bar of these terms has an effect for every row: as many dimensions as rows in every level.

        Or as many effects in all, which no fit tells from the residual either.
        """
        k = int(intercept) + sum(self.columns[name].shape[1] for name in names)
        full = np.all(self.ranks(names) + int(intercept) >= self.sizes)
        return bool(full) or k * self.n_levels >= len(self.codes)
