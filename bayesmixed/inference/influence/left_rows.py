"""Which rows are left out together: those of each level of a factor or column, or each row alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...design.design import Design
from ...errors import FitError
from ...model import Model
from ...prediction.rows_by import rows_by

ROW = "row"


@dataclass(frozen=True)
class LeftRows:
    """Sets of rows: `name` of what tells them apart, `labels` (L,) of them, `members` positions of rows of each.

    Rows of weight zero are in none.
    """

    name: str
    labels: pd.Index
    members: tuple[np.ndarray, ...]

    @property
    def single(self) -> bool:
        """Whether each set is one row."""
        return all(len(at) == 1 for at in self.members)

    @property
    def sizes(self) -> np.ndarray:
        """Rows (L,) of each set."""
        return np.array([len(at) for at in self.members])

    def take(self, sets: Sequence[int]) -> LeftRows:
        """Some of them."""
        return LeftRows(self.name, self.labels[list(sets)], tuple(self.members[i] for i in sets))


def left_rows(model: Model, by: Any) -> LeftRows:
    """The sets of a model's rows that `by` names; each row where it is None.

    Raises
    ------
    FitError
        An unknown column; one level alone, without which nothing is left.
    """
    used = np.flatnonzero(model.design.used)
    if by is None:
        return LeftRows(ROW, model.design.index[used], tuple(np.split(used, len(used))))
    found = rows_by(model, by)
    each = found.members(used)
    some = [i for i, at in enumerate(each) if len(at)]
    if len(some) < 2:
        raise FitError(
            f"by={found.name!r} has one level: nothing is left without it. Leave by= out for single rows.",
            topic="single-level",
        )
    return LeftRows(found.name, found.levels[some], tuple(each[i] for i in some))


def is_apart(design: Design, rows: LeftRows) -> bool:
    """Whether no level of a grouping factor has rows in two of the sets."""
    codes = np.full(design.n_rows, -1)
    for i, at in enumerate(rows.members):
        codes[at] = i
    used = design.used
    for term in design.groups:
        pairs = np.unique(np.column_stack([term.codes[used], codes[used]]), axis=0)
        if len(np.unique(pairs[pairs[:, 0] >= 0, 0])) < np.sum(pairs[:, 0] >= 0):
            return False
    return True
