"""Which column runs across a picture, and where its values stand: numbers to scale, levels side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...design.columns.factors import level_text
from ...effects.rows.used_columns import Variable, variable, variables
from ...errors import FitError
from ...fits.base import is_fit
from ...page import letters
from . import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...fits.base import Fit

_LETTERS = 44  # that fit across a panel of the usual width
_LINE = 14  # of one line of a level's name


def columns(fit: Fit, plot: str) -> dict[str, Variable]:
    """The columns that the mean of a fit depends on, fixed part first.

    Raises
    ------
    FitError
        If there are none, or `fit` is no fit.
    """
    if not is_fit(fit):
        raise FitError(
            f'{plot} draws a fit, not {fit!r}: write model.fit("reml") or model.fit("nuts", seed=1) first.',
            topic="needs-a-fit",
        )
    found = variables(fit.model, bars=True)
    if not found:
        raise FitError(
            f"{plot} has nothing to draw: the mean depends on no column of the data. Groups without columns are "
            "shown by bm.plot.caterpillar(fit).",
            topic="nothing-to-draw",
        )
    return found


def fixed(fit: Fit) -> list[str]:
    """The columns of the fixed part."""
    return list(variables(fit.model))


def chosen(known: dict[str, Variable], name: str) -> Variable:
    """The column of that name.

    Raises
    ------
    FitError
        If the mean does not depend on it, naming those it does.
    """
    return variable(known, name)


def continuous(column: Variable) -> bool:
    """Whether the values of a column lie along a scale."""
    return column.levels is None and pd.api.types.is_numeric_dtype(column.data.dtype)


def places(column: Variable, values: Any) -> np.ndarray:
    """Where values (n,) of the column stand across the picture."""
    if continuous(column):
        return np.asarray(values, dtype=float)
    place = {level_text(level): i for i, level in enumerate(shown(column))}
    return np.array([place[level_text(value)] for value in values], dtype=float)


def shown(column: Variable) -> list[Any]:
    """The levels of a column that is no scale, from left to right."""
    return list(column.levels) if column.levels is not None else list(pd.unique(column.data.sort_values()))


def name_axis(ax: Axes, column: Variable, width: float = 1.0, label: bool = True) -> None:
    """The horizontal axis with the column's name and, of levels, their names; `width` in usual panels."""
    if label:
        ax.set_xlabel(theme.short(column.name))
    if continuous(column):
        ax.locator_params(axis="x", nbins=max(3, round(8 * width)))
        return
    levels = [level_text(level) for level in shown(column)]
    names = [theme.wrapped(level, _LINE) for level in levels]
    turned = sum(max(map(letters, name.split("\n"))) + 2 for name in names) > _LETTERS * width
    if turned:
        names = theme.level_labels(levels)
    ax.set_xticks(np.arange(len(names)), names, rotation=35 if turned else 0, ha="right" if turned else "center")
    if turned:
        for text in ax.get_xticklabels():
            text.set_rotation_mode("anchor")
    ax.set_xlim(-0.5, len(names) - 0.5)
