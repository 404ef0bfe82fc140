"""How the response lies in each group before any model is fitted: lines, boxes, violins or dots, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..design.columns.factors import level_text
from ..design.table import column_names
from ..errors import FitError, nearest, with_known_options
from ..model import Model
from ..prediction.included_terms import same_factor
from ..prediction.rows_by import rows_by
from .drawing import canvas, marks, theme
from .drawing.kernel_density import kernel_density
from .drawing.picture import Picture, picture
from .shown.data_lines import draw_lines, number
from .shown.observed import observed_means, response_axis
from .shown.shares import are_zeros_and_ones

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..effects.rows.used_columns import Variable
    from ..fits.base import Fit
    from ..formula.formula import Formula

KINDS = ("lines", "box", "violin", "dots")
_WHISKER = 1.5  # interquartile ranges, Tukey's
_SPREAD = 0.8  # of a row that its marks may fill
_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, spread evenly whatever their number


@with_known_options
def data(
    model: Model | Fit | Formula | str,
    table: Any = None,
    *,
    group: str | None = None,
    x: str | None = None,
    by: str | None = None,
    kind: str | None = None,
    sort: bool = True,
    family: Any = "gaussian",
    ax: Any = None,
) -> Picture:
    """Draw the response of every group, a line over a number or a row per level: the first look at clustered data.

    Parameters
    ----------
    model, table
        A model or a fit; or a formula and the table that it speaks of.
    group
        Grouping factor or column of the table; None for the first bar's, without bars the first categorical column.
    x
        For lines, the number across; None for the first that has a slope by the group.
    by
        A column of the table that colours the groups, and splits those in which it varies.
    kind
        "lines" (each group's rows along `x`, their means where several share a value, of zeros and ones their shares;
        of more than 150 groups as many, evenly spaced in the order of the data), "box" (quartiles, whiskers to the last
        row within 1.5 interquartile ranges), "violin" (kernel densities from the first row to the last), both with the
        rows as dots, or "dots" (rows and their mean, which of zeros and ones is the share of ones). None: "lines" where
        a number has a slope by the group or `x` is given, else "dots" of zeros and ones and "box" of other responses.
    sort
        Order the levels by their medians (ties by their means), within `by` where it does not vary inside them; else
        as in the data from the top down.
    family
        For a formula and a table, what `bm.Model` takes.
    ax
        Where to draw; None for a new figure.

    Returns
    -------
    Picture
        One panel, with `data_frame`.

    Raises
    ------
    FitError
        If there is no such group, column or kind, or `by` has more values than there are colours.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> sleep = bm.load_data("sleepstudy")
    >>> lines = bm.plot.data("Reaction ~ Days + (Days | Subject)", sleep).axes[0]
    >>> lines.get_xlabel(), lines.get_ylabel()
    ('Days', 'Reaction')
    >>> boxes = bm.plot.data("Reaction ~ Days + (1 | Subject)", sleep).axes[0]
    >>> boxes.get_xlabel(), boxes.get_ylabel(), len(boxes.get_yticks())
    ('Reaction', 'Subject', 18)
    """
    if kind is not None and kind not in KINDS:
        raise FitError(f"kind={kind!r} is not an option. {nearest(str(kind), KINDS)}", topic="unknown-option")
    model = _model(model, table, family)
    frame = _tidy(model, group, by, x)
    zeros_and_ones = are_zeros_and_ones(frame["response"].to_numpy())
    column = number(model, str(frame["group"].iloc[0]), x) if kind in (None, "lines") else None
    if kind is None:
        kind = "lines" if column is not None else "dots" if zeros_and_ones else "box"
    splits, colors = _splits(frame, by)
    with canvas.style(ax):
        if kind == "lines":
            axes = _along(canvas.one_axes(ax, theme.HEIGHT), model, frame.assign(split=splits), column, colors)
        else:
            axes = _across(ax, model, frame, _rows(frame, splits, colors, sort), kind, zeros_and_ones)
        if by is not None:
            mark = "line" if kind == "lines" else "dot"
            marks.legend(axes, marks.entries(mark, colors), outside=ax is None, title=theme.short(by))
    return picture(axes, frame)


@with_known_options
def data_frame(
    model: Model | Fit | Formula | str,
    table: Any = None,
    *,
    group: str | None = None,
    x: str | None = None,
    by: str | None = None,
    family: Any = "gaussian",
) -> pd.DataFrame:
    """What `data` draws: the response row by row with its group.

    Parameters
    ----------
    model, table, group, x, by, family
        As in `data`.

    Returns
    -------
    DataFrame
        One row per row used: group (the factor's name), level, by (its value; empty without `by`), x (the number
        across of lines, missing where there is none) and response (a share where it is successes out of trials), with
        the index of the data.

    Raises
    ------
    FitError
        If there is no such group or column.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> frame = bm.plot.data_frame("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> frame.groupby("level")["response"].median().round(0).tolist()[:3]
    [1520.0, 1540.0, 1560.0]
    """
    return _tidy(_model(model, table, family), group, by, x)


def _model(model: Any, table: Any, family: Any) -> Model:
    if table is not None:
        return Model(model, table, family=family, check="warn")
    model = getattr(model, "model", model)
    if not hasattr(model, "design"):
        raise FitError(
            f"data draws a model, a fit, or a formula with its table, not {model!r} alone: "
            'bm.plot.data("y ~ x + (1 | g)", table).',
            topic="needs-a-model",
        )
    return model  # type: ignore[no-any-return]  # what has a design is one


def _tidy(model: Model, group: str | None, by: str | None, x: str | None) -> pd.DataFrame:
    name, levels = _levels(model, group)
    splits: Any = "" if by is None else _column(model, by)
    column = number(model, name, x)
    across = np.nan if column is None else model.frame[column.name].to_numpy(dtype=float)
    columns = {"group": name, "level": levels, "by": splits, "x": across, "response": observed_means(model)}
    frame = pd.DataFrame(columns, index=model.design.index)
    return frame[np.isfinite(columns["response"]) & model.design.used]


def _levels(model: Model, group: str | None) -> tuple[str, np.ndarray]:
    """The grouping factor's or column's name and its level (n,) in every row."""
    frame, bars = model.frame, model.design.mu.groups
    columns = [str(column) for column in frame if _categorical(frame[column])]
    known = list(dict.fromkeys([*(term.factor for term in bars), *columns]))
    if group is None and not known:
        raise FitError(
            "There is no group to draw: the model has no bar and no categorical column. Give group=.",
            topic="nothing-to-draw",
        )
    name = known[0] if group is None else str(group)
    for term in bars:
        if same_factor(term.factor, name):
            levels = term.levels.astype(object)[np.maximum(term.codes, 0)]
            levels[term.codes < 0] = None
            return term.factor, levels
    if name in frame:
        return name, frame[name].to_numpy()
    if name not in _left_out(model):
        raise FitError(
            f"group={group!r} is not a group of this model. {nearest(name, known, 'Groups')}", topic="no-such-group"
        )
    return name, np.asarray(_column(model, name))


def _column(model: Model, name: str) -> Any:
    """A column (n,) of the rows used, categories in their order; also one of the table that the formula leaves out."""
    if name in model.frame:
        return model.frame[name].array
    known = [*map(str, model.frame), *_left_out(model)]
    if name not in known:
        raise FitError(
            f"by={name!r} is not a column of this model or its table. {nearest(str(name), known, 'Columns')}",
            topic="no-such-column",
        )
    found = rows_by(model, name)
    return pd.Categorical.from_codes(found.codes.tolist(), found.levels)


def _left_out(model: Model) -> list[str]:
    """Columns of the table that the formula does not use, if there is one."""
    table = model.arguments.data
    return [] if table is None else [str(name) for name in column_names(table) if name not in model.frame]


def _categorical(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)


@dataclass(frozen=True)
class _Mark:
    """Responses `y` that share a row and a colour: centre `at` and full height `size` in rows."""

    y: np.ndarray
    at: float
    size: float
    color: str


@dataclass(frozen=True)
class _Rows:
    """Levels from the bottom up, at most `lanes` marks in each; a colour per value of the column that splits."""

    levels: np.ndarray
    lanes: int
    marks: list[_Mark]
    colors: dict[str, str]
    labelled: bool


def _splits(frame: pd.DataFrame, by: str | None) -> tuple[pd.Series, dict[str, str]]:
    """The value of `by` of every row as text, and a colour for each."""
    names = [level_text(value) for value in frame["by"].sort_values().unique()]
    colors = dict(zip(names, theme.categories(len(names), by), strict=True))
    return frame["by"].astype(object).map(level_text), colors


def _along(ax: Axes, model: Model, frame: pd.DataFrame, column: Variable | None, colors: dict[str, str]) -> Axes:
    """Lines of the groups along a number."""
    if column is None:
        raise FitError(
            'kind="lines" needs a number across, and none has a slope by this group: name one of the formula with x=, '
            'or draw kind="box".',
            topic="nothing-to-draw",
        )
    shown, total = draw_lines(ax, frame, colors), frame["level"].nunique()
    ax.set_xlabel(theme.short(column.name))
    ax.set_ylabel(response_axis(model))
    lines = f"lines of {shown}" if shown < total else "a line each"
    ax.set_title(f"{len(frame)} rows of {total} levels of {theme.short(str(frame['group'].iloc[0]))}, {lines}")
    return ax


def _across(ax: Any, model: Model, frame: pd.DataFrame, rows: _Rows, kind: str, zeros_and_ones: bool) -> Axes:
    """A row per level."""
    axes = canvas.one_axes(ax, _height(rows) + 1.0)
    for color in rows.colors.values():
        _draw(axes, [mark for mark in rows.marks if mark.color == color], kind, rows.labelled)
    factor = str(frame["group"].iloc[0])
    marks.level_axis(axes, factor, rows.levels)
    axes.set_xlabel(response_axis(model))
    marked = ", lines at shares" if zeros_and_ones and kind == "dots" else ""
    axes.set_title(f"{len(frame)} rows of {len(rows.levels)} levels of {theme.short(factor)}{marked}")
    return axes


def _rows(frame: pd.DataFrame, splits: pd.Series, colors: dict[str, str], sort: bool) -> _Rows:
    names = list(colors)
    order, within = _order(frame, splits.map(names.index), sort), splits.groupby(frame["level"], sort=False).nunique()
    place = {level: i for i, level in enumerate(order)}
    lanes = int(within.max())
    drawn = []
    for key, y in frame["response"].groupby([frame["level"], splits], sort=False):
        level, name = key[0], str(key[1])
        lane = 0.0 if lanes == 1 else (len(names) - 1) / 2 - names.index(name)
        share = _SPREAD if lanes == 1 else _SPREAD / len(names)
        drawn.append(_Mark(y.to_numpy(), place[level] + lane * share, 0.9 * share, colors[name]))
    return _Rows(np.array(order, dtype=object), lanes, drawn, colors, len(order) <= theme.MAX_LABELS)


def _order(frame: pd.DataFrame, splits: pd.Series, sort: bool) -> list[Any]:
    """Levels from the bottom of the picture to its top; `splits` (n,) are the places of the values that colour them."""
    levels = frame["level"]
    medians = frame["response"].groupby(levels, sort=False).median()
    if not sort:
        return list(medians.index[::-1])
    constant = splits.groupby(levels, sort=False).nunique().max() == 1
    first: Any = splits.groupby(levels, sort=False).first() if constant else 0
    means = frame["response"].groupby(levels, sort=False).mean()  # of zeros and ones most medians are alike
    keys = pd.DataFrame({"median": medians, "mean": means, "by": first})
    return list(keys.sort_values(["by", "median", "mean"], ascending=[False, True, True], kind="stable").index)


def _height(rows: _Rows) -> float:
    return theme.rows_height(len(rows.levels)) * (1 + 0.6 * (rows.lanes - 1) if rows.labelled else 1)


def _draw(ax: Axes, group: list[_Mark], kind: str, labelled: bool) -> None:
    """All marks of one colour: at once, for there may be thousands."""
    at, size, color = np.array([m.at for m in group]), group[0].size, group[0].color
    {"box": _boxes, "violin": _violins, "dots": _means}[kind](ax, [m.y for m in group], at, size, color, labelled)
    if labelled:
        jitter = [m.at + 0.8 * size * ((_GOLDEN * np.arange(len(m.y))) % 1 - 0.5) for m in group]
        dot = 3.0 if max(len(m.y) for m in group) <= 100 else 1.5
        y, alpha = np.concatenate([m.y for m in group]), 0.45 if kind != "dots" else 0.7
        ax.plot(y, np.concatenate(jitter), "o", ms=dot, mew=0, color=color, alpha=alpha, zorder=3)


def _boxes(ax: Axes, ys: list[np.ndarray], at: np.ndarray, size: float, color: str, labelled: bool) -> None:
    low, median, high = np.array([np.quantile(y, [0.25, 0.5, 0.75]) for y in ys]).T
    reach = _WHISKER * (high - low)
    inside = [y[(y >= a) & (y <= b)] for y, a, b in zip(ys, low - reach, high + reach, strict=True)]
    ends = np.array([[y.min(), y.max()] for y in inside]).T
    ax.hlines(at, *ends, color=color, lw=0.9 if labelled else 0.4, zorder=1)
    corners = [_corners(a, b, row, size) for a, b, row in zip(low, high, at, strict=True)]
    _shapes(ax, corners, color)
    ax.vlines(median, at - size / 2, at + size / 2, color=color, lw=2.0 if labelled else 1.2, zorder=4)


def _violins(ax: Axes, ys: list[np.ndarray], at: np.ndarray, size: float, color: str, labelled: bool) -> None:
    _shapes(ax, [_outline(y, row, size) for y, row in zip(ys, at, strict=True)], color)
    medians = [np.median(y) for y in ys]
    ax.plot(medians, at, "|", ms=8 if labelled else 2, mew=2 if labelled else 1, color=color, zorder=4)


def _means(ax: Axes, ys: list[np.ndarray], at: np.ndarray, size: float, color: str, labelled: bool) -> None:
    if not labelled:
        rows = np.repeat(at, [len(y) for y in ys])
        ax.plot(np.concatenate(ys), rows, "o", ms=1.2, mew=0, color=theme.pale(color), zorder=2)
    ax.vlines([y.mean() for y in ys], at - size / 2, at + size / 2, color=canvas.ink(ax), lw=1.6, zorder=4)


def _corners(left: float, right: float, at: float, size: float) -> np.ndarray:
    """A box (4, 2)."""
    bottom, top = at - size / 2, at + size / 2
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]])


def _outline(y: np.ndarray, at: float, size: float) -> np.ndarray:
    """A violin (m, 2); of rows that are all alike a line."""
    value, density = kernel_density(y, y.min(), y.max())
    if np.isnan(density).any():
        return _corners(y[0], y[0], at, size)
    half = 0.5 * size * density / density.max()
    return np.column_stack([np.append(value, value[::-1]), np.append(at - half, at + half[::-1])])


def _shapes(ax: Axes, corners: list[np.ndarray], color: str) -> None:
    from matplotlib.collections import PolyCollection

    edge = theme.pale(color)
    ax.add_collection(PolyCollection(corners, facecolors=edge, edgecolors=edge, linewidths=0.5, zorder=2))
    ax.autoscale_view()
