"""How does power grow with the size of a study? Its curve, with the limits that the number of replicates leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ..errors import FitError, checked_probability, with_known_options
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..inference.power.result import Power

_HEIGHT = 3.2  # inches
_TICKS = 12  # sizes that the axis names one by one


@with_known_options
def power(result: Power, along: str | None = None, *, wanted: float = 0.8, ax: Any = None) -> Picture:
    """Draw power against size, a curve per setting of everything else, with its exact 95 % limits.

    The dashed line is the power that is wanted, the dotted one the level of the test: what a test of no effect finds.

    Parameters
    ----------
    result
        What `bm.power` returned.
    along
        The column of sizes on the horizontal axis; by default the first that has several values.
    wanted
        Power of the dashed line.
    ax
        Axes to draw on; None for a new figure.

    Returns
    -------
    Picture
        One panel, with `power_frame`.

    Raises
    ------
    FitError
        If `result` is no power analysis, has no such column or one size only, or more curves than colours.

    References
    ----------
    Green & MacLeod (2016), Methods Ecol. Evol. 7, 493-498: its power curves.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> curve = bm.power(fit, test="Days", levels={"Subject": [4, 6, 8]}, n=50, seed=1)
    >>> [ax.get_xlabel() for ax in bm.plot.power(curve)]
    ['Subject']
    """
    frame = power_frame(result, along)
    names = list(dict.fromkeys(frame["curve"]))
    colors = dict(zip(names, theme.categories(len(names), "curve"), strict=True))
    checked_probability(wanted, "wanted")
    with canvas.style(ax):
        (panel,) = canvas.panels(1, ax, _HEIGHT, per_row=1, wide=True)
        panel.axhline(wanted, color=theme.REFERENCE, lw=0.8, ls=marks.DASHES, zorder=1)
        panel.axhline(result.alpha, color=theme.REFERENCE, lw=0.8, ls=":", zorder=1)
        for name, color in colors.items():
            _curve(panel, frame[frame["curve"] == name], color)
        if frame["size"].nunique() <= _TICKS:
            panel.set_xticks(sorted(frame["size"].unique().tolist()))
        panel.set(ylim=(-0.02, 1.02), xlabel=result.varied(along), ylabel="power")
        if ax is None:
            panel.figure.suptitle(theme.short(f"Power: {result.model.formula.line}", theme.TITLE_LENGTH))
        if len(names) > 1:
            marks.legend(panel, marks.entries("dot", colors), outside=ax is None)
    return picture(panel, frame)


@with_known_options
def power_frame(result: Power, along: str | None = None) -> pd.DataFrame:
    """What `power` draws.

    Parameters
    ----------
    result, along
        As in `power`.

    Returns
    -------
    DataFrame
        size, power, lower, upper and curve: what distinguishes it, in words (empty where there is one).

    Raises
    ------
    FitError
        As `power`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> curve = bm.power(fit, test="Days", levels={"Subject": [4, 6, 8]}, n=50, seed=1)
    >>> bm.plot.power_frame(curve)["size"].tolist()
    [4, 6, 8]
    """
    if not hasattr(result, "smallest"):
        raise FitError(
            f"power draws what bm.power returns, not {result!r}: write bm.power(model, params, ...) first.",
            topic="picture-of-a-result",
        )
    size, table = result.varied(along), result.frame
    others = [name for name in (*result.sizes, "test") if name != size and table[name].astype(str).nunique() > 1]
    words = [", ".join(_words(name, row[name]) for name in others) for _, row in table.iterrows()]
    found = table[["power", "lower", "upper"]].assign(size=table[size], curve=words)
    return (
        found[["size", "power", "lower", "upper", "curve"]]
        .dropna()
        .sort_values("size", kind="stable")
        .reset_index(drop=True)
    )


def _words(name: str, value: Any) -> str:
    if name == "test":
        return f"{value}"
    return f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"


def _curve(ax: Axes, rows: pd.DataFrame, color: str) -> None:
    x = rows["size"].to_numpy(dtype=float)
    ax.plot(x, rows["power"], color=color, lw=theme.LINE, marker="o", ms=theme.MARKER, mew=0, zorder=3)
    ax.vlines(x, rows["lower"], rows["upper"], color=color, lw=1.0, alpha=0.6, zorder=2)
