"""Which rows belong together: by a grouping factor of the model, a column that it uses, or values given per row."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..design.table import column_names, rows_of, select
from ..errors import FitError, nearest
from .included_terms import same_factor

if TYPE_CHECKING:
    from ..model import Model


@dataclass(frozen=True)
class RowsBy:
    """The rows (n,) of a model in groups: `codes` (n,) index `levels`; `name` of what they are grouped by."""

    name: str
    codes: np.ndarray
    levels: pd.Index

    def members(self, rows: np.ndarray) -> list[np.ndarray]:
        """Per level, those of the row numbers `rows` that belong to it."""
        return [rows[at] for at in self.places(rows)]

    def places(self, rows: np.ndarray) -> list[np.ndarray]:
        """Per level, where those that belong to it stand in the row numbers `rows`, of which some may repeat."""
        codes = self.codes[rows]
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(self.levels) + 1))
        return [order[a:b] for a, b in itertools.pairwise(edges)]


def rows_by(model: Model, by: Any, argument: str = "by") -> RowsBy:
    """The rows used of a model, grouped.

    Parameters
    ----------
    model
        Of n rows used.
    by
        A grouping factor ("Subject", "a:b"), a column of the model's table, columns joined ("a:b"), an array of n
        values, or a Series of n values or with the labels of the model's table.
    argument
        What messages call it.

    Raises
    ------
    FitError
        There is no such column, values are missing or not n.
    """
    if not isinstance(by, str):
        name = getattr(by, "name", None)
        return _coded(str("group" if name is None else name), _given(model, by, argument), argument)
    for term in model.design.groups:
        if same_factor(term.factor, by):
            return RowsBy(term.factor, np.asarray(term.codes), pd.Index(term.levels))
    parts = by.split(":")
    if len(parts) > 1 and by not in model.frame:
        each = [_coded(part, _column(model, part.strip(), argument), argument) for part in parts]
        joined = [":".join(map(str, cell)) for cell in zip(*(one.levels[one.codes] for one in each), strict=True)]
        return _coded(by, pd.Series(joined), argument)
    return _coded(by, _column(model, by, argument), argument)


def _given(model: Model, by: Any, argument: str) -> pd.Series:
    """Values that were given, one per row used: those of a Series by its labels where it has them."""
    labels = model.design.index
    if isinstance(by, pd.Series) and by.index.is_unique and labels.is_unique and labels.isin(by.index).all():
        return by.loc[labels]
    names = list(by) if isinstance(by, list | tuple) else []
    if names and len(names) != model.design.n_rows and all(isinstance(name, str) for name in names):
        raise FitError(
            f'{argument}= takes one name, several joined by colons: {argument}="{":".join(names)}".',
            topic="nothing-named",
        )
    values = np.asarray(by, dtype=object)
    if values.shape != (model.design.n_rows,):
        raise FitError(
            f"{argument}= has shape {values.shape}, and the fit has {model.design.n_rows} rows: give a grouping "
            "factor, a column's name, or one value per row used.",
            topic="given-values",
        )
    return pd.Series(list(values))


def _column(model: Model, name: str, argument: str) -> pd.Series:
    if name in model.frame:
        return model.frame[name]
    data = model.arguments.data
    known = [] if data is None else column_names(data)
    if name in known and rows_of(data) is not None and data.index.is_unique:
        return select(data, [name])[name].loc[model.design.index]
    if name in known and model.design.n_dropped == 0:
        return select(data, [name])[name]
    factors = [term.factor for term in model.design.groups]
    likely = nearest(name, dict.fromkeys([*factors, *model.frame, *known]))
    raise FitError(
        f"{argument}={name!r} is not a column of the model's table. {likely} "
        f"An array of {model.design.n_rows} values, one per row used, will do too.",
        topic="no-such-column",
    )


def _coded(name: str, values: pd.Series, argument: str) -> RowsBy:
    codes, levels = pd.factorize(values, sort=not isinstance(values.dtype, pd.CategoricalDtype))
    if isinstance(values.dtype, pd.CategoricalDtype):  # their own order, unused levels left out
        used = values.cat.remove_unused_categories()
        codes, levels = used.cat.codes.to_numpy().astype(np.int64), used.cat.categories
    if len(codes) and codes.min() < 0:
        first = int(np.argmin(codes))
        raise FitError(
            f"{argument}={name!r} lacks a value in row number {first}: give one for every row used.",
            topic="missing-values",
        )
    return RowsBy(name, np.asarray(codes), pd.Index(levels))
