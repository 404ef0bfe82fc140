"""Which rows did two fits use: the same ones, in which order, and if not, which column's missing values are why?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...design.table import missing_rows, select
from ...errors import DataError, FitError
from ...fits.base import Fit
from ...model import Model
from ...page import listed

Pair = tuple[np.ndarray, np.ndarray]


def common_order(one: Model, other: Model) -> Pair | None:
    """Positions (n,) of the rows of positive weight in either design, row for row; None where they are not the same.

    Rows are told by their labels. Labels of which none is shared are taken for new names of the same rows where there
    are as many, with the same responses in the same order.
    """
    a, b = one.design, other.design
    rows_a, rows_b = np.flatnonzero(a.used), np.flatnonzero(b.used)
    if len(rows_a) != len(rows_b):
        return None
    labels_a, labels_b = a.index[rows_a], b.index[rows_b]
    if labels_a.equals(labels_b):
        return rows_a, rows_b
    if labels_a.is_unique and labels_b.is_unique:
        where = labels_b.get_indexer(labels_a)
        if np.all(where >= 0):
            return rows_a, rows_b[where]
    assert a.response is not None and b.response is not None  # fitted
    renamed = not labels_a.isin(labels_b).any() and np.array_equal(a.response.y[rows_a], b.response.y[rows_b])
    return (rows_a, rows_b) if renamed else None


def changed_columns(one: Model, other: Model) -> list[str]:
    """Columns that both models use, with other values in their tables: perhaps the rows are not the same after all."""
    rows = common_order(one, other)
    if rows is None or one.arguments.data is other.arguments.data is not None:
        return []
    shared = [name for name in one.frame.columns if name in other.frame.columns]
    first, second = one.frame[shared].iloc[rows[0]], other.frame[shared].iloc[rows[1]]
    return [str(name) for name in shared if not np.array_equal(first[name].astype(str), second[name].astype(str))]


def refuse_different_rows(fits: Sequence[Fit], names: Sequence[str]) -> None:
    """Raise a FitError where the fits did not use the same rows.

    It has both counts, the columns whose missing values are the cause, and the call that refits on the common rows.
    """
    for fit, name in zip(fits[1:], names[1:], strict=True):
        if common_order(fits[0].model, fit.model) is not None:
            continue
        counts = f"{fits[0].n_obs} ({names[0]}) and {fit.n_obs} ({name})"
        gaps = _gaps(fits)
        if not gaps:
            raise FitError(
                f"The fits use different rows, {counts}: {_why(fits[0], fit)}. Log-likelihoods compare only of the "
                "same rows: fit both models to one table.",
                topic="different-data",
            )
        raise FitError(
            f"The fits use different rows, {counts}, because {_missing(gaps)}. Compare them on the rows that have all "
            f"values: {_refitted(fits, list(gaps))}.",
            topic="different-data",
        )


def _why(one: Fit, other: Fit) -> str:
    """Why two fits use different rows, where no table is at hand that shows the missing values."""
    if any(not np.all(fit.model.design.used) for fit in (one, other)):
        return "some have weight zero in one of them"
    columns = [set(map(str, fit.model.frame.columns)) for fit in (one, other)]
    apart = sorted(columns[0] ^ columns[1])
    if apart and one.model.design.n_dropped != other.model.design.n_dropped:
        return f"rows with missing values were left out, and only one of the models uses {listed(apart)}"
    return "they come from different tables"


def _gaps(fits: Sequence[Fit]) -> dict[str, int]:
    """Columns with missing values, and how many, that some of the models use and others do not."""
    found = [_missing_counts(fit.model) for fit in fits]
    used = [set(map(str, fit.model.frame.columns)) for fit in fits]
    every: dict[str, int] = {}
    for counts in found:
        every |= counts
    return {name: count for name, count in every.items() if not all(name in columns for columns in used)}


def _missing_counts(model: Model) -> Mapping[str, int]:
    """Missing values per column used, and of weights and offsets given as arrays."""
    if model.arguments.data is None or not model.design.n_dropped:
        return {}
    try:
        frame = select(model.arguments.data, [str(name) for name in model.frame.columns])
    except DataError:  # a fit that was stored: rows that were dropped are counted, not kept
        return {}
    given = {"weights": model.arguments.weights, "offset": model.arguments.offset}
    arrays = {name: np.asarray(value, dtype=float) for name, value in given.items() if np.ndim(value) == 1}
    return missing_rows(frame, arrays)[1]


def _missing(gaps: Mapping[str, int]) -> str:
    parts = [f"{name} lacks a value in {count} row{'s' * (count != 1)}" for name, count in gaps.items()]
    return listed(parts)


def _refitted(fits: Sequence[Fit], gaps: list[str]) -> str:
    data: Any = fits[0].model.arguments.data
    subset = "[" + ", ".join(repr(name) for name in gaps) + "]"
    rows = f"data.dropna(subset={subset})" if isinstance(data, pd.DataFrame) else f"data.drop_nulls({subset})"
    return f"rows = {rows}; bm.anova(*(fit.model.replace(data=rows).fit(fit.engine) for fit in fits))"
