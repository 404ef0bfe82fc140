"""What the model says of each group along a column, over the group's own data: lattices and spaghetti."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..design.columns.factors import level_text
from ..effects.emmeans import emmeans
from ..effects.rows.used_columns import Variable, only_in_offsets
from ..errors import FitError, nearest, with_known_options
from ..summaries.pooled.effects_by_factor import Varying, varying
from .drawing import across, canvas, marks, theme
from .drawing.picture import Picture, picture
from .effects import effects_frame
from .shown.group_rows import group_rows, held_offset
from .shown.observed import at_offset, observed_means, response_axis
from .shown.shares import are_zeros_and_ones, shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

KINDS = {"lattice": 24, "spaghetti": 150}  # and how many groups each shows unless asked for more
_TITLE_LENGTH = 15  # letters above a small panel
_CLASSES = {"lattice": 12, "spaghetti": 20}  # of a number, whose shares of ones are drawn where it has more values
_COUNTED = {"lattice": 6, "spaghetti": 24}  # shares of a panel beside which their numbers of rows can be read
_NUMBERED = 12  # panels of a lattice large enough for them


@with_known_options
def curves(
    fit: Fit,
    x: str | None = None,
    group: str | None = None,
    *,
    by: str | None = None,
    kind: str = "lattice",
    level: float = 0.95,
    max_groups: int | None = None,
    ax: Any = None,
) -> Picture:
    """Draw the fitted curve of every group over its data, with that of the population.

    All curves have one offset, the mean of the data's, and rows are moved to it on the link scale: of counts with the
    logarithm of an exposure the dots are rates times that exposure. Rows of zeros and ones are drawn as the shares of
    ones at each value of the column across, or in classes of about equal size where it has many, each with its number
    of rows: as the area of its dot, in the legend, and beside it where there is room. In spaghetti these shares are of
    all groups together, which lie nearer to one half than the curve of a group with random effects of zero.

    Parameters
    ----------
    fit
        Any fit with random effects.
    x
        The column across; None for the first with a random slope, else the first number of the fixed part, else the
        first column, of those that vary within groups if any does.
    group
        Grouping factor; None for the first of the formula. ``"b:a"`` also finds ``"a:b"``.
    by
        A column whose values get a colour each (and a curve each, in groups where it varies).
    kind
        "lattice": a panel per group with its rows, its curve with a band, and the population's curve dashed.
        "spaghetti": the curves of all groups on one Axes, with the population's in front and its band behind.
    level
        Coverage of the bands, see `curves_frame`.
    max_groups
        With more groups than this (24 in a lattice, 150 in spaghetti), as many are drawn, evenly spaced.
    ax
        One Axes per panel (one for spaghetti); None for a new figure.

    Returns
    -------
    Picture
        One panel per group, or one for all; the rows of `curves_frame` that are drawn.

    Raises
    ------
    FitError
        If the model has no random effects or no columns, or not those named, or an option does not exist.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> len(bm.plot.curves(fit)), len(bm.plot.curves(fit, kind="spaghetti"))
    (18, 1)
    """
    if kind not in KINDS:
        raise FitError(f"kind={kind!r} is not an option. {nearest(str(kind), KINDS)}", topic="unknown-option")
    of = varying(fit, group)
    column = _column(fit, x, of)
    shown = _shown(of, KINDS[kind] if max_groups is None else max_groups)
    drawn = _Drawn(
        fit=fit,
        of=of,
        column=column,
        by=by,
        level=level,
        curves=group_rows(fit, of, column, by, shown).curves(fit, level),
        rows=_rows(fit, of, column, by, shown if kind == "lattice" else None),
        colors=_colors(fit, by),
        offset=_shared_offset(fit, column, by),
    )
    with canvas.style(ax):
        axes = _lattice(drawn, ax) if kind == "lattice" else _spaghetti(drawn, ax)
    return picture(axes, drawn.curves)


@with_known_options
def curves_frame(
    fit: Fit, x: str | None = None, group: str | None = None, *, by: str | None = None, level: float = 0.95
) -> pd.DataFrame:
    """What `curves` draws of the groups: conditional and population means along a column, group by group.

    Parameters
    ----------
    fit, x, group, by
        As in `curves`.
    level
        Coverage of the limits: confidence limits of the group's mean response, from the uncertainty of fixed and
        random effects together.

    Returns
    -------
    DataFrame
        group, level, by (as text; empty without `by`), value (of `x`), estimate, lower, upper (with the effects of
        this factor and of those it is nested in) and population (all random effects zero). `x` runs over the values
        that the group has; its other columns are held at the group's means and most frequent levels, the offset at
        the mean of all rows (unless `x` or `by` is a column of it).

    Raises
    ------
    FitError
        As `curves`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> frame = bm.plot.curves_frame(fit)
    >>> frame[["value", "estimate", "population"]].iloc[0].round(1).tolist()
    [0.0, 253.7, 251.4]
    """
    of = varying(fit, group)
    column = _column(fit, x, of)
    return group_rows(fit, of, column, by, np.arange(len(of.levels))).curves(fit, level)


def _column(fit: Fit, x: str | None, of: Varying) -> Variable:
    known = across.columns(fit, "curves")
    if x is not None:
        return across.chosen(known, x)
    exposures = only_in_offsets(fit.model)
    bars = [fit.model.design.groups[j].variables for j in of.terms]
    sloped = [name for variables in bars for made_of in variables for name in made_of if name in known]
    numbers = [name for name in across.fixed(fit) if across.continuous(known[name]) and name not in exposures]
    likely = [*sloped, *numbers, *(name for name in known if name not in exposures), *known]
    inside = [name for name in likely if _varies_within(fit.model.frame[name], of)]
    return known[(inside or likely)[0]]


def _varies_within(values: pd.Series, of: Varying) -> bool:
    """Whether a column takes more than one value in some group."""
    inside = of.codes >= 0
    return bool((values[inside].groupby(of.codes[inside]).nunique() > 1).any())


def _shown(of: Varying, most: int) -> np.ndarray:
    """Positions of the levels drawn, in the order of the data."""
    if most < 1:
        raise FitError(f"max_groups={most} draws nothing: give at least 1.", topic="nothing-to-draw")
    present = np.unique(of.codes[of.codes >= 0])
    return present[theme.evenly(len(present), min(most, len(present)))]


@dataclass(frozen=True)
class _Drawn:
    """What is drawn of a fit: the groups' `curves`, the `rows` of the data, a colour per value of `by`.

    `rows` have code, by, at (the place across), response, and count, which is missing unless they are shares of ones.
    """

    fit: Fit
    of: Varying
    column: Variable
    by: str | None
    level: float
    curves: pd.DataFrame
    rows: pd.DataFrame
    colors: dict[str, str]
    offset: float | None

    @property
    def title(self) -> str:
        """Whose curves, how many, and by which method."""
        total, shown = len(self.of.levels), self.curves["level"].nunique()
        count = f"{total} levels" if shown == total else f"{shown} of {total} levels"
        at = "" if self.offset is None else f", at the mean offset {self.offset:.3g}"
        return f"Fitted curves by {theme.short(self.of.factor)} ({count}), {self.fit.label}{at}"

    @property
    def shares(self) -> bool:
        """Whether `rows` are shares of ones."""
        return bool(self.rows["count"].notna().any())

    @property
    def counted(self) -> str:
        """Of how many rows the shares are."""
        least, most = self.rows["count"].min(), self.rows["count"].max()
        return f"shares of {most:g} rows" if least == most else f"shares of {least:g} to {most:g} rows"

    def split(self, curves: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, np.ndarray]]:
        """Colour, rows and places across for each value of `by` among `curves`."""
        for name, own in curves.groupby("by", sort=False):
            yield self.colors[str(name)], own, across.places(self.column, own["value"])


def _shared_offset(fit: Fit, column: Variable, by: str | None) -> float | None:
    """The offset of all curves where rows have different ones."""
    return held_offset(fit.model, column, by) if np.ptp(fit.model.design.mu.offset) > 0 else None


def _rows(fit: Fit, of: Varying, column: Variable, by: str | None, shown: np.ndarray | None) -> pd.DataFrame:
    """The rows of the data at the offset of the curves, see `_Drawn`; of zeros and ones the shares, group by group.

    `shown` are the groups of a lattice; None is spaghetti, where shares of single groups would hide each other, and
    they are of all groups together.
    """
    model, offset = fit.model, _shared_offset(fit, column, by)
    y = observed_means(model)
    y = y if offset is None else at_offset(model, y, offset)
    splits = "" if by is None else [level_text(value) for value in model.frame[by]]
    at = across.places(column, model.frame[column.name])
    columns = {"code": of.codes, "by": splits, "at": at, "response": y, "count": np.nan}
    kept = np.isfinite(y) & (of.codes >= 0 if shown is None else np.isin(of.codes, shown)) & model.design.used
    rows = pd.DataFrame(columns)[kept]
    if offset is not None or not are_zeros_and_ones(rows["response"].to_numpy()):
        return rows.reset_index(drop=True)
    counted = model.design.weights is not None and model.family.weights == "frequency"
    weights = pd.Series(model.design.weights if counted else np.ones(len(y)))
    rows = rows.assign(code=-1) if shown is None else rows
    most = _CLASSES["spaghetti" if shown is None else "lattice"] if across.continuous(column) else None
    parts = [
        shares(own["at"], own["response"], weights[own.index], most).assign(code=code, by=split)
        for (code, split), own in rows.groupby(["code", "by"], sort=False)
    ]
    return pd.concat(parts, ignore_index=True).rename(columns={"value": "at"})


def _colors(fit: Fit, by: str | None) -> dict[str, str]:
    names = [name for name, _ in _held(fit, by)]
    return dict(zip(names, theme.categories(len(names), by), strict=True))


def _lattice(drawn: _Drawn, ax: Any) -> np.ndarray:
    levels = list(dict.fromkeys(drawn.curves["level"]))
    code = {level: i for i, level in enumerate(drawn.of.levels)}
    axes = canvas.lattice(len(levels), ax)
    names = theme.level_labels(levels, _TITLE_LENGTH)
    for panel, level, name in zip(axes, levels, names, strict=True):
        rows = drawn.rows[drawn.rows["code"] == code[level]]
        _dots(panel, drawn, rows, size=2.6, alpha=0.7, numbers=_COUNTED["lattice"] if len(levels) <= _NUMBERED else 0)
        _curves(panel, drawn, drawn.curves[drawn.curves["level"] == level])
        panel.set_title(name, fontsize=8, pad=3)
        across.name_axis(panel, drawn.column, width=0.35, label=ax is not None)
    axes[0].set_ylabel("" if ax is None else response_axis(drawn.fit.model))
    if ax is None:
        figure = axes[0].figure
        entries, heading = _entries(drawn, canvas.ink(axes[0]), ("dashes", theme.REFERENCE)), _heading(drawn)
        lines = marks.legend(axes[0], entries, outside=True, title=heading) + (heading is not None)
        # A figure's label and its legend share one margin: blank lines keep the label above the legend.
        figure.supxlabel(theme.short(drawn.column.name) + "\n" * (lines + 1), fontsize=9)
        figure.supylabel(response_axis(drawn.fit.model), fontsize=9)
        figure.suptitle(drawn.title)
    return axes


def _curves(ax: Axes, drawn: _Drawn, rows: pd.DataFrame) -> None:
    for color, own, at in drawn.split(rows):
        population = theme.REFERENCE if drawn.by is None else color
        ax.plot(at, own["population"], color=population, lw=1.0, ls=marks.DASHES, zorder=2)
        if len(at) == 1:
            ax.vlines(at, own["lower"], own["upper"], color=color, lw=1.0, zorder=4)
            ax.plot(at, own["estimate"], "D", ms=3.5, color=color, mew=0, zorder=4)
            continue
        ax.fill_between(at, own["lower"], own["upper"], color=color, alpha=0.25, lw=0, zorder=1)
        ax.plot(at, own["estimate"], color=color, lw=1.4, zorder=4)


def _dots(ax: Axes, drawn: _Drawn, rows: pd.DataFrame, size: float, alpha: float, numbers: int) -> None:
    """Rows, or shares with areas as their numbers of rows, which stand beside at most `numbers` if they differ."""
    counts = drawn.rows["count"]
    largest, numbered = counts.max(), counts.nunique() > 1 and len(rows) <= numbers
    for name, own in rows.groupby("by", sort=False):
        shown = canvas.ink(ax) if drawn.by is None else drawn.colors[str(name)]
        if not drawn.shares:
            ax.plot(own["at"], own["response"], "o", ms=size, mew=0, color=shown, alpha=alpha, zorder=3)
            continue
        areas = (1.2 + 2.2 * size * np.sqrt(own["count"] / largest)) ** 2
        ax.scatter(own["at"], own["response"], s=areas, color=shown, alpha=0.75, lw=0, zorder=5)
        if numbered:
            marks.numbers(ax, own[["at", "response"]].to_numpy(), own["count"].to_numpy())


def _spaghetti(drawn: _Drawn, ax: Any) -> np.ndarray:
    axes = canvas.panels(1, ax, theme.HEIGHT - 1.1, wide=True)
    n, panel = drawn.curves["level"].nunique(), axes[0]
    _dots(
        panel, drawn, drawn.rows, size=2.0, alpha=0.25 if len(drawn.rows) < 500 else 0.12, numbers=_COUNTED["spaghetti"]
    )
    for _, rows in drawn.curves.groupby("level", sort=False):
        for color, own, at in drawn.split(rows):
            look = "-" if len(at) > 1 else "D"
            panel.plot(at, own["estimate"], look, color=color, lw=0.9, ms=2.5, alpha=0.55 if n <= 40 else 0.3)
    for name, held in _held(drawn.fit, drawn.by):
        own = _population(drawn, held)
        at = across.places(drawn.column, own["value"])
        color = canvas.ink(panel) if drawn.by is None else drawn.colors[name]
        panel.fill_between(at, own["lower"], own["upper"], color=color, alpha=0.18, lw=0, zorder=1)
        panel.plot(at, own["estimate"], color=color, lw=2.6, zorder=6)
    across.name_axis(panel, drawn.column)
    panel.set_ylabel(response_axis(drawn.fit.model))
    panel.set_title(drawn.title)
    entries = _entries(drawn, canvas.ink(panel), ("thick", canvas.ink(panel)))
    marks.legend(panel, entries, outside=ax is None, title=_heading(drawn))
    return axes


def _population(drawn: _Drawn, held: dict[str, Any]) -> pd.DataFrame:
    """value, estimate, lower, upper of the population; constant along a column that is in bars alone."""
    fixed = across.fixed(drawn.fit)
    held = {name: values for name, values in held.items() if name in fixed}
    if drawn.column.name in fixed:
        return effects_frame(drawn.fit, drawn.column.name, at=held, level=drawn.level)
    values = across.shown(drawn.column)
    ends = values if not across.continuous(drawn.column) else [values[0], values[-1]]
    whole = emmeans(drawn.fit, "1", at=held, scale="response", level=drawn.level).frame
    return pd.concat([whole.assign(value=value) for value in ends], ignore_index=True)


def _held(fit: Fit, by: str | None) -> list[tuple[str, dict[str, Any]]]:
    """What each curve of the population holds `by` at."""
    if by is None:
        return [("", {})]
    return [(level_text(value), {by: [value]}) for value in fit.model.frame[by].sort_values().unique()]


def _heading(drawn: _Drawn) -> str | None:
    return None if drawn.by is None else theme.short(drawn.by)


def _entries(drawn: _Drawn, ink: str, population: tuple[str, str]) -> list[tuple[str, str, str]]:
    rows = ("dot", ink, drawn.counted if drawn.shares else "rows of the data")
    if drawn.by is not None:
        return [*marks.entries("line", drawn.colors), *([rows] if drawn.shares else [])]
    zero = "" if drawn.fit.model.family.linear else " (random effects zero)"
    (color,) = drawn.colors.values()
    return [rows, ("line", color, "group's curve"), (*population, f"population{zero}")]
