"""How does the response run along a number in each group before any model is fitted: a line per group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...effects.rows.used_columns import Variable, variables
from ...errors import FitError, nearest
from ...prediction.included_terms import same_factor
from ..drawing import across, marks, theme
from . import named_levels
from .shares import are_zeros_and_ones, shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...model import Model

MOST = 150  # groups whose lines can be told from a block of colour
_DOTS = 3000  # rows that are drawn as dots too
_NAMED = 20  # groups, of which all are named at the ends of their lines; of more the highest and the lowest
_EXTREMES = 4  # of either
_CLASSES = 8  # of a number, whose shares make the line of a group of zeros and ones


def number(model: Model, factor: str, x: str | None) -> Variable | None:
    """The number across: `x`, or the first that has a slope by the factor; None where there is none.

    Raises
    ------
    FitError
        If `x` is not a number that the mean depends on.
    """
    known = {name: column for name, column in variables(model, bars=True).items() if across.continuous(column)}
    if x is not None:
        if x not in known:
            raise FitError(
                f"x={x!r} is not a number of this model's formula. {nearest(str(x), known, 'Numbers')}",
                topic="no-such-column",
            )
        return known[x]
    bars = [term.variables for term in model.design.groups if same_factor(term.factor, factor)]
    sloped = [name for made_of in bars for columns in made_of for name in columns if name in known]
    return known[sloped[0]] if sloped else None


def draw_lines(ax: Axes, frame: pd.DataFrame, colors: dict[str, str]) -> int:
    """A line per level, and per value of the column that splits them; returns how many levels are drawn.

    A line goes through the mean of a level's rows at each value; of zeros and ones through their shares.
    """
    from matplotlib.collections import LineCollection

    frame = frame[frame["x"].notna()]
    levels = pd.unique(frame["level"])
    kept = theme.evenly(len(levels), min(MOST, len(levels)))
    drawn = frame[frame["level"].isin(list(levels[kept]))]
    ends: dict[Any, tuple[float, float, str]] = {}
    zeros_and_ones, many = are_zeros_and_ones(drawn["response"].to_numpy()), len(kept) > theme.MAX_LABELS
    for name, color in colors.items():
        own = drawn[drawn["split"] == name]
        runs = {level: _path(rows, zeros_and_ones) for level, rows in own.groupby("level", sort=False)}
        ends |= {level: (*path[-1], color) for level, path in runs.items()}
        paths = list(runs.values())
        lines = LineCollection(paths, colors=color, linewidths=0.7 if many else 0.9, alpha=0.5 if many else 0.7)
        ax.add_collection(lines)
        points = own[["x", "response"]].to_numpy(dtype=float)
        if zeros_and_ones or len(drawn) > _DOTS:
            points = np.concatenate([path for path in paths if len(path) == 1] or [np.empty((0, 2))])
        ax.plot(*points.T, "o", ms=1.8 if many else 2.6, mew=0, color=color, alpha=0.35 if many else 0.6, zorder=3)
    ax.autoscale_view()
    _name_ends(ax, ends)
    return len(kept)


def _name_ends(ax: Axes, ends: dict[Any, tuple[float, float, str]]) -> None:
    """Levels' names right of the axes, each led to the end (x, y) of its line."""
    heights = np.array([y for _, y, _ in ends.values()])
    number = len(ends) if len(ends) <= _NAMED else _EXTREMES
    named = named_levels.named(list(ends), heights[:, None], number)
    named = named[np.argsort(heights[named], kind="stable")]
    low, high = ax.get_ylim()
    apart = marks.NAME_HEIGHT * (high - low) / marks.height(ax)
    names = theme.level_labels(np.array(list(ends), dtype=object)[named])
    for i, name, y in zip(named, names, named_levels.spread(heights[named], apart, low, high), strict=True):
        x, end, color = list(ends.values())[i]
        line = {"arrowstyle": "-", "color": color, "lw": 0.5, "alpha": 0.5, "shrinkA": 0, "shrinkB": 1}
        place = ("axes fraction", "data")
        ax.annotate(name, (x, end), (1.03, y), "data", place, va="center", fontsize=7.5, color=color, arrowprops=line)


def _path(rows: pd.DataFrame, zeros_and_ones: bool) -> np.ndarray:
    """The points (m, 2) of one line."""
    x, y = rows["x"].to_numpy(dtype=float), rows["response"].to_numpy(dtype=float)
    if zeros_and_ones:
        found: Any = shares(x, y, np.ones(len(x)), _CLASSES)[["value", "response"]]
        return found.to_numpy()  # type: ignore[no-any-return]
    means = pd.Series(y).groupby(x).mean()
    return np.column_stack([means.index.to_numpy(dtype=float), means.to_numpy()])
