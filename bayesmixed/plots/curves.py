"""What the model says of each group along a column, over the group's own data: lattices and spaghetti."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..effects.variables import Variable, only_in_offsets
from ..errors import FitError, nearest, with_known_options
from ..formula.factors import level_text
from . import across, canvas, marks, theme
from .effects import effects_frame
from .group_rows import group_rows, held_offset
from .observed import at_offset, observed_means, response_axis
from .varying import Varying, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

KINDS = {"lattice": 24, "spaghetti": 150}  # and how many groups each shows unless asked for more
_JITTER = 0.025  # of zeros and ones, so that they do not hide each other
_TITLE_LENGTH = 15  # letters above a small panel
_GOLDEN = 0.6180339887498949


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
) -> np.ndarray:
    """Draw the fitted curve of every group over its data, with that of the population.

    All curves have one offset, the mean of the data's, and rows are moved to it on the link scale: of counts with the
    logarithm of an exposure the dots are rates times that exposure.

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
    array of Axes
        One per panel, also where there is only one.

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
        raise FitError(f"kind={kind!r} is not an option. {nearest(str(kind), KINDS)}")
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
        rows=_rows(fit, of, column, by),
        colors=_colors(fit, by),
        offset=_shared_offset(fit, column, by),
    )
    with canvas.style(ax):
        return _lattice(drawn, ax) if kind == "lattice" else _spaghetti(drawn, ax)


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
        raise FitError(f"max_groups={most} draws nothing: give at least 1.")
    present = np.unique(of.codes[of.codes >= 0])
    return present[theme.evenly(len(present), min(most, len(present)))]


@dataclass(frozen=True)
class _Drawn:
    """What is drawn of a fit: the groups' `curves`, the `rows` of the data, a colour per value of `by`."""

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

    def split(self, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, np.ndarray]]:
        """Colour, rows and places across for each value of `by` among `rows`."""
        for name, own in rows.groupby("by", sort=False):
            yield self.colors[str(name)], own, across.places(self.column, own["value"])


def _shared_offset(fit: Fit, column: Variable, by: str | None) -> float | None:
    """The offset of all curves where rows have different ones."""
    return held_offset(fit.model, column, by) if np.ptp(fit.model.design.mu.offset) > 0 else None


def _rows(fit: Fit, of: Varying, column: Variable, by: str | None) -> pd.DataFrame:
    """The rows of the data: code, value (of the column across), by, response at the offset of the curves."""
    model, offset = fit.model, _shared_offset(fit, column, by)
    y = observed_means(model)
    y = y if offset is None else at_offset(model, y, offset)
    splits = "" if by is None else [level_text(value) for value in model.frame[by]]
    columns = {"code": of.codes, "by": splits, "response": y, "value": model.frame[column.name].to_numpy()}
    kept = np.isfinite(y) & (of.codes >= 0) & model.design.used
    return pd.DataFrame(columns)[kept].reset_index(drop=True)


def _colors(fit: Fit, by: str | None) -> dict[str, str]:
    names = [name for name, _ in _held(fit, by)]
    return dict(zip(names, theme.categories(len(names), by), strict=True))


def _lattice(drawn: _Drawn, ax: Any) -> np.ndarray:
    levels = list(dict.fromkeys(drawn.curves["level"]))
    code = {level: i for i, level in enumerate(drawn.of.levels)}
    axes = canvas.lattice(len(levels), ax)
    names = theme.level_labels(levels, _TITLE_LENGTH)
    for panel, level, name in zip(axes, levels, names, strict=True):
        _dots(panel, drawn, drawn.rows[drawn.rows["code"] == code[level]], size=2.6, alpha=0.7)
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


def _dots(ax: Axes, drawn: _Drawn, rows: pd.DataFrame, size: float, alpha: float) -> None:
    model = drawn.fit.model
    for color, own, at in drawn.split(rows):
        y = own["response"].to_numpy()
        if model.family.binary and model.design.trials is None:
            y = y + _JITTER * (2 * ((_GOLDEN * np.arange(len(y))) % 1) - 1)
        shown = canvas.ink(ax) if drawn.by is None else color
        ax.plot(at, y, "o", ms=size, mew=0, color=shown, alpha=alpha, zorder=3)


def _spaghetti(drawn: _Drawn, ax: Any) -> np.ndarray:
    axes = canvas.panels(1, ax, theme.HEIGHT - 1.1, wide=True)
    n, panel = drawn.curves["level"].nunique(), axes[0]
    _dots(panel, drawn, drawn.rows, size=2.0, alpha=0.25 if len(drawn.rows) < 500 else 0.12)
    for _, rows in drawn.curves.groupby("level", sort=False):
        for color, own, at in drawn.split(rows):
            look = "-" if len(at) > 1 else "D"
            panel.plot(at, own["estimate"], look, color=color, lw=0.9, ms=2.5, alpha=0.55 if n <= 40 else 0.3)
    for name, held in _held(drawn.fit, drawn.by):
        own = effects_frame(drawn.fit, drawn.column.name, at=held, level=drawn.level)
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


def _held(fit: Fit, by: str | None) -> list[tuple[str, dict[str, Any]]]:
    """What each curve of the population holds `by` at."""
    if by is None:
        return [("", {})]
    return [(level_text(value), {by: [value]}) for value in fit.model.frame[by].sort_values().unique()]


def _heading(drawn: _Drawn) -> str | None:
    return None if drawn.by is None else theme.short(drawn.by)


def _entries(drawn: _Drawn, ink: str, population: tuple[str, str]) -> list[tuple[str, str, str]]:
    if drawn.by is not None:
        return marks.entries("line", drawn.colors)
    zero = "" if drawn.fit.model.family.scale == "identity" else " (random effects zero)"
    (color,) = drawn.colors.values()
    rows = ("dot", ink, "rows of the data")
    return [rows, ("line", color, "group's curve"), (*population, f"population{zero}")]
