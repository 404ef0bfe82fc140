"""How do the replicates of a bootstrap lie about the estimate? Their histogram, parameter by parameter."""

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

    from ..inference.bootstrap.result import Bootstrap

_PANEL_HEIGHT = 1.6  # inches
_NAME = 24  # letters of one above a panel
_BINS = 30


@with_known_options
def bootstrap(
    result: Bootstrap,
    which: str | Sequence[str] | None = None,
    *,
    kind: str = "percentile",
    level: float = 0.95,
    ax: Any = None,
) -> Picture:
    """Draw the replicates of each parameter as a histogram, with the estimate and its limits, one panel each.

    A histogram that lies beside the estimate shows its bias; one with a spike at an end, such as an sd of 0, replicates
    on the boundary, which percentile limits keep and normal ones do not know.

    Parameters
    ----------
    result
        What `bm.bootstrap` returned.
    which
        Some of its parameters; None for all.
    kind
        Of the limits, as in its `confint`.
    level
        Of the limits.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per parameter, with its rows of `bootstrap_frame`.

    Raises
    ------
    FitError
        If `result` is no bootstrap or has no such parameter, an unknown kind, or `level` is not in (0, 1).

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 6.4.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> [ax.get_title() for ax in bm.plot.bootstrap(bm.bootstrap(fit, 100, seed=1))]
    ['Intercept', 'sd(Intercept | Batch)', 'sigma']
    """
    frame = bootstrap_frame(result, which)
    names = list(dict.fromkeys(frame["parameter"]))
    limits = result.confint(kind, level=level, which=names).frame
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, _PANEL_HEIGHT, per_row=3, choose="which")
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, frame[frame["parameter"] == name], float(result.estimate[name]), limits.loc[name])
            panel.set_title(theme.wrapped(name, _NAME), fontsize=9)
        if ax is None:
            axes[0].figure.suptitle(theme.short(result.fit.model.formula.line, theme.TITLE_LENGTH))
            entries = [
                ("thick", theme.ESTIMATE, "estimate"),
                ("line", theme.INTERVAL_MANY, f"{100 * level:g} % limits, {kind}"),
            ]
            marks.legend(axes[0], entries, outside=True)
    return picture(axes, frame)


@with_known_options
def bootstrap_frame(result: Bootstrap, which: str | Sequence[str] | None = None) -> pd.DataFrame:
    """What `bootstrap` draws: the replicates.

    Parameters
    ----------
    result, which
        As in `bootstrap`.

    Returns
    -------
    DataFrame
        parameter, replicate, value; without values that do not exist, such as a correlation beside an sd of 0.

    Raises
    ------
    FitError
        As `bootstrap`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> bm.plot.bootstrap_frame(bm.bootstrap(fit, 100, seed=1), "sigma").columns.tolist()
    ['parameter', 'replicate', 'value']
    """
    if not hasattr(result, "draws"):
        raise FitError(
            f"bootstrap draws what bm.bootstrap returns, not {result!r}: write bm.bootstrap(fit) first.",
            topic="picture-of-a-result",
        )
    known = [str(name) for name in result.draws]
    names = known if which is None else [which] if isinstance(which, str) else list(which)
    for name in names:
        if name not in known:
            raise FitError(
                f"{name!r} was not replicated. {nearest(str(name), known, 'Parameters')}", topic="no-such-parameter"
            )
    if not names:
        raise FitError(f"which=[] draws nothing. Parameters: {', '.join(known)}.", topic="nothing-named")
    parts = [
        pd.DataFrame({"parameter": name, "replicate": result.draws.index, "value": result.draws[name].to_numpy()})
        for name in known
        if name in names
    ]
    return pd.concat(parts, ignore_index=True).dropna().reset_index(drop=True)


def _panel(ax: Axes, rows: pd.DataFrame, estimate: float, limits: pd.Series) -> None:
    values = rows["value"].to_numpy()
    if len(values):
        edges = np.histogram_bin_edges(values, bins=_BINS)
        ax.hist(values, bins=edges.tolist(), color=theme.pale(theme.ESTIMATE), lw=0, zorder=1)
    ax.axvline(estimate, color=theme.ESTIMATE, lw=1.8, zorder=3)
    for limit in (limits["lower"], limits["upper"]):
        if np.isfinite(limit):
            ax.axvline(limit, color=theme.INTERVAL_MANY, lw=1.0, zorder=2)
    ax.set_yticks([])
    ax.locator_params(axis="x", nbins=4)
