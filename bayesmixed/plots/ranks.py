"""Which levels rank above which, and how surely: mean ranks with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import with_known_options
from ..summaries.pooled import ranks as of_levels
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture
from .shown import named_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit
    from ..summaries.pooled.ranks import Ranks


@with_known_options
def ranks(
    fit: Fit | Ranks,
    group: str | None = None,
    column: str | Mapping[str, float] | None = None,
    *,
    k: int | None = None,
    highest: bool = True,
    level: float = 0.95,
    seed: int | None = None,
    names: int | Sequence[Any] | None = None,
    ax: Any = None,
) -> Picture:
    """Draw the ranks of the levels of a grouping factor with intervals, the best on top.

    Parameters
    ----------
    fit
        Any fit with random effects, or what `bm.ranks` found of one: then the other questions are answered already.
    group, column, k, highest, level, seed
        As in `bm.ranks`.
    names
        Which levels are named, as in `caterpillar`.
    ax
        Where to draw; None for a new figure.

    Returns
    -------
    Picture
        One panel, with the frame of `bm.ranks`. Where all levels are named the probabilities to be among the best `k`
        stand on the right.

    Raises
    ------
    FitError
        As `bm.ranks`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> ax = bm.plot.ranks(fit, "Batch", seed=1).axes[0]
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['F', 'D', 'A', 'B', 'C', 'E']
    """
    found = _ranks(fit, group, column, k=k, highest=highest, level=level, seed=seed)
    frame = found.frame.iloc[::-1].reset_index(drop=True)
    named = named_levels.named(frame["level"].to_numpy(), frame[["rank"]].to_numpy(), names)
    with canvas.style(ax):
        axes = canvas.one_axes(ax, theme.rows_height(len(frame)) + 1.0)
        _draw(axes, found, frame, named)
        axes.set_title(f"Ranks of {theme.short(found.group)} by {found.column}, {found.method}")
    return picture(axes, found.frame)


@with_known_options
def ranks_frame(
    fit: Fit | Ranks,
    group: str | None = None,
    column: str | Mapping[str, float] | None = None,
    *,
    k: int | None = None,
    highest: bool = True,
    level: float = 0.95,
    seed: int | None = None,
) -> pd.DataFrame:
    """What `ranks` draws: the frame of `bm.ranks`.

    Parameters
    ----------
    fit, group, column, k, highest, level, seed
        As in `ranks`.

    Returns
    -------
    DataFrame
        level, estimate, lower, upper, rank, rank_lower, rank_upper, p_best; the best first.

    Raises
    ------
    FitError
        As `bm.ranks`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> bm.plot.ranks_frame(fit, seed=1)["level"].tolist()
    ['E', 'C', 'B', 'A', 'D', 'F']
    """
    return _ranks(fit, group, column, k=k, highest=highest, level=level, seed=seed).frame


def _ranks(fit: Any, *of: Any, **options: Any) -> Ranks:
    if hasattr(fit, "difference"):
        return fit  # type: ignore[no-any-return]
    return of_levels.ranks(fit, *of, **options)


def _draw(ax: Axes, found: Ranks, frame: pd.DataFrame, named: np.ndarray) -> None:
    at, n = np.arange(len(frame)), len(frame)
    lower, upper = frame["rank_lower"], frame["rank_upper"]
    ax.hlines(at, lower, upper, color=theme.interval_color(n), lw=theme.line_width(n), zorder=1)
    if n > theme.MAX_LABELS:
        ax.hlines(named, lower.iloc[named], upper.iloc[named], color=theme.ESTIMATE, lw=1.0, zorder=1.5)
    ax.plot(frame["rank"], at, "o", color=theme.ESTIMATE, ms=0.85 * theme.marker_size(n), mew=0, zorder=3)
    ax.set_xlim(0.5, n + 0.5)
    ax.locator_params(axis="x", integer=True)
    order = "highest" if found.highest else "lowest"
    ax.set_xlabel(f"rank, 1 is the {order} ({100 * found.level:g} % intervals)")
    marks.level_axis(ax, found.group, frame["level"].to_numpy(), named)
    if n <= theme.MAX_LABELS:
        right = ax.secondary_yaxis("right")
        right.set_yticks(at, [f"{p:.2f}" for p in frame["p_best"]])
        right.tick_params(length=0)
        right.spines["right"].set_visible(False)
        right.set_ylabel("P(best)" if found.k == 1 else f"P(among the best {found.k})")
