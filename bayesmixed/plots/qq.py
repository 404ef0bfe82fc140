"""Are random effects normal, and which level is far out: their quantiles against normal ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import with_known_options
from ..summaries.pooled.effects_by_factor import Varying, each, varying
from ..summaries.pooled.estimate_spread import estimate_spread
from .drawing import canvas, marks, theme
from .drawing.normal import draw_points, normal_quantiles
from .drawing.picture import Picture, picture
from .shown.titles import other_factors, response_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

NAMED = 5  # levels farthest out
FAR = 2.0  # standard deviations from which a level is named
LEAST = 0.01  # of the effects' sd that the sd of an estimate must be for it to be scaled by it


@with_known_options
def qq(
    fit: Fit, group: str | None = None, column: str | None = None, *, level: float = 0.95, ax: Any = None
) -> Picture:
    """Draw standardised random effects of one grouping factor against normal quantiles, one panel per column.

    Estimated effects are shrunk, and vary less than the effects themselves: each is divided by the standard deviation
    that its estimate has, the root of sd^2 - s^2, with sd that of the effects and s that of this one given data as
    informative as the model expects. With expected information s is never above sd, as the conditional sd of a level's
    own responses can be (guess and lapse rates), and a level stands far out only if its estimate does.
    If effects are normal, points follow the line within the band. That they do says little where the data say little
    of each level: estimates are then nearly normal whatever the effects are. Levels of which the data say next to
    nothing (that sd is less than 1 % of the effects') are left out, and their panel counts them.

    Parameters
    ----------
    fit
        Any fit with random effects.
    group
        Grouping factor; None for the first of the formula. ``"b:a"`` also finds ``"a:b"``.
    column
        One column of the factor's bars; None for all.
    level
        Probability with which normal effects stay within the band, all of them.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per column, with its rows of `qq_frame`.

    Raises
    ------
    FitError
        If the model has no random effects, not that grouping factor or column, or `level` is not in (0, 1).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> [ax.get_title() for ax in bm.plot.qq(fit)]
    ['Intercept', 'Days']
    """
    canvas.check_level(level)
    of = varying(fit, group)
    names = of.chosen(column)
    frame = _tidy(fit, of)
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, theme.HEIGHT - 2.0, per_row=3)
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, frame[frame["column"] == name], level)
            panel.set_title(theme.column_name(name))
        axes[0].set_ylabel("standardised effect")
        if ax is None:
            title = f"{response_name(fit)} by {of.factor} ({len(of.levels)} levels), {fit.label}"
            axes[0].figure.suptitle(title + other_factors(fit, group))
    return picture(axes, frame[frame["column"].isin(names)].reset_index(drop=True))


@with_known_options
def qq_frame(fit: Fit, group: str | None = None) -> pd.DataFrame:
    """What `qq` draws: every random effect, standardised, with the normal quantile of its rank.

    Parameters
    ----------
    fit
        Any fit with random effects.
    group
        One grouping factor; None for all.

    Returns
    -------
    DataFrame
        group, level, column, estimate, spread (the sd of such an estimate), standardised (NaN where the spread is
        less than 1 % of the effects' sd, or zero), normal.

    Raises
    ------
    FitError
        If the model has no random effects or not that grouping factor.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> len(bm.plot.qq_frame(fit))
    6
    """
    return pd.concat([_tidy(fit, of) for of in each(fit, group)], ignore_index=True)


def _tidy(fit: Fit, of: Varying) -> pd.DataFrame:
    estimate, spread = of.effects.mean(axis=(0, 1)), estimate_spread(fit, of)
    scaled = estimate / np.where(spread > LEAST * np.sqrt(np.diag(of.covariance)), spread, np.nan)
    frames = [
        pd.DataFrame(
            {
                "group": of.factor,
                "level": of.levels,
                "column": name,
                "estimate": estimate[:, k],
                "spread": spread[:, k],
                "standardised": scaled[:, k],
                "normal": normal_quantiles(scaled[:, k]),
            }
        )
        for k, name in enumerate(of.columns)
    ]
    return pd.concat(frames, ignore_index=True)


def _panel(ax: Axes, frame: pd.DataFrame, level: float) -> None:
    known = np.isfinite(frame["standardised"])
    ax.set_xlabel("normal quantile")
    if not known.any():
        if frame["estimate"].eq(0).all():
            marks.zero_sd(ax)
        else:
            ax.text(0.5, 0.5, "the data say too little", transform=ax.transAxes, ha="center", va="center", fontsize=8)
        return
    if not known.all():
        left = f"{(~known).sum()} without information left out"
        ax.text(0.02, 0.98, left, transform=ax.transAxes, ha="left", va="top", fontsize=7.5)
    frame = frame[known]
    expected, values = frame["normal"].to_numpy(), frame["standardised"].to_numpy()
    draw_points(ax, expected, values, level)
    far = np.argsort(-np.abs(values), kind="stable")[:NAMED]
    far = far[np.abs(values[far]) > FAR]
    if len(far):
        at = np.column_stack([expected, values])[far]
        marks.labels(ax, theme.level_labels(frame["level"].to_numpy()[far]), at, np.zeros_like(at))
