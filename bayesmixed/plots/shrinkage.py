"""How far partial pooling draws each group's own estimate towards the population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FitError, with_known_options
from ..summaries.pooled.effects_by_factor import Varying, each, varying
from ..summaries.pooled.separate_fits import SeparateFits, separate_fits
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture
from .shown import named_levels
from .shown.observed import link_scale
from .shown.titles import other_factors, response_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

_FAR_OUT = 6.0  # interquartile ranges from the quartiles
_MARGIN = 0.06  # of the range, on each side


@with_known_options
def shrinkage(
    fit: Fit,
    group: str | None = None,
    columns: str | Sequence[str] | None = None,
    *,
    max_groups: int = 150,
    names: int | Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Picture:
    """Draw each group's own estimate, its partially pooled one, and the population's, joined by arrows.

    A group's own estimate is that of its rows alone of the columns that vary by group; all else is held at the
    model's estimates, and the legend says so where there is anything else. This estimate is what an arrow shrinks.
    `bm.pooling` answers another question: what each group says if it is analysed alone, with all columns.

    Parameters
    ----------
    fit
        Any fit with random effects; draws are drawn at their posterior means.
    group
        Grouping factor; None for the first of the formula. ``"b:a"`` also finds ``"a:b"``.
    columns
        One column (levels down the page) or two (a plane, with ellipses of 1 and 2 estimated standard
        deviations between groups); None for the first two, or the only one.
    max_groups
        With more levels than this, as many are drawn, evenly spaced in the order of their estimates, and those that
        `names` lists.
    names
        Which levels are named: a list of them, or so many at each end of every column; None for all up to forty, and
        the lowest and highest where there are more; of the latter those that fit in the plane.
    ax
        Where to draw; None for a new figure.

    Returns
    -------
    Picture
        One panel, with the rows of `shrinkage_frame` that it draws.

    Raises
    ------
    FitError
        If the model has no random effects, not that grouping factor, or not those columns or
        levels.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> picture = bm.plot.shrinkage(fit)
    >>> picture.axes[0].get_xlabel(), picture.axes[0].get_ylabel()
    ('Intercept', 'Days')
    """
    of = varying(fit, group)
    chosen, fits = _drawn_columns(columns, of), separate_fits(fit, of)
    drawn = _thinned(_estimates(of, fits, chosen), max_groups, names)
    named = named_levels.named(drawn.levels, drawn.partial, names)
    with canvas.style(ax):
        if len(chosen) == 2:
            axes = _plane(canvas.one_axes(ax), drawn, named, every=names is not None)
            axes.set_ylabel(theme.column_name(chosen[1]) + link_scale(fit.model))
        else:
            axes = _rows(canvas.one_axes(ax, theme.rows_height(len(drawn.levels)) + 1.2), drawn, of.factor, named)
        axes.set_xlabel(theme.column_name(chosen[0]) + link_scale(fit.model))
        axes.set_title(_title(fit, of, drawn) + other_factors(fit, group))
        marks.legend(axes, _legend_entries(drawn, fit.label, canvas.ink(axes)), outside=ax is None)
    frame = _tidy(of, fits)
    shown = frame["column"].isin(chosen) & frame["level"].isin(list(drawn.levels))
    return picture(axes, frame[shown].reset_index(drop=True))


@with_known_options
def shrinkage_frame(fit: Fit, group: str | None = None) -> pd.DataFrame:
    """What `shrinkage` draws: three estimates per grouping factor, level and column.

    Parameters
    ----------
    fit
        Any fit with random effects.
    group
        One grouping factor; None for all.

    Returns
    -------
    DataFrame
        group, level, column; `no_pooling`, the fit of the group's rows alone (least squares; maximum likelihood
        with dispersion held where the model is not linear), the rest of the linear predictor held at the model's
        estimates (fixed columns that do not vary by group, other factors' random effects unless nested within the
        group), where `bm.pooling` fits each group alone with all columns; `partial_pooling`, fixed plus random
        effect; `population`, the fixed effect (0 where a column has none), not the estimate without random effects
        that `bm.pooling` calls complete pooling; `n_rows` of the group; `reason` where there is no separate fit.

    Raises
    ------
    FitError
        If the model has no random effects or not that grouping factor.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> bm.plot.shrinkage_frame(fit).round(1).loc[0, ["no_pooling", "population"]].tolist()
    [1505.0, 1527.5]
    """
    return pd.concat([_tidy(of, separate_fits(fit, of)) for of in each(fit, group)], ignore_index=True)


def _tidy(of: Varying, fits: SeparateFits) -> pd.DataFrame:
    frame = of.tidy(
        no_pooling=fits.estimates,
        partial_pooling=fits.population + of.effects.mean(axis=(0, 1)),
        population=fits.population,
        n_rows=fits.n_rows[:, None],
    )
    missing, endless = np.isnan(fits.estimates).ravel(), np.repeat(fits.endless, len(of.columns))
    rows = zip(missing, endless, frame["n_rows"], strict=True)
    return frame.assign(reason=[_reason(bool(without), int(n)) if gone else "" for gone, without, n in rows])


def _reason(endless: bool, n: int) -> str:
    if endless:
        return "its likelihood has no maximum"
    return f"not determined by {n} row{'' if n == 1 else 's'}" if n else "no rows"


@dataclass(frozen=True)
class _Estimates:
    """What is drawn of L groups and d columns: `own` and `partial` (L, d), `population` (d,), `covariance` (d, d).

    `held` says what the own estimates hold at the model's, see `SeparateFits`.
    """

    names: list[str]
    levels: np.ndarray
    own: np.ndarray
    partial: np.ndarray
    population: np.ndarray
    covariance: np.ndarray
    held: str


def _drawn_columns(columns: str | Sequence[str] | None, of: Varying) -> list[str]:
    names = of.chosen(of.columns[:2] if columns is None else columns)
    if not 1 <= len(set(names)) == len(names) <= 2:
        raise FitError(
            f"columns={columns!r}: one or two different columns can be drawn, "
            f"e.g. columns={list(of.columns[:2])!r}. Those of {of.factor}: {', '.join(of.columns)}.",
            topic="no-such-column",
        )
    return names


def _estimates(of: Varying, fits: SeparateFits, names: list[str]) -> _Estimates:
    """The groups in the order of the first column's partially pooled estimate."""
    at = [of.columns.index(name) for name in names]
    partial = (fits.population + of.effects.mean(axis=(0, 1)))[:, at]
    own = fits.estimates[:, at]
    own = np.where(np.isnan(own).any(axis=1, keepdims=True), np.nan, own)  # half a point cannot be drawn
    order = np.lexsort((own[:, 0], partial[:, 0]))  # ties (a zero variance) by the group's own estimate
    return _Estimates(
        names=names,
        levels=np.asarray(of.levels)[order],
        own=own[order],
        partial=partial[order],
        population=fits.population[at],
        covariance=of.covariance[np.ix_(at, at)],
        held=fits.held,
    )


def _thinned(estimates: _Estimates, max_groups: int, names: named_levels.Names) -> _Estimates:
    if max_groups < 1:
        raise FitError(f"max_groups={max_groups} draws nothing: give at least 1.", topic="nothing-to-draw")
    L = len(estimates.levels)
    if L <= max_groups:
        return estimates
    kept = theme.evenly(L, max_groups)
    if names is not None and not isinstance(names, int | np.integer):
        kept = np.union1d(kept, named_levels.named(estimates.levels, estimates.partial, names))
    own, partial = estimates.own[kept], estimates.partial[kept]
    return replace(estimates, levels=estimates.levels[kept], own=own, partial=partial)


def _plane(ax: Axes, e: _Estimates, named: np.ndarray, every: bool) -> Axes:
    """Two columns: first across, second up; `named` are the positions of levels with their names beside them."""
    marks.ellipses(ax, e.population, e.covariance)
    _dots(ax, e.own, e.partial)
    ax.plot(*e.population, marker="P", ms=9, mfc=canvas.ink(ax), mec=ax.get_facecolor(), mew=0.8, ls="none", zorder=5)
    spread = 2 * np.sqrt(np.diag(e.covariance))
    ax.set_xlim(*_window(e, 0, spread[0]))
    ax.set_ylim(*_window(e, 1, spread[1]))
    marks.arrows(ax, e.own, e.partial, theme.NO_POOLING)
    texts = np.full(len(e.levels), "", dtype=object)
    texts[named] = theme.level_labels(e.levels[named])
    marks.labels(ax, list(texts), e.own, e.partial, every)
    return ax


def _rows(ax: Axes, e: _Estimates, factor: str, named: np.ndarray) -> Axes:
    """One column: a row per level, in the order of the estimates."""
    at = np.arange(len(e.levels), dtype=float)
    own, partial = np.column_stack([e.own[:, 0], at]), np.column_stack([e.partial[:, 0], at])
    ax.axvline(e.population[0], color=canvas.ink(ax), lw=1.0, zorder=1)
    _dots(ax, own, partial)
    ax.set_xlim(*_window(e, 0))
    marks.level_axis(ax, factor, e.levels, named)
    marks.arrows(ax, own, partial, theme.NO_POOLING)
    return ax


def _dots(ax: Axes, own: np.ndarray, partial: np.ndarray) -> None:
    size = theme.marker_size(len(own))
    ax.plot(*own.T, "o", ms=size, mfc=ax.get_facecolor(), mec=theme.NO_POOLING, mew=0.2 * size, zorder=3)
    ax.plot(*partial.T, "o", ms=size, color=theme.PARTIAL_POOLING, mew=0, zorder=4)


def _window(e: _Estimates, column: int, spread: float = 0.0) -> tuple[float, float]:
    """Limits that hold the partially pooled estimates, the population and all separate estimates but the far out."""
    own, centre = e.own[:, column], e.population[column]
    low, high = _fences(own)
    near = own[(own >= low) & (own <= high)]
    shown = np.concatenate([near, e.partial[:, column], [centre - spread, centre + spread]])
    margin = _MARGIN * (np.ptp(shown) or 1.0)
    return float(shown.min() - margin), float(shown.max() + margin)


def _fences(own: np.ndarray) -> tuple[float, float]:
    """Beyond these a separate estimate is far out: a group of two rows can have a slope of any size."""
    if np.isnan(own).all():
        return -np.inf, np.inf
    lower, upper = np.nanquantile(own, [0.25, 0.75])
    return lower - _FAR_OUT * (upper - lower), upper + _FAR_OUT * (upper - lower)


def _title(fit: Fit, of: Varying, e: _Estimates) -> str:
    shown, total = len(e.levels), len(of.levels)
    count = f"{total} levels" if shown == total else f"{shown} of {total} levels"
    return f"{response_name(fit)} by {of.factor} ({count})"


def _legend_entries(e: _Estimates, label: str, ink: str) -> list[tuple[str, str, str]]:
    own = f"own estimates, {e.held} held" if e.held else "no pooling"
    entries = [
        ("hollow", theme.NO_POOLING, own + _absent(e)),
        ("dot", theme.PARTIAL_POOLING, f"partial pooling ({label})"),
    ]
    if len(e.names) == 1:
        return [*entries, ("line", ink, "population")]
    ellipse = ("dashes", theme.REFERENCE, "1, 2 sd between groups")
    return [*entries, ("cross", ink, "population"), ellipse]


def _absent(e: _Estimates) -> str:
    """How many separate estimates the picture lacks, and why."""
    none = np.isnan(e.own[:, 0])
    fences = np.array([_fences(column) for column in e.own.T])
    far = ((e.own < fences[:, 0]) | (e.own > fences[:, 1])).any(axis=1) & ~none
    notes = [f"impossible for {none.sum()}"] * bool(none.any()) + [f"{far.sum()} off the picture"] * bool(far.any())
    return f" ({', '.join(notes)})" if notes else ""
