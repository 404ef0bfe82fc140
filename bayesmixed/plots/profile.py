"""Is a profile straight? zeta against each parameter, with the line that Wald's interval takes it for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import FitError, brief, nearest, with_known_options
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..inference.profile.curve import Curve
    from ..inference.profile.profile import Profile

LEVEL = 0.95  # of the limits that are shown
_POINTS = 121  # of a curve
_PANEL_HEIGHT = 1.75  # inches
_NAME = 24  # letters of one above a panel


@with_known_options
def profile(
    result: Profile, which: str | Sequence[str] | None = None, *, level: float = LEVEL, ax: Any = None
) -> Picture:
    """Draw the profile of each parameter: zeta, the signed square root of what the deviance rises by, one panel each.

    Where the curve follows the dashed line, the likelihood is that of a normal estimate and estimate +- z x standard
    error is its interval. Where it bends, the interval is not symmetric: it lies where the curve passes +-z, which the
    thin lines show. A curve that ends in between has its limit at the end of the parameter, such as 0.

    Parameters
    ----------
    result
        What `bm.profile` returned.
    which
        Some of its parameters; None for all.
    level
        Of the limits that are shown.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per parameter, with its rows of `profile_frame`.

    Raises
    ------
    FitError
        If `result` is no profile or has no such parameter, or `level` is not in (0, 1).

    References
    ----------
    Bates & Watts (1988), Nonlinear Regression Analysis and Its Applications, section 6.1.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> [ax.get_title() for ax in bm.plot.profile(bm.profile(fit))]
    ['Intercept', 'sd(Intercept | Batch)', 'sigma']
    """
    frame = profile_frame(result, which, level=level)
    curves = [curve for curve in result.curves if (frame["parameter"] == curve.label).any()]
    with canvas.style(ax):
        axes = canvas.panels(len(curves), ax, _PANEL_HEIGHT, per_row=3, choose="which")
        for panel, curve in zip(axes, curves, strict=True):
            _panel(panel, frame[frame["parameter"] == curve.label], curve, level)
        if ax is None:
            axes[0].figure.suptitle(theme.short(result.fit.model.formula.line, theme.TITLE_LENGTH))
            entries = [
                ("thick", theme.ESTIMATE, "profile"),
                ("dashes", theme.REFERENCE, "Wald: right where the profile is as straight"),
            ]
            if any("crossed" in curve.interval(level).found for curve in curves):
                entries.append(("line", theme.INTERVAL_MANY, f"{100 * level:g} % limits"))
            marks.legend(axes[0], entries, outside=True)
    return picture(axes, frame)


@with_known_options
def profile_frame(result: Profile, which: str | Sequence[str] | None = None, *, level: float = LEVEL) -> pd.DataFrame:
    """What `profile` draws: the curves.

    Parameters
    ----------
    result, which, level
        As in `profile`.

    Returns
    -------
    DataFrame
        parameter, value, zeta, and in `wald` what zeta would be by the standard error: a line through the estimate
        (NaN where there is none).

    Raises
    ------
    FitError
        As `profile`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> bm.plot.profile_frame(bm.profile(fit, "sigma")).columns.tolist()
    ['parameter', 'value', 'zeta', 'wald']
    """
    canvas.check_level(level)
    curves, parts = chosen_curves(result, which, "profile"), []
    if level != LEVEL:  # curves that were asked to end earlier are drawn all the same
        result.check_reach(level, float(ndtri(0.5 + level / 2)))
    for curve in curves:
        zeta = np.unique(np.append(np.linspace(*curve.reach, _POINTS), 0.0))
        value = np.array([curve.value(each) for each in zeta])
        wald = (value - curve.estimate) / curve.se
        parts.append(pd.DataFrame({"parameter": curve.label, "value": value, "zeta": zeta, "wald": wald}))
    return pd.concat(parts, ignore_index=True)


def chosen_curves(result: Any, which: str | Sequence[str] | None, plot: str) -> list[Curve]:
    """The curves of those names, all if None.

    Raises
    ------
    FitError
        For what is no profile, and unknown names.
    """
    if not hasattr(result, "curves"):
        raise FitError(
            f"{plot} draws what bm.profile returns, not {brief(result)}: write bm.profile(fit) first.",
            topic="picture-of-a-result",
        )
    known = {curve.label: curve for curve in result.curves}
    names = list(known) if which is None else [which] if isinstance(which, str) else list(which)
    for name in names:
        if name not in known:
            raise FitError(
                f"{name!r} was not profiled. {nearest(str(name), known, 'Parameters')}", topic="no-such-parameter"
            )
    if not names:
        raise FitError(f"which=[] draws nothing. Parameters: {', '.join(known)}.", topic="nothing-named")
    return [curve for name, curve in known.items() if name in names]


def _panel(ax: Axes, rows: pd.DataFrame, curve: Curve, level: float) -> None:
    z, low, high = float(ndtri(0.5 + level / 2)), rows["value"].min(), rows["value"].max()
    ax.axhline(0, color=theme.REFERENCE, lw=0.6, zorder=1)
    limits = curve.interval(level)
    for limit, how, zeta in zip((limits.lower, limits.upper), limits.found, (-z, z), strict=True):
        if how == "crossed":
            ax.axhline(zeta, color=theme.INTERVAL_MANY, lw=0.7, zorder=1)
            ax.plot([limit, limit], [0, zeta], color=theme.INTERVAL_MANY, lw=1.4, zorder=2)
    span = rows["zeta"].min(), rows["zeta"].max()
    inside = rows[(rows["wald"] >= span[0]) & (rows["wald"] <= span[1])]
    ax.plot(inside["value"], inside["wald"], color=theme.REFERENCE, lw=0.9, ls=marks.DASHES, zorder=3)
    ax.plot(rows["value"], rows["zeta"], color=theme.ESTIMATE, lw=1.8, zorder=4)
    margin = 0.04 * (high - low)
    ax.set_xlim(low - margin, high + margin)
    ax.set_title(theme.wrapped(curve.label, _NAME), fontsize=9)
    ax.locator_params(axis="x", nbins=4)
    ax.set_ylabel("zeta")
    place = ax.get_subplotspec()
    if place is not None and not place.is_first_col():
        ax.set_ylabel("")
