"""With random slopes the variance between levels depends on the row: what is its share at given values of a column?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...design.design import Design
from ...effects.mean.question import with_groups
from ...effects.rows.grid import product, wanted
from ...effects.rows.used_columns import Variable, variable, variables
from ...errors import FitError
from ...messages import Told
from ...prediction.new_rows import encode, responses_per_row
from ..report.words import listed
from .counted import mean_square
from .variances import Variances, share

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...model import Model

FEW = 12  # distinct values of a number that are all shown where none are given
MOST = 200  # combinations of values, each of which needs a table of all rows


def slope_columns(model: Model) -> tuple[str, ...]:
    """The columns of the data on which the variance between levels depends."""
    names = (name for term in model.design.mu.groups for column in term.variables for name in column)
    return tuple(dict.fromkeys(names))


def between_at(fit: Fit, at: Any, found: Variances) -> dict[tuple[Any, ...], dict[str, np.ndarray]]:
    """Per combination of values the variance (draws,) of each factor, averaged over the rows with these values in them.

    Every other column keeps its values in the data.

    Raises
    ------
    FitError
        A column of which no bar has a slope, a value that it cannot take.
    """
    model, flat = fit.model, fit.parameters.flat()
    grid = product(_values(model, wanted(at, "at")))
    if len(grid) > MOST:
        raise FitError(
            f"at= makes {len(grid)} combinations of values, more than {MOST}: give fewer values.",
            topic="grid-too-large",
        )
    counts, combinations = responses_per_row(model), {}
    for key in grid.itertuples(index=False, name=None):
        design = _with_values(model, dict(zip(grid.columns, key, strict=True)))
        parts: dict[str, np.ndarray] = {}
        for j, term in enumerate(design.mu.groups):
            if term.factor not in found.rowwise:
                own = np.einsum("dkl,kl->d", flat.covariance(j)[0], mean_square(term.Z, counts))
                parts[term.factor] = parts.get(term.factor, 0.0) + own
        combinations[key] = parts
    return combinations


def over_rows(fit: Fit, found: Variances) -> tuple[float, float] | None:
    """The smallest and the largest adjusted share of all factors at a single row; None without random slopes.

    Of draws the posterior means, at the rows where the posterior mean of the variance is smallest and largest.
    """
    model, flat = fit.model, fit.parameters.flat()
    terms = [j for j, term in enumerate(model.design.mu.groups) if term.factor not in found.rowwise]
    rows = np.flatnonzero(responses_per_row(model) > 0)
    Z = [model.design.mu.groups[j].Z[rows] for j in terms]
    if all(np.ptp(columns, axis=0).max(initial=0.0) == 0 for columns in Z):
        return None
    covariances = [flat.covariance(j)[0] for j in terms]
    each = sum(np.einsum("nk,kl,nl->n", z, of.mean(axis=0), z) for z, of in zip(Z, covariances, strict=True))
    ends = []
    for row in (int(np.argmin(each)), int(np.argmax(each))):
        there = sum(np.einsum("k,dkl,l->d", z[row], of, z[row]) for z, of in zip(Z, covariances, strict=True))
        ends.append(float(share(there, there + found.residual).mean()))
    return ends[0], ends[1]


def words_over_rows(fit: Fit, found: Variances) -> tuple[str, ...]:
    """That a share is one of variances averaged over rows, where it is, and how to ask for another."""
    ends, names = over_rows(fit, found), slope_columns(fit.model)
    if ends is None:
        return ()
    ask = f' bm.icc(fit, at="{names[0]}") gives it at values of {names[0]}.' if names else ""
    return (
        Told(
            "shares-of-variance",
            "With random slopes the variance between levels differs from row to row; here it is averaged over the "
            f"rows. The adjusted share of all factors is {ends[0]:.2f} to {ends[1]:.2f} at single rows.{ask}",
        ),
    )


def _values(model: Model, asked: Mapping[str, Any]) -> dict[str, np.ndarray]:
    known, slopes, found = variables(model, bars=True), slope_columns(model), {}
    factors = [term.factor for term in model.design.mu.groups]
    for name, values in asked.items():
        of = variable(known, name, "The variance of this model's random effects", factors)
        if name not in slopes:
            which = f"Slopes vary for {listed(slopes)}." if slopes else "This model has no random slopes."
            raise FitError(
                f"No bar has a slope of {name!r}, so the share is the same at all its values. {which}",
                topic="share-of-variance",
            )
        found[name] = _shown(of) if values is None else of.given(values)
    if not found:
        raise FitError(
            'at= takes a column or values by column: at="x", or at={"x": [0, 1]}.', topic="values-of-a-column"
        )
    return found


def _shown(of: Variable) -> np.ndarray:
    distinct = np.unique(of.data.to_numpy()) if of.levels is None else of.levels
    return distinct if len(distinct) <= FEW else of.shown()


def _with_values(model: Model, values: Mapping[str, Any]) -> Design:
    """The model's rows with other values of some columns."""
    table = with_groups(model, model.frame.copy(deep=False))
    for name, value in values.items():
        column = model.frame[name]
        table[name] = pd.Series([value] * len(table), index=table.index, dtype=_kind(column))
    given, weights = model.design.encoding.offset, model.design.weights
    return encode(
        model,
        table,
        unseen="population",
        offset=0.0 if given is not None and given.text is None else None,
        weights=None if weights is None else 1.0,
        observed=False,
    )


def _kind(column: pd.Series) -> Any:
    """The type of a column that may take any of its values; numbers may be other numbers."""
    return float if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != bool else column.dtype
