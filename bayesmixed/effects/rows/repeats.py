"""Which rows of a table say the same: columns that an effect does not depend on, and what it does depend on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...errors import FitError
from ...messages import Told
from ...page import listed
from ..quantities import Quantities
from .grid import AskedRows, EffectRows, rows
from .used_columns import Variable

if TYPE_CHECKING:
    from ...model import Model

Evaluate = Callable[[EffectRows], Quantities]


def without_repeats(
    keys: pd.DataFrame, quantities: Quantities, free: Collection[str]
) -> tuple[pd.DataFrame, Quantities, list[str]]:
    """Keys and quantities without the columns of `free` on which no quantity depends, and these columns."""
    same = []
    for name in [name for name in keys.columns if name in free]:
        others = [other for other in keys.columns if other != name]
        first = _first_of_each(keys, others)
        if len(np.unique(first)) < len(first) and quantities.alike(first):
            kept = np.unique(first)
            keys, quantities = keys[others].iloc[kept].reset_index(drop=True), quantities.taken(kept)
            same.append(str(name))
    return keys, quantities, same


def _first_of_each(keys: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """For every row (m,) the first that has its values of `names`."""
    if not names:
        return np.zeros(len(keys), int)
    cells = keys.groupby(list(names), sort=False, observed=True, dropna=False).ngroup().to_numpy()
    _, first = np.unique(cells, return_index=True)
    return first[cells]


@dataclass(frozen=True)
class RepeatedRows:
    """How an effect changes where nobody asked: at other values of what is held, between levels averaged over.

    `what` the effects are called, "differences"; `evaluate` gives them for rows of a grid.
    """

    model: Model
    known: Mapping[str, Variable]
    asked: AskedRows
    evaluate: Evaluate
    what: str

    def free(self, columns: Sequence[str]) -> list[str]:
        """Those of a grid's key columns that nobody asked for."""
        if self.asked.newdata is not None or self.asked.by or self.asked.average:
            return []
        return [name for name in columns if name not in self.asked.values]

    def notes(self, base: EffectRows, found: Quantities) -> tuple[str, ...]:
        """Two sentences at most on the effects `found`; none where the rows are not those of a grid."""
        if self.asked.newdata is not None:
            return ()
        held = [name for name in self._held(base) if self._moves(name, found)]
        over = self._averaged() if self.asked.by or self.asked.average else []
        said = []
        if over:
            said.append(Told("interactions", f"Note: these {self.what} differ between the levels of {listed(over)}."))
        if held:
            said.append(Told("interactions", f"Note: other values of {listed(held)} give other {self.what}: at=."))
        return tuple(said)

    def _held(self, base: EffectRows) -> list[str]:
        """Numbers that nobody gave values for, held at one value in all rows."""
        idle = {self.asked.without} if self.asked.fixed else set()
        free = [name for name in self.known if name not in self.asked.values and name not in idle]
        held = [name for name in free if self.known[name].values is None and name in base.table]
        return [name for name in held if base.table[name].nunique(dropna=False) == 1]

    def _moves(self, name: str, found: Quantities) -> bool:
        """Whether any of the effects is another at the far end of a column's values."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nobody asked for rows there
                other = self.evaluate(rows(self.model, self._at({name: self.known[name].shown()[-1:]})))
        except FitError:  # no such effect there, as a ratio of means below zero
            return False
        m = len(found.values)
        return len(other.values) == m and not found.followed_by([other]).alike(np.tile(np.arange(m), 2))

    def _at(self, values: Mapping[str, np.ndarray]) -> AskedRows:
        return replace(self.asked, values={**self.asked.values, **values})

    def _averaged(self) -> list[str]:
        """Columns of the grid that are averaged over although the effects differ between their levels."""
        try:
            whole = rows(self.model, replace(self.asked, by=None, average=False))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self.evaluate(whole)
        except FitError:
            return []
        asked = {*self.asked.values, *([self.asked.by] if isinstance(self.asked.by, str) else self.asked.by or ())}
        over = [str(name) for name in whole.keys.columns if name not in asked and name != self.asked.without]
        keys = whole.keys
        return [
            name
            for name in over
            if not found.alike(_first_of_each(keys, [other for other in keys.columns if other != name]))
        ]
