"""The linear predictor as a function of one column, and where it takes a given value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..formula.design import Design
from ..parameters import Parameters
from ..prediction.rows import encode
from .means import with_groups
from .variables import Variable

if TYPE_CHECKING:
    from ..model import Model

STRAIGHT = 1e-9  # second differences of a linear column, relative to its values
LOOKED_AT = 257  # places between the ends of the data at which a crossing is looked for
HALVINGS = 48  # of the distance between two of them
STEP = 1e-5  # of the range, for the slope at the answer


@dataclass(frozen=True)
class Point:
    """Where a curve takes its value: `x` (D,), the `slope` (D,) there, and for one draw its row as a design."""

    x: np.ndarray
    slope: np.ndarray
    design: Design
    terms: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """The predictor averaged over the rows of `others`, with the level `codes` of the group terms it includes.

    `offset` replaces the model's where it is not None.
    """

    model: Model
    column: Variable
    others: pd.DataFrame
    codes: Mapping[int, int]
    offset: float | None

    def solve(self, parameters: Parameters, goal: np.ndarray) -> Point:
        """Where the predictor of each draw is `goal` (D, 1)."""
        target, notes = goal[:, 0], []
        if self._straight:
            x, slope = self._on_a_line(parameters, target)
            outside = np.median(x) < self._ends[0] or np.median(x) > self._ends[1]
            notes += [f"Some answers lie outside the values of {self.column.name} in the data."] if outside else []
        else:
            x, notes = self._searched(parameters, target)
            inside = np.where(np.isnan(x), self._ends[0], x)
            h = STEP * (self._ends[1] - self._ends[0])
            slope = (self._eta(parameters, inside + h) - self._eta(parameters, inside - h)) / (2 * h)
        first = np.nan_to_num(x[:1], nan=self._ends[0], posinf=self._ends[1], neginf=self._ends[0])
        return Point(x, slope, self.rows(first), tuple(self.codes), tuple(notes))

    def rows(self, x: np.ndarray) -> Design:
        """The averaged rows at the values x (m,) of the column."""
        n, m = len(self.others), len(x)
        table = self.others.iloc[np.tile(np.arange(n), m)].reset_index(drop=True)
        table[self.column.name] = np.repeat(x, n)
        if not len(self.others.columns):
            table = pd.DataFrame({self.column.name: np.repeat(x, n)})
        factors = {self.model.design.groups[j].factor for j in self.codes}
        trained = self.model.design.encoding.offset
        again = 0.0 if trained is not None and trained.text is None else None
        full = encode(
            self.model, with_groups(self.model, table) if factors else table, unseen="population", offset=again,
            weights=None, observed=False, factors=factors,
        )  # fmt: skip
        mu = full.mu
        offset = mu.offset.reshape(m, n).mean(axis=1) if self.offset is None else np.full(m, self.offset)
        groups = tuple(
            replace(term, codes=np.full(m, self.codes.get(j, -1), np.int32), Z=_averaged(term.Z, m, n))
            for j, term in enumerate(full.groups)
        )
        averaged = replace(mu, X=_averaged(mu.X, m, n), offset=offset)
        return replace(full, predictors={"mu": averaged}, groups=groups, index=pd.RangeIndex(m))

    def _eta(self, parameters: Parameters, x: np.ndarray) -> np.ndarray:
        """The predictor (D,) of each draw at its own x (D,)."""
        design = self.rows(x)
        eta = np.einsum("dp,dp->d", parameters.beta[0], design.mu.X) + design.mu.offset
        for j, code in self.codes.items():
            eta += np.einsum("dk,dk->d", parameters.b[j][0][:, code], design.groups[j].Z)
        return eta

    def _on_a_line(self, parameters: Parameters, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self._ends
        at_low, at_high = (self._eta(parameters, np.full(len(target), end)) for end in (low, high))
        slope = (at_high - at_low) / (high - low)
        with np.errstate(divide="ignore", invalid="ignore"):
            return low + (target - at_low) / slope, slope

    def _searched(self, parameters: Parameters, target: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """The first crossing between the ends of the data, by bisection; NaN where there is none."""
        places = np.linspace(*self._ends, LOOKED_AT)
        design = self.rows(places)
        eta = parameters.beta[0] @ design.mu.X.T + design.mu.offset
        for j, code in self.codes.items():
            eta += parameters.b[j][0][:, code] @ design.groups[j].Z.T
        above = eta > target[:, None]
        crossed = above[:, 1:] != above[:, :-1]
        first, times = crossed.argmax(axis=1), crossed.sum(axis=1)
        low, high = places[first], places[first + 1]
        start = above[np.arange(len(first)), first]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            stay = (self._eta(parameters, middle) > target) == start
            low, high = np.where(stay, middle, low), np.where(stay, high, middle)
        notes = []
        name = self.column.name
        if np.mean(times == 0) > 0:
            notes.append(f"Not reached between the smallest and the largest {name} (NaN){_share(times == 0)}.")
        if np.mean(times > 1) > 0:
            notes.append(f"Reached at more than one {name}: the smallest is given{_share(times > 1)}.")
        return np.where(times == 0, np.nan, (low + high) / 2), notes

    @cached_property
    def _ends(self) -> tuple[float, float]:
        values = self.column.data.to_numpy(float)
        return float(values.min()), float(values.max())

    @cached_property
    def _straight(self) -> bool:
        """Whether every column of the design is linear in this one."""
        low, high = self._ends
        design = self.rows(low + (high - low) * np.array([0.0, 0.3, 0.6, 0.9]))
        columns = [design.mu.X, design.mu.offset[:, None], *(term.Z for term in design.groups)]
        values = np.concatenate(columns, axis=1)
        return bool(np.all(np.abs(np.diff(values, n=2, axis=0)) <= STRAIGHT * (np.abs(values).max(axis=0) + 1e-300)))


def _averaged(values: np.ndarray, m: int, n: int) -> np.ndarray:
    """Rows (m * n, k) averaged n by n: (m, k)."""
    return values.reshape(m, n, values.shape[1]).mean(axis=1)


def _share(where: np.ndarray) -> str:
    return "" if where.all() else f", in {100 * where.mean():.3g} % of the draws"
