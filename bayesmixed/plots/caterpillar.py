"""Which groups differ, and how surely: random effects level by level with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import with_known_options
from . import canvas, marks, theme
from .observed import link_scale
from .varying import Varying, each, other_factors, response_name, varying

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
    ax: Any = None,
) -> np.ndarray:
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
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    array of Axes
        One per panel, also where there is only one.

    Raises
    ------
    FitError
        If the model has no random effects, not that grouping factor or column, or `level` is not in (0, 1).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> [ax.get_title() for ax in bm.plot.caterpillar(fit)]
    ['Intercept', 'Days']
    """
    of = varying(fit, group)
    names = of.chosen(column)
    frame = _tidy(of, level)
    order = _order(frame, names[0], sort)
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, theme.rows_height(len(order)))
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, of.factor, frame[frame["column"] == name].iloc[order], link_scale(fit.model))
            panel.set_title(name)
        if ax is None:
            axes[0].figure.suptitle(_title(fit, of, level) + other_factors(fit, group))
    return axes


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
        Coverage. Point fits give mode +- normal quantile x conditional sd, given the estimated
        parameters; draws give equal-tailed posterior quantiles.

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


def _panel(ax: Axes, factor: str, frame: pd.DataFrame, scale: str) -> None:
    at, n = np.arange(len(frame)), len(frame)
    ax.axvline(0, color=theme.REFERENCE, lw=0.8, zorder=2)
    ax.hlines(at, frame["lower"], frame["upper"], color=theme.interval_color(n), lw=theme.line_width(n), zorder=1)
    ax.plot(frame["estimate"], at, "o", color=theme.ESTIMATE, ms=0.85 * theme.marker_size(n), mew=0, zorder=3)
    ax.set_xlabel(f"deviation from the fixed part{scale}")
    marks.level_axis(ax, factor, frame["level"].to_numpy())
    ax.label_outer()
    if not frame["sd"].any():
        marks.zero_sd(ax)


def _title(fit: Fit, of: Varying, level: float) -> str:
    return f"{response_name(fit)} by {of.factor} ({len(of.levels)} levels), {fit.label}, {100 * level:g} % intervals"
