"""Which groups differ, and how surely: random effects level by level with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import with_known_options
from ..summaries.pooled.effects_by_factor import Varying, each, varying
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture
from .shown import named_levels
from .shown.observed import link_scale
from .shown.titles import other_factors, response_name, whose

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit


@with_known_options
def caterpillar(
    fit: Fit,
    group: str | None = None,
    column: str | None = None,
    *,
    level: float = 0.95,
    sort: bool = True,
    names: int | Sequence[Any] | None = None,
    ax: Any = None,
) -> Picture:
    """Draw the random effects of one grouping factor with intervals, one panel per column.

    Parameters
    ----------
    fit
        Any fit with random effects.
    group
        Grouping factor; None for the first of the formula. ``"b:a"`` also finds ``"a:b"``.
    column
        One column of the factor's bars; None for all.
    level
        Coverage of the intervals, see `caterpillar_frame`.
    sort
        Order the levels by the estimates of the first panel, else as in the data from the top down.
    names
        Which levels are named: a list of them, or so many at each end of every panel; None for all up to forty, and
        the lowest and highest where there are more.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per column, with the rows of `caterpillar_frame` that it draws. The axis says whose uncertainty the
        intervals hold.

    Raises
    ------
    FitError
        If the model has no random effects, not that grouping factor, column or level, or `level` is not in
        (0, 1).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> [ax.get_title() for ax in bm.plot.caterpillar(fit)]
    ['Intercept', 'Days']
    """
    of = varying(fit, group)
    columns = of.chosen(column)
    frame = _tidy(of, level)
    order = _order(frame, columns[0], sort)
    rows = _named_rows(of, columns, names)[order].nonzero()[0]
    with canvas.style(ax):
        axes = canvas.panels(len(columns), ax, theme.rows_height(len(order)))
        for panel, name in zip(axes, columns, strict=True):
            _panel(panel, of.factor, frame[frame["column"] == name].iloc[order], rows)
            bars = f"{100 * level:g} % {whose(fit, 'intervals')}"
            panel.set_xlabel(f"deviation from the fixed part{link_scale(fit.model)}\n{bars}")
            panel.set_title(theme.column_name(name))
        if ax is None:
            axes[0].figure.suptitle(_title(fit, of) + other_factors(fit, group))
    return picture(axes, frame[frame["column"].isin(columns)].reset_index(drop=True))


@with_known_options
def caterpillar_frame(fit: Fit, group: str | None = None, *, level: float = 0.95) -> pd.DataFrame:
    """What `caterpillar` draws: every random effect with an interval.

    Parameters
    ----------
    fit
        Any fit with random effects.
    group
        One grouping factor; None for all.
    level
        Coverage. Point fits give mode +- normal quantile x conditional sd, given the estimated coefficients and
        variances, as lme4 does: what these leave uncertain is not in it, nor is what two levels share, see `bm.ranks`
        for their differences. Draws give equal-tailed posterior quantiles, which hold all of it.

    Returns
    -------
    DataFrame
        group, level, column, estimate, sd, lower, upper.

    Raises
    ------
    FitError
        If the model has no random effects, not that grouping factor, or `level` is not in (0, 1).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> len(bm.plot.caterpillar_frame(fit))
    6
    """
    return pd.concat([_tidy(of, level) for of in each(fit, group)], ignore_index=True)


def _tidy(of: Varying, level: float) -> pd.DataFrame:
    canvas.check_level(level)
    estimate = of.effects.mean(axis=(0, 1))
    lower, upper = _limits(of, estimate, level)
    return of.tidy(estimate=estimate, sd=of.sds, lower=lower, upper=upper)


def _limits(of: Varying, estimate: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    chains, draws = of.effects.shape[:2]
    if chains * draws == 1:
        half = ndtri((1 + level) / 2) * of.sds
        return estimate - half, estimate + half
    lower, upper = np.quantile(of.effects, [(1 - level) / 2, (1 + level) / 2], axis=(0, 1))
    return lower, upper


def _order(frame: pd.DataFrame, name: str, sort: bool) -> np.ndarray:
    """Positions of the levels from the bottom of the picture to its top."""
    estimates = frame.loc[frame["column"] == name, "estimate"].to_numpy()
    return np.argsort(estimates, kind="stable") if sort else np.arange(len(estimates))[::-1]


def _named_rows(of: Varying, columns: list[str], names: named_levels.Names) -> np.ndarray:
    """Which levels (L,) are named."""
    estimates = of.effects.mean(axis=(0, 1))[:, [of.columns.index(name) for name in columns]]
    chosen = np.zeros(len(of.levels), dtype=bool)
    chosen[named_levels.named(of.levels, estimates, names)] = True
    return chosen


def _panel(ax: Axes, factor: str, frame: pd.DataFrame, named: np.ndarray) -> None:
    """Intervals, those of `named` rows dark among many."""
    at, n = np.arange(len(frame)), len(frame)
    ax.axvline(0, color=theme.REFERENCE, lw=0.8, zorder=2)
    ax.hlines(at, frame["lower"], frame["upper"], color=theme.interval_color(n), lw=theme.line_width(n), zorder=1)
    if n > theme.MAX_LABELS:
        stand_out = frame.iloc[named]
        ax.hlines(named, stand_out["lower"], stand_out["upper"], color=theme.ESTIMATE, lw=1.0, zorder=1.5)
    ax.plot(frame["estimate"], at, "o", color=theme.ESTIMATE, ms=0.85 * theme.marker_size(n), mew=0, zorder=3)
    marks.level_axis(ax, factor, frame["level"].to_numpy(), named)
    ax.label_outer()
    if not frame["sd"].any():
        marks.zero_sd(ax)


def _title(fit: Fit, of: Varying) -> str:
    return f"{response_name(fit)} by {of.factor} ({len(of.levels)} levels), {fit.label}"
