"""How fast the mean changes with a number: derivatives at chosen rows, and averages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FitError, with_known_options
from ..messages import Told
from ..prediction.new_rows import take_rows
from .comparisons import Parts
from .mean.column_change import ColumnChange, direction
from .mean.question import MeanValues, Piece, Question, averages, check_fit, refuse_infinite
from .quantities import Quantities
from .returned import Effects
from .rows.called import called
from .rows.grid import AskedRows, EffectRows, rows, wanted
from .rows.repeats import RepeatedRows
from .rows.steps import stepwise
from .rows.used_columns import Variable, names_of, variable
from .rows.used_columns import variables as variables_of

if TYPE_CHECKING:
    from ..fits.base import Fit


@with_known_options
def slopes(
    fit: Fit,
    variables: str | Sequence[str],
    *,
    at: Mapping[str, Any] | None = None,
    newdata: Any = None,
    by: str | Sequence[str] | None = None,
    average: bool = False,
    kind: str = "conditional",
    scale: str = "response",
    offset: Any = None,
    level: float = 0.95,
    ddf: str | float | None = None,
) -> Effects:
    """Derivatives of the mean with respect to numbers: simple slopes and average marginal effects.

    Parameters
    ----------
    fit
        Any fit.
    variables
        The numbers, each in turn.
    at
        Values of columns, the numbers themselves included: {"x": [0, 5], "f": ["a"]}.
    newdata, by, average
        Rows as in `predictions`; ``newdata="data", average=True`` gives average marginal effects.
    kind, scale, offset, level, ddf
        As in `predictions`.

    Returns
    -------
    Effects
        `.frame`: term, contrast, columns, estimate, se, df (where it is finite), lower, upper, for point fits
        statistic and p;
        `.contrast(...)` compares slopes.

    Raises
    ------
    FitError
        Names and values that the model does not have, factors (which have comparisons).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")
    >>> bm.slopes(fit, "temp", by="recipe").frame[["recipe", "estimate", "se"]].round(4)
      recipe  estimate      se
    0      A    0.1537  0.0282
    1      B    0.1646  0.0282
    2      C    0.1558  0.0282
    """
    check_fit(fit, ddf)
    question, known, found = Question(scale, kind, ddf), variables_of(fit.model, bars=True), Parts([], [], [])
    undefined: list[str] = []
    variables, at, by = (called(fit.model, given) for given in (variables, at, by))
    for name in names_of(variables, "variables"):
        column = variable(known, name)
        if column.levels is not None or not np.issubdtype(column.data.to_numpy().dtype, np.number):
            raise FitError(
                f'{name!r} is not a number, so it has no slope: use comparisons(fit, "{name}").',
                topic="values-of-a-column",
            )
        spread = float(np.ptp(column.data.to_numpy(float)))
        held = question.spread(fit.model)
        asked = AskedRows(wanted(at, "at"), newdata, by, average, offset, without=name, spread=held)
        base = rows(fit.model, asked)
        if name not in base.table:
            raise FitError(
                f"newdata has no column {name!r}, at whose values the slope is to be taken.", topic="no-such-column"
            )
        found.notes.extend(_steps(fit, base, question, column))
        along = direction(fit.model, base, question, name, spread)
        undefined += _undefined(along, name)
        there = RepeatedRows(fit.model, known, asked, partial(_slopes, fit, question, name, spread), "slopes")
        found.add(base, name, f"d / d {name}", _rates(fit, base, question, along), there)
    found.notes.extend(undefined)
    blank = {"blank": ""} if undefined and not fit.model.design.mu.aliased else {}
    return found.effects("Slopes", fit, question, level=level, **blank)


def _slopes(fit: Fit, question: Question, name: str, spread: float, base: EffectRows) -> Quantities:
    """The slopes at the rows of a table."""
    return _rates(fit, base, question, direction(fit.model, base, question, name, spread))


def _steps(fit: Fit, base: EffectRows, question: Question, column: Variable) -> list[str]:
    """A note where a number enters by steps alone."""
    terms = stepwise(fit.model, base, question, column)
    if not terms:
        return []
    low, high = column.shown()[[0, -1]]
    return [
        Told(
            "steps",
            f"Note: {column.name} enters only by a step, {terms}, and has no slope between its jumps. Compare two "
            "values: "
            f'bm.comparisons(fit, {{"{column.name}": ({low:g}, {high:g})}}).',
        )
    ]


def _rates(fit: Fit, base: EffectRows, question: Question, along: ColumnChange) -> Quantities:
    """Averages of the rates at which the mean changes."""
    bounded = np.isfinite(fit.model.family.eta_range).any()  # the mean may end at infinity

    def part(values: MeanValues, where: slice, shift: np.ndarray | float) -> Piece:
        rows, rates = take_rows(along.rows, where), take_rows(along.rates, where)
        if bounded:
            refuse_infinite(values.means(rows, question)[0], fit.model, question)
        rate, by_eta, by_rate = values.rates(rows, rates, question, shift)
        moved, rates_moved = (None if m is None else m[where] for m in (along.moved, along.rates_moved))
        return Piece(rate, ((by_eta, rows.mu.X, moved), (by_rate, rates.mu.X, rates_moved)))

    return averages(fit, base, part, along.moved, question)


def _undefined(along: ColumnChange, name: str) -> list[str]:
    count = int(along.undefined.sum())
    if not count:
        return []
    where = f"in {count} of {len(along.undefined)} rows"
    return [
        Told(
            "blank-cells", f"Blank: the formula has no finite derivative in {name} {where}, such as sqrt({name}) at 0."
        )
    ]
