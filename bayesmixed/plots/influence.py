"""Which levels or rows move the estimates? Cook's distances and DFBETAS in the order of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FitError, nearest, with_known_options
from .drawing import canvas, theme
from .drawing.picture import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..inference.influence.result import Influence

_PANEL_HEIGHT = 1.7  # inches
_NAMED = 3  # levels of a panel that are named
_MOST = 6  # panels unless more are asked for
_NAME = 24  # letters of one above a panel


@with_known_options
def influence(result: Influence, which: str | Sequence[str] | None = None, *, ax: Any = None) -> Picture:
    """Draw measures of influence as stems in the order of the data, one panel each, with what usually counts as large.

    Parameters
    ----------
    result
        What `bm.influence` returned.
    which
        "cook", "loglik", "leverage", "cook_fitted", or names of parameters: of coefficients DFBETAS are drawn, of
        others the change. None for Cook's distances and the first five coefficients.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per measure, with its rows of `influence_frame`. The three largest are named; dashed lines are at
        4 / L for Cook's distances of L levels or rows, at 2 / sqrt(L) for DFBETAS.

    Raises
    ------
    FitError
        If `result` is not what `bm.influence` returns, or has no such measure.

    References
    ----------
    Belsley, Kuh & Welsch (1980), Regression Diagnostics, chapter 2.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    >>> [ax.get_title() for ax in bm.plot.influence(bm.influence(fit, "Subject"))]
    ["Cook's distance", 'DFBETAS, Intercept', 'DFBETAS, Days']
    """
    frame = influence_frame(result, which)
    names = list(dict.fromkeys(frame["measure"]))
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, _PANEL_HEIGHT, per_row=1, share=False, wide=True, choose="which")
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, frame[frame["measure"] == name])
            panel.set_title(theme.wrapped(name, 3 * _NAME), fontsize=9)
        axes[-1].set_xlabel(f"{result.by}, in the order of the data")
        if ax is None:
            axes[0].figure.suptitle(
                theme.short(f"Without each {result.by}: {result.fit.model.formula.line}", theme.TITLE_LENGTH)
            )
    return picture(axes, frame)


@with_known_options
def influence_frame(result: Influence, which: str | Sequence[str] | None = None) -> pd.DataFrame:
    """What `influence` draws.

    Parameters
    ----------
    result, which
        As in `influence`.

    Returns
    -------
    DataFrame
        measure, level, value, limit (what usually counts as large, NaN where there is no rule); without levels of which
        there are no estimates.

    Raises
    ------
    FitError
        As `influence`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    >>> bm.plot.influence_frame(bm.influence(fit, "Subject"), "cook").columns.tolist()
    ['measure', 'level', 'value', 'limit']
    """
    if not hasattr(result, "dfbetas"):
        raise FitError(
            f"influence draws what bm.influence returns, not {result!r}: write bm.influence(fit) first.",
            topic="picture-of-a-result",
        )
    known = [str(name) for name in result.frame if name != "rows"]
    usual = ["cook", *result.dfbetas.columns][:_MOST]
    names = usual if which is None else [which] if isinstance(which, str) else list(which)
    for name in names:
        if name not in known:
            raise FitError(f"influence has no measure {name!r}. {nearest(str(name), known)}", topic="no-such-parameter")
    if not names:
        raise FitError("which=[] draws nothing: name measures, or leave it out.", topic="nothing-named")
    return pd.concat([_measure(result, name) for name in names], ignore_index=True).dropna(subset="value")


def _measure(result: Influence, name: str) -> pd.DataFrame:
    L = len(result.frame)
    if name in result.dfbetas:
        title, values, limit = f"DFBETAS, {name}", result.dfbetas[name], 2 / np.sqrt(L)
    else:
        title, limit = _TITLES.get(name, (f"change of {name}", np.nan))
        values, limit = result.frame[name], limit / L
    return pd.DataFrame({"measure": title, "level": result.frame.index, "value": values.to_numpy(), "limit": limit})


_TITLES = {
    "cook": ("Cook's distance", 4.0),
    "cook_fitted": ("Cook's distance of fitted values", np.nan),
    "loglik": ("change of the log-likelihood", np.nan),
    "leverage": ("leverage", np.nan),
}


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    at, values, limit = np.arange(len(rows)), rows["value"].to_numpy(), float(rows["limit"].iloc[0])
    ax.axhline(0, color=theme.REFERENCE, lw=0.8, zorder=1)
    ax.vlines(at, 0, values, color=theme.interval_color(len(rows)), lw=min(1.2, theme.line_width(len(rows))), zorder=2)
    ax.plot(at, values, "o", color=theme.ESTIMATE, ms=0.7 * theme.marker_size(len(rows)), mew=0, zorder=3)
    if np.isfinite(limit):
        for sign in (1, -1) if values.min() < 0 else (1,):
            ax.axhline(sign * limit, color=theme.REFERENCE, lw=0.8, ls=(0, (4, 3)), zorder=1)
    for i in np.argsort(-np.abs(values), kind="stable")[:_NAMED]:
        up = values[i] >= 0
        ax.annotate(
            str(rows["level"].iloc[i]), (float(i), float(values[i])), (0, 3 if up else -3), textcoords="offset points",
            ha="center", va="bottom" if up else "top", fontsize=7,
        )  # fmt: skip
    ax.margins(x=0.02, y=0.2)
    if len(values) and values.min() >= 0:
        ax.set_ylim(bottom=0)
    ax.set_xticks([])
