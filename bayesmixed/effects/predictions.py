"""Means of the response at chosen rows, and averages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import with_known_options
from .mean.question import Question, check_fit, means
from .returned import Effects
from .rows.called import called
from .rows.grid import AskedRows, rows, wanted

if TYPE_CHECKING:
    from ..fits.base import Fit


@with_known_options
def predictions(
    fit: Fit,
    variables: str | Sequence[str] | Mapping[str, Any] | None = None,
    *,
    newdata: Any = None,
    by: str | Sequence[str] | None = None,
    average: bool = False,
    kind: str = "conditional",
    scale: str = "response",
    offset: Any = None,
    level: float = 0.95,
    ddf: str | float | None = None,
) -> Effects:
    """Means of the response over a grid, at the rows of the data or of a table, one by one or averaged.

    Parameters
    ----------
    fit
        Any fit.
    variables
        Columns to vary: names, or values by name, {"x": [0, 1], "f": None}. A number without values is shown at its
        5th and 95th percentile, a factor at every level.
    newdata
        None: a grid, other factors at every level (and numbers that have two values, such as 0 and 1, at both), other
        numbers at their means. "data": the rows of the fit; a table or a dict of columns: its rows. There `variables`
        are set to each of their values in every row.
    by
        Columns within which rows are averaged. On a grid a grouping factor holds what belongs to each of its levels
        (a mouse's genotype) at the level's own value; its random effects are zero.
    average
        Whether all rows are averaged (within `by` and the values of `variables`). Over the data these are average
        predictions, with frequency weights where the model has them.
    kind
        "conditional": random effects zero. "population": integrated over the random effects.
    scale
        "response" or "link".
    offset
        In place of what the model's offsets give: a grid holds them at their mean, rows have their own.
    level, ddf
        As in `emmeans`.

    Returns
    -------
    Effects
        `.frame`: columns, estimate, se, df (where it is finite), lower, upper; `.contrast(...)` compares them. Limits
        stay inside the range of means. Those of a point fit's conditional mean at one row are made on the link scale
        and transformed back; those of averages, over rows or over random effects, are by the delta method on that
        scale, transformed back (the page says which). Standard errors are of the scale asked for.

    Raises
    ------
    FitError
        Names and values that the model does not have, unknown options, more rows than fit into memory.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.predictions(fit, {"Days": [0, 9]}).frame.round(1)
       Days  estimate    se    df  lower  upper
    0   0.0     251.4   6.8  17.0  237.0  265.8
    1   9.0     345.6  14.6  17.0  314.7  376.5
    """
    check_fit(fit, ddf)
    question = Question(scale, kind, ddf)
    spread = question.spread(fit.model)
    variables, by = called(fit.model, variables), called(fit.model, by)
    found = rows(fit.model, AskedRows(wanted(variables), newdata, by, average, offset, spread=spread))
    return Effects(
        "Average predictions" if average or by else "Predictions",
        found.keys,
        means(fit, found, question),
        (*question.notes(fit), *found.notes),
        level=level,
    )
