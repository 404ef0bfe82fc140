"""What is known of each level's random effect as a whole distribution: a ridge of densities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FitError, with_known_options
from ..summaries.pooled.effects_by_factor import Varying, each, varying
from .drawing import canvas, marks, theme
from .drawing.kernel_density import POINTS, kernel_density
from .drawing.picture import Picture, picture
from .shown.observed import link_scale
from .shown.titles import other_factors, response_name, whose

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

_OVERLAP = 2.2  # rows that the highest density of a panel covers
_SDS = 4.0  # on each side of a normal curve


@with_known_options
def densities(
    fit: Fit,
    group: str | None = None,
    column: str | None = None,
    *,
    max_levels: int = theme.MAX_LABELS,
    ax: Any = None,
) -> Picture:
    """Draw the distribution of every level's random effect, level above level, one panel per column.

    Densities of one panel share their scale: a high one is narrow, so the level is known well.

    Parameters
    ----------
    fit
        Any fit with random effects: posterior densities of draws, normal curves of point fits.
    group
        Grouping factor; None for the first of the formula. ``"b:a"`` also finds ``"a:b"``.
    column
        One column of the factor's bars; None for all.
    max_levels
        With more levels than this, as many are drawn, evenly spaced in the order of their estimates.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per column, with the rows of `densities_frame` that it draws. Levels ascend by the estimates of the
        first panel. The axis says whose uncertainty the curves hold.

    Raises
    ------
    FitError
        If the model has no random effects, not that grouping factor or column, or `max_levels` is below 1.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> [ax.get_title() for ax in bm.plot.densities(fit)]
    ['Intercept', 'Days']
    """
    of = varying(fit, group)
    names = of.chosen(column)
    order = _order(of, names[0], max_levels)
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, _OVERLAP * theme.ROW_HEIGHT + 1.3 * theme.rows_height(len(order)))
        for panel, name in zip(axes, names, strict=True):
            k = of.columns.index(name)
            _panel(panel, of, [_curve(of, level, k) for level in order], order)
            panel.set_title(theme.column_name(name))
            panel.set_xlabel(f"deviation from the fixed part{link_scale(fit.model)}\n{whose(fit, 'densities')}")
        if ax is None:
            axes[0].figure.suptitle(_title(fit, of, len(order)) + other_factors(fit, group))
    return picture(axes, _tidy(of, np.sort(order), names))


@with_known_options
def densities_frame(fit: Fit, group: str | None = None) -> pd.DataFrame:
    """What `densities` draws: the density of every random effect along a grid of its values.

    Parameters
    ----------
    fit
        Any fit with random effects.
    group
        One grouping factor; None for all.

    Returns
    -------
    DataFrame
        group, level, column, value (deviation from the fixed part), density. Draws give a kernel estimate of the
        posterior; point fits the normal density with the conditional mode as mean and the conditional sd, given the
        estimated parameters. The density is missing where that sd is zero, as it is in a singular fit.

    Raises
    ------
    FitError
        If the model has no random effects or not that grouping factor.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> frame = bm.plot.densities_frame(fit)
    >>> frame.columns.tolist(), frame["level"].nunique()
    (['group', 'level', 'column', 'value', 'density'], 6)
    """
    return pd.concat([_tidy(of, np.arange(len(of.levels)), of.columns) for of in each(fit, group)], ignore_index=True)


def _tidy(of: Varying, levels: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
    """The curves of these levels (positions) and columns."""
    L, K = len(levels), len(columns)
    ks = [of.columns.index(name) for name in columns]
    curves = np.array([_curve(of, level, k) for level in levels for k in ks]).reshape(L * K, 2, POINTS)
    return pd.DataFrame(
        {
            "group": of.factor,
            "level": np.repeat(of.levels[levels], K * POINTS),
            "column": np.tile(np.repeat(np.array(columns, dtype=object), POINTS), L),
            "value": curves[:, 0].ravel(),
            "density": curves[:, 1].ravel(),
        }
    )


def _curve(of: Varying, level: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and densities (POINTS,) of one effect."""
    effects = of.effects[:, :, level, column]
    if effects.size > 1:
        return kernel_density(effects)
    mode, sd = effects.item(), of.sds[level, column]
    z = np.linspace(-_SDS, _SDS, POINTS)
    if not sd > 0:
        return np.full(POINTS, mode), np.full(POINTS, np.nan)
    return mode + sd * z, np.exp(-0.5 * z**2) / (sd * np.sqrt(2 * np.pi))


def _order(of: Varying, name: str, max_levels: int) -> np.ndarray:
    """Positions of the levels drawn, from the bottom of the picture to its top."""
    if max_levels < 1:
        raise FitError(f"max_levels={max_levels} draws nothing: give at least 1.", topic="nothing-to-draw")
    estimates = of.effects[..., of.columns.index(name)].mean(axis=(0, 1))
    order = np.argsort(estimates, kind="stable")
    return order if len(order) <= max_levels else order[theme.evenly(len(order), max_levels)]


def _panel(ax: Axes, of: Varying, curves: list[tuple[np.ndarray, np.ndarray]], order: np.ndarray) -> None:
    highest = max((density.max() for _, density in curves if not np.isnan(density).any()), default=1.0)
    few = len(order) <= theme.MAX_LABELS
    rise = _OVERLAP if few else _OVERLAP * len(order) / theme.MAX_LABELS
    ax.axvline(0, color=theme.REFERENCE, lw=0.8, zorder=0)
    for row in reversed(range(len(curves))):  # from the top down, so that each stands before the one above it
        value, density = curves[row]
        _ridge(ax, value, density * rise / highest, row, z=2 + 0.01 * (len(curves) - row))
    ax.set_yticks(np.arange(len(order)) if few else [])
    if few:
        ax.set_yticklabels(theme.level_labels(of.levels[order]))
    ax.set_ylim(-0.4, len(order) - 1 + rise + 0.3)
    ax.set_ylabel(of.factor if few else f"{of.factor} ({len(order)} levels, names left out)")
    ax.label_outer()
    if all(np.isnan(density).any() for _, density in curves):
        marks.zero_sd(ax)


def _ridge(ax: Axes, value: np.ndarray, height: np.ndarray, row: int, z: float) -> None:
    if np.isnan(height).any():
        ax.plot(value[:1], [row], "|", color=theme.ESTIMATE, ms=7, mew=1.5, zorder=z)  # all its mass on one value
        return
    ax.fill_between(value, row, row + height, color=theme.ESTIMATE, alpha=0.45, lw=0, zorder=z)
    ax.plot(value, row + height, color=ax.get_facecolor(), lw=2.0, zorder=z)
    ax.plot(value, row + height, color=theme.ESTIMATE, lw=0.9, zorder=z)


def _title(fit: Fit, of: Varying, shown: int) -> str:
    total = len(of.levels)
    count = f"{total} levels" if shown == total else f"{shown} of {total} levels"
    return f"{response_name(fit)} by {of.factor} ({count}), {fit.label}"
