"""How does the response run along a number in each group before any model is fitted: a line per group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..effects.variables import Variable, variables
from ..errors import FitError, nearest
from ..prediction.linear_predictor import same_factor
from . import across, theme
from .shares import are_zeros_and_ones, shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..model import Model

MOST = 150  # groups whose lines can be told from a block of colour
_DOTS = 3000  # rows that are drawn as dots too
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
            raise FitError(f"x={x!r} is not a number of this model's formula. {nearest(str(x), known, 'Numbers')}")
        return known[x]
    bars = [term.variables for term in model.design.groups if same_factor(term.factor, factor)]
    sloped = [name for made_of in bars for columns in made_of for name in columns if name in known]
    return known[sloped[0]] if sloped else None


def draw_lines(ax: Axes, frame: pd.DataFrame, colors: dict[str, str]) -> int:
    """A line per level, and per value of the column that splits them; returns how many levels are drawn.

    A line goes through the mean of a level's rows at each value; of zeros and ones through their shares.
    """
    from matplotlib.collections import LineCollection

    levels = pd.unique(frame["level"])
    kept = theme.evenly(len(levels), min(MOST, len(levels)))
    drawn = frame[frame["level"].isin(list(levels[kept])) & frame["x"].notna()]
    zeros_and_ones, many = are_zeros_and_ones(drawn["response"].to_numpy()), len(kept) > theme.MAX_LABELS
    for name, color in colors.items():
        own = drawn[drawn["split"] == name]
        paths = [_path(rows, zeros_and_ones) for _, rows in own.groupby("level", sort=False)]
        paths = [path for path in paths if len(path)]
        lines = LineCollection(paths, colors=color, linewidths=0.7 if many else 1.1, alpha=0.5 if many else 0.7)
        ax.add_collection(lines)
        points = own[["x", "response"]].to_numpy(dtype=float)
        if zeros_and_ones or len(drawn) > _DOTS:
            points = np.concatenate([path for path in paths if len(path) == 1] or [np.empty((0, 2))])
        ax.plot(*points.T, "o", ms=1.8 if many else 2.6, mew=0, color=color, alpha=0.35 if many else 0.6, zorder=3)
    ax.autoscale_view()
    return len(kept)


def _path(rows: pd.DataFrame, zeros_and_ones: bool) -> np.ndarray:
    """The points (m, 2) of one line."""
    x, y = rows["x"].to_numpy(dtype=float), rows["response"].to_numpy(dtype=float)
    if zeros_and_ones:
        found: Any = shares(x, y, np.ones(len(x)), _CLASSES)[["value", "response"]]
        return found.to_numpy()  # type: ignore[no-any-return]
    means = pd.Series(y).groupby(x).mean()
    return np.column_stack([means.index.to_numpy(dtype=float), means.to_numpy()])
