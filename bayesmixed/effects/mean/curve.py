"""The linear predictor as a function of one column, and where it takes a given value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...design.design import Design
from ...messages import Told
from ...parameters.values import Parameters
from ...prediction.new_rows import encode
from ..rows.used_columns import Variable
from .derivative import derivative
from .question import with_groups

if TYPE_CHECKING:
    from ...model import Model

STRAIGHT = 1e-9  # of a column's range: how far a linear one may lie from the line between its ends
ROUNDING = 64 * np.finfo(float).eps  # of its values: what it may besides
HIT = 1e-7  # of the predictor's largest value on the way: how near the target an answer on a line must lie
LOOKED_AT = (
    257  # places between the ends of the data at which a bend or a crossing is looked for, and as many quantiles
)
HALVINGS = 64  # of the distance between two of them


@dataclass(frozen=True)
class CurvePoint:
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

    def solve(self, parameters: Parameters, goal: np.ndarray) -> CurvePoint:
        """Where the predictor of each draw is `goal` (D, 1)."""
        target, notes, name = goal[:, 0], [], self.column.name
        hit = np.zeros(len(target), bool)
        if self._straight:
            x, slope, hit = self._on_a_line(parameters, target)
        if not hit.all():
            searched, times = self._searched(parameters, target)
            x = np.where(hit, x, searched) if hit.any() else searched
            never, often = ~hit & (times == 0), ~hit & (times > 1)
            if never.any():
                notes.append(
                    Told(
                        "not-reached", f"Not reached between the smallest and the largest {name} (NaN){_share(never)}."
                    )
                )
            if often.any():
                notes.append(
                    Told("not-reached", f"Reached at more than one {name}: the smallest is given{_share(often)}.")
                )
            slope = self._slope(parameters, np.where(np.isfinite(x), x, self._ends[0]))
        elif not self._ends[0] <= np.median(x) <= self._ends[1]:
            notes.append(Told("not-reached", f"Some answers lie outside the values of {name} in the data."))
        first = np.nan_to_num(x[:1], nan=self._ends[0], posinf=self._ends[1], neginf=self._ends[0])
        return CurvePoint(x, slope, self.rows(first), tuple(self.codes), tuple(notes))

    def rows(self, x: np.ndarray) -> Design:
        """The averaged rows at the values x (m,) of the column."""
        n, m = len(self.others), len(x)
        table = self.others.iloc[np.tile(np.arange(n), m)].reset_index(drop=True)
        table[self.column.name] = np.repeat(x, n)
        if not len(self.others.columns):
            table = pd.DataFrame({self.column.name: np.repeat(x, n)})
        factors = {self.model.design.mu.groups[j].factor for j in self.codes}
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
            for j, term in enumerate(mu.groups)
        )
        averaged = replace(mu, X=_averaged(mu.X, m, n), offset=offset, groups=groups)
        return replace(full, predictors={"mu": averaged}, index=pd.RangeIndex(m))

    def _eta(self, parameters: Parameters, x: np.ndarray) -> np.ndarray:
        """The predictor (D,) of each draw at its own x (D,)."""
        return self.rows(x).addends(parameters, tuple(self.codes)).sum(axis=1)

    def _along(self, parameters: Parameters) -> np.ndarray:
        """The predictor (D, places) of each draw from end to end of the data."""
        return self._looked_at.eta(parameters, tuple(self.codes))["mu"]

    def _slope(self, parameters: Parameters, x: np.ndarray) -> np.ndarray:
        """d predictor / d x (D,) of each draw at its own x (D,)."""

        def terms(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
            return self.rows(at).addends(parameters.take(rows), tuple(self.codes))

        low, high = self._ends
        return derivative(terms, x, high - low).sum(axis=1)

    def _on_a_line(self, parameters: Parameters, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Answers (D,), slopes, and whether the predictor there is the target: formulas may bend beyond the data."""
        low, high = self._ends
        at_low, at_high = self._along(parameters)[:, [0, -1]].T
        slope = (at_high - at_low) / (high - low)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            x = low + (target - at_low) / slope
        there = np.isfinite(x)
        found = self._eta(parameters, np.where(there, x, low))
        terms = np.abs(parameters.beta[0]) @ np.abs(self._looked_at.mu.X).max(axis=0)
        allowed = HIT * np.max(np.abs([at_low, at_high, target]), axis=0) + ROUNDING * terms
        return x, slope, ~there | (np.abs(found - target) <= allowed)

    def _searched(self, parameters: Parameters, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first crossing between the ends of the data, by bisection, and how many there are (NaN where none)."""
        places = self._places
        above = self._along(parameters) > target[:, None]
        crossed = above[:, 1:] != above[:, :-1]
        first, times = crossed.argmax(axis=1), crossed.sum(axis=1)
        low, high = places[first], places[first + 1]
        start = above[np.arange(len(first)), first]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            stay = (self._eta(parameters, middle) > target) == start
            low, high = np.where(stay, middle, low), np.where(stay, high, middle)
        return np.where(times == 0, np.nan, (low + high) / 2), times

    @cached_property
    def _ends(self) -> tuple[float, float]:
        values = self.column.data.to_numpy(float)
        return float(values.min()), float(values.max())

    @cached_property
    def _straight(self) -> bool:
        """Whether every column of the design lies on the line between its ends, wherever there are data and between."""
        low, high = self._ends
        if not high > low:
            return True
        places, design = self._places, self._looked_at
        columns = [design.mu.X, design.mu.offset[:, None], *(term.Z for term in design.mu.groups)]
        values = np.concatenate(columns, axis=1)
        line = values[0] + ((places - low) / (high - low))[:, None] * (values[-1] - values[0])
        allowed = STRAIGHT * np.ptp(values, axis=0) + ROUNDING * np.abs(values).max(axis=0)
        return bool(np.all(np.abs(values - line) <= allowed))

    @cached_property
    def _looked_at(self) -> Design:
        return self.rows(self._places)

    @cached_property
    def _places(self) -> np.ndarray:
        """Values from the smallest to the largest of the data: evenly spaced, and quantiles, which lie as data do."""
        data = np.unique(self.column.data.to_numpy(float))
        quantiles = data[np.linspace(0, len(data) - 1, min(len(data), LOOKED_AT)).round().astype(int)]
        return np.unique(np.concatenate([np.linspace(*self._ends, LOOKED_AT), quantiles]))


def _averaged(values: np.ndarray, m: int, n: int) -> np.ndarray:
    """Rows (m * n, k) averaged n by n: (m, k)."""
    return values.reshape(m, n, values.shape[1]).mean(axis=1)


def _share(where: np.ndarray) -> str:
    return "" if where.all() else f", in {100 * where.mean():.3g} % of the draws"
