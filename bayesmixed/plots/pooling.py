"""What do the analyses with no, complete and partial pooling say, of the population and of each level?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FitError, nearest, with_known_options
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..summaries.pooled.pooling import Pooling

_FAR_OUT = 3.0  # interquartile ranges from the quartiles
_WIDER = 0.5  # of the range, on each side, to hold intervals
_MARGIN = 0.05  # of the range, on each side
_APART = 0.18  # of a row, of the two estimates of a level from its middle
_ROWS = {"partial": "partial pooling", "none": "no pooling", "means": "group means", "complete": "complete pooling"}


@with_known_options
def pooling(pooled: Pooling, column: str | Sequence[str] | None = None, *, ax: Any = None) -> Picture:
    """Draw the estimates of `bm.pooling` with their 95 % intervals, one panel per coefficient.

    Above, the population by each analysis; below, each level's own estimate and its partially pooled one.

    Parameters
    ----------
    pooled
        What `bm.pooling` found.
    column
        Coefficients to draw; None for all that levels have an estimate of, or for all where there is none.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per coefficient, with its rows of `pooling_frame`. Where a level's interval is far wider than the
        rest, or its estimate far from them, an arrow at the edge of the panel says that it goes on.

    Raises
    ------
    FitError
        For anything but what `bm.pooling` found, or a coefficient that is not in it.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> pooled = bm.pooling(bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")))
    >>> [ax.get_title() for ax in bm.plot.pooling(pooled)]
    ['Intercept', 'Days']
    """
    frame = pooling_frame(pooled)
    names = _columns(frame, column)
    shown = frame[frame["coefficient"].isin(names)]
    levels, kinds = _levels(shown, names[0]), [kind for kind in _ROWS if (shown["pooling"] == kind).any()]
    with canvas.style(ax):
        height = theme.rows_height(len(levels)) + 0.3 * len(kinds) if len(levels) else 0.3 * len(kinds)
        axes = canvas.panels(len(names), ax, height)
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, shown[shown["coefficient"] == name], levels, kinds)
            panel.set_title(theme.column_name(name))
            panel.set_xlabel(_quantity(pooled))
            above = dict(zip(_above(len(levels), len(kinds)), map(_ROWS.__getitem__, reversed(kinds)), strict=True))
            marks.level_axis(panel, pooled.group, np.array(levels, dtype=object), above=above)
            panel.label_outer()
        if ax is None:
            axes[0].figure.suptitle(f"Pooling over {pooled.group} ({pooled.fit.label}), 95 % intervals")
    return picture(axes, shown.reset_index(drop=True))


@with_known_options
def pooling_frame(pooled: Pooling) -> pd.DataFrame:
    """What `pooling` draws: the frame of `bm.pooling`.

    Parameters
    ----------
    pooled
        What `bm.pooling` found.

    Returns
    -------
    DataFrame
        pooling, level (missing for the population), coefficient, estimate, se, lower, upper, n, note.

    Raises
    ------
    FitError
        For anything else.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> pooled = bm.pooling(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")))
    >>> len(bm.plot.pooling_frame(pooled))  # three analyses of the population, two estimates of each of six batches
    15
    """
    if not hasattr(pooled, "population"):
        raise FitError(
            f"plot.pooling draws what bm.pooling found, not {pooled!r}: bm.plot.pooling(bm.pooling(model)).",
            topic="picture-of-a-result",
        )
    return pooled.frame


def _columns(frame: pd.DataFrame, column: str | Sequence[str] | None) -> list[str]:
    known = list(dict.fromkeys(frame["coefficient"]))
    if column is None:
        of_levels = set(frame.loc[frame["level"].notna(), "coefficient"])
        return [name for name in known if name in of_levels] or known
    names = [column] if isinstance(column, str) else list(column)
    for name in names:
        if name not in known:
            raise FitError(
                f"{name!r} is not a coefficient of this comparison. {nearest(name, known)}", topic="no-such-coefficient"
            )
    return names


def _quantity(pooled: Pooling) -> str:
    scale = pooled.fit.model.family.scale
    return "estimate" if scale == "identity" else f"estimate ({scale} scale)"


def _levels(frame: pd.DataFrame, name: str) -> list[Any]:
    """The levels from the bottom of the picture to its top, in the order of one coefficient's partial estimates."""
    rows = frame[(frame["pooling"] == "partial") & frame["level"].notna()]
    first = rows[rows["coefficient"] == name].sort_values("estimate", kind="stable")
    return list(dict.fromkeys([*first["level"], *rows["level"]]))


def _panel(ax: Axes, rows: pd.DataFrame, levels: list[Any], kinds: list[str]) -> None:
    of_level = rows["level"].notna()
    population, above = rows[~of_level].set_index("pooling"), _above(len(levels), len(kinds))
    for i, kind in enumerate(reversed(kinds)):
        if kind in population.index:
            _marks(ax, population.loc[[kind]], above[[i]], kind, 1)
    own = rows[of_level]
    for kind, shift in (("none", _APART), ("partial", -_APART)):
        found = own[own["pooling"] == kind].set_index("level").reindex(levels)
        _marks(ax, found, np.arange(len(levels)) + shift, kind, len(levels))
    if len(levels):
        ax.axhline((len(levels) - 1 + above[0]) / 2, color=theme.REFERENCE, lw=0.6)
        for at in population.loc[population.index == "partial", "estimate"]:
            ax.axvline(at, color=theme.REFERENCE, lw=0.8, zorder=1)
    low, high = _window(rows)
    ax.set_xlim(low, high)
    for kind, shift in (("none", _APART), ("partial", -_APART)):
        found = own[own["pooling"] == kind].set_index("level").reindex(levels)
        at = np.arange(len(levels)) + shift
        _arrows(ax, at[(found["lower"] < low).to_numpy()], 0.0, kind, len(levels))
        _arrows(ax, at[(found["upper"] > high).to_numpy()], 1.0, kind, len(levels))


def _arrows(ax: Axes, at: np.ndarray, side: float, kind: str, n: int) -> None:
    """An arrow at the left (0) or right (1) edge of the panel in each of these rows: what is drawn goes on there."""
    (drawn,) = ax.plot(
        np.full(len(at), side),
        at,
        ">" if side else "<",
        transform=ax.get_yaxis_transform(),
        clip_on=False,
        color=_color(ax, kind),
        ms=0.8 * theme.marker_size(n),
        mew=0,
        zorder=4,
    )
    drawn.set_in_layout(False)


def _color(ax: Axes, kind: str) -> Any:
    return {"none": theme.NO_POOLING, "partial": theme.PARTIAL_POOLING}.get(kind, canvas.ink(ax))


def _marks(ax: Axes, rows: pd.DataFrame, at: np.ndarray, kind: str, n: int) -> None:
    """Estimates with intervals: no pooling hollow, the others filled."""
    color, size = _color(ax, kind), 0.8 * theme.marker_size(n)
    ax.hlines(at, rows["lower"], rows["upper"], color=color, lw=0.8 * theme.line_width(n), zorder=2)
    face = ax.get_facecolor() if kind == "none" else color
    ax.plot(rows["estimate"], at, "o", ms=size, mfc=face, mec=color, mew=0.2 * size, zorder=3)


def _window(rows: pd.DataFrame) -> tuple[float, float]:
    """Limits that hold the population, the partially pooled levels, and their own estimates but the far out.

    They are widened for ends of the levels' own intervals that lie within half of that range beyond it.
    """
    far = rows["level"].notna() & (rows["pooling"] == "none")
    near = rows.loc[~far, ["estimate", "lower", "upper"]].to_numpy(dtype=float).ravel()
    own = rows.loc[far, "estimate"].dropna().to_numpy(dtype=float)
    if len(own):
        lower, upper = np.quantile(own, [0.25, 0.75])
        reach = _FAR_OUT * (upper - lower)
        near = np.concatenate([near, own[(own >= lower - reach) & (own <= upper + reach)]])
    near = near[np.isfinite(near)]
    reach = _WIDER * np.ptp(near)
    ends = rows.loc[far, ["lower", "upper"]].to_numpy(dtype=float).ravel()
    near = np.concatenate([near, ends[(ends >= near.min() - reach) & (ends <= near.max() + reach)]])
    margin = _MARGIN * (np.ptp(near) or 1.0)
    return float(near.min() - margin), float(near.max() + margin)


def _above(L: int, n: int) -> np.ndarray:
    """Places (n,) of the rows of the population above `L` levels, as far apart as names must be."""
    step = max(1.0, L / (theme.UNLABELLED_HEIGHT * 72 / marks.NAME_HEIGHT)) if L > theme.MAX_LABELS else 1.0
    return L - 1 + step * (1.8 + np.arange(n))
