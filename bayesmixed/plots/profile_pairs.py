"""Which pairs of parameters are jointly plausible? Profile traces and contours, in values and in zeta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy.stats import chi2

from ..errors import FitError, with_known_options
from ..inference.profile.contours import pairs
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture
from .profile import chosen_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..inference.profile.curve import Curve
    from ..inference.profile.profile import Profile

MOST = 6  # parameters, unless named
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
MAIN = 0.95  # drawn strongest
FARTHEST = 3.6  # zeta at the edge of a panel
_PANEL = 1.35  # inches
_TRACE = theme.CATEGORIES[1]
_LABEL_LENGTH = 18
_TITLE = 17  # letters above each panel


@with_known_options
def profile_pairs(
    result: Profile, which: str | Sequence[str] | None = None, *, levels: Sequence[float] = LEVELS, ax: Any = None
) -> Picture:
    """Draw every pair of profiled parameters: values below the diagonal, zeta above it.

    A contour holds the pairs that are jointly as plausible as its level says. The two lines that cross at the estimates
    are the profile traces: where each parameter is at its best while the other is held. Traces that cross at a right
    angle say that the parameters do not depend on each other; above the diagonal the contours of a likelihood that is
    normal would be ellipses, and the traces straight.

    Parameters
    ----------
    result
        What `bm.profile` returned, of two parameters or more.
    which
        Some of its parameters; None for the first six.
    levels
        Of the contours; those that a profile does not reach on both sides are left out.
    ax
        k * k Axes for k parameters, row by row; None for a new figure.

    Returns
    -------
    Picture
        Its ``.axes`` are (k, k), with `profile_pairs_frame`.

    Raises
    ------
    FitError
        If `result` is no profile, has no such parameter or fewer than two, or a level is not in (0, 1).

    References
    ----------
    Bates & Watts (1988), Nonlinear Regression Analysis and Its Applications, section 6.1 and appendix 6.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> bm.plot.profile_pairs(bm.profile(fit)).axes.shape
    (3, 3)
    """
    frame = profile_pairs_frame(result, which, levels=levels)
    curves = _curves(result, which)
    k = len(curves)
    with canvas.style(ax):
        axes: Any = canvas.square(k, ax, _PANEL)
        for i, j in np.ndindex(k, k):
            if i == j:
                _profile(axes[i, i], curves[i])
            else:
                first, second = curves[min(i, j)].label, curves[max(i, j)].label
                rows = frame[(frame["x"] == first) & (frame["y"] == second)]
                _panel(axes[i, j], rows, *(("x_value", "y_value") if i > j else ("y_zeta", "x_zeta")))
            _frame(axes[i, j], i, j, curves)
        if ax is None:
            axes[0, 0].figure.align_ylabels(axes[:, 0])
            _explain(axes[0, 0], result, frame, k)
    return picture(axes, frame)


@with_known_options
def profile_pairs_frame(
    result: Profile, which: str | Sequence[str] | None = None, *, levels: Sequence[float] = LEVELS
) -> pd.DataFrame:
    """What `profile_pairs` draws: traces and contours of every pair.

    Parameters
    ----------
    result, which, levels
        As in `profile_pairs`.

    Returns
    -------
    DataFrame
        kind ("trace of x", "trace of y", "contour"), level (of contours), the parameters x and y, and points:
        x_value, y_value, x_zeta, y_zeta (NaN where the other profile was not followed so far).

    Raises
    ------
    FitError
        As `profile_pairs`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> frame = bm.plot.profile_pairs_frame(bm.profile(fit))
    >>> frame.loc[frame["kind"] == "contour", ["x", "y"]].drop_duplicates().to_numpy().tolist()[-1]
    ['sd(Intercept | Batch)', 'sigma']
    """
    wanted = np.atleast_1d(levels).tolist()
    for level in wanted:
        canvas.check_level(level)
        if levels is not LEVELS and hasattr(result, "check_reach"):
            result.check_reach(level, float(np.sqrt(chi2.ppf(level, 2))))
    return pairs(replace(result, curves=tuple(_curves(result, which))), wanted)


def _curves(result: Profile, which: str | Sequence[str] | None) -> list[Curve]:
    curves = chosen_curves(result, which, "profile_pairs")[: MOST if which is None else None]
    if len(curves) < 2:
        raise FitError(
            "profile_pairs draws pairs, and there is one parameter: bm.plot.profile draws its profile.",
            topic="nothing-to-draw",
        )
    return curves


def _panel(ax: Axes, rows: pd.DataFrame, across: str, up: str) -> None:
    for level, part in rows[rows["kind"] == "contour"].groupby("level"):
        width = theme.LINE if level == MAIN else 0.7
        ax.plot(part[across], part[up], color=theme.ESTIMATE, lw=width, alpha=1.0 if level == MAIN else 0.7, zorder=2)
    for _, part in rows[rows["kind"] != "contour"].groupby("kind"):
        ax.plot(part[across], part[up], color=_TRACE, lw=0.9, zorder=3)
    if up == "x_zeta":
        ax.set_xlim(-FARTHEST, FARTHEST)
        ax.set_ylim(-FARTHEST, FARTHEST)


def _profile(ax: Axes, curve: Curve) -> None:
    """The curve itself, on the diagonal."""
    zeta = np.linspace(*curve.reach, 81)
    ax.plot([curve.value(each) for each in zeta], zeta, color=theme.ESTIMATE, lw=theme.LINE)
    ax.axhline(0, color=theme.REFERENCE, lw=0.6)
    ax.set_ylim(-FARTHEST, FARTHEST)


def _frame(ax: Axes, i: int, j: int, curves: list[Curve]) -> None:
    """Names at the left and below; numbers of values there, of zeta at the right and above."""
    last = len(curves) - 1
    ax.tick_params(labelsize=7)
    ax.locator_params(nbins=3)
    if i < j:
        ax.set_xticks([-2, 0, 2])
        ax.set_yticks([-2, 0, 2])
        for side in ("top", "right"):
            ax.spines[side].set_visible(True)
        ax.tick_params(
            top=True, right=True, bottom=False, left=False, labelbottom=False, labelleft=False,
            labeltop=i == 0, labelright=j == last, colors=theme.REFERENCE,
        )  # fmt: skip
    elif i == j:
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    if i >= j:
        ax.tick_params(labelbottom=i == last, labelleft=j == 0 and i > 0)
    if i == last:
        ax.set_xlabel(theme.wrapped(curves[j].label, _LABEL_LENGTH), fontsize=8)
    if j == 0:
        ax.set_ylabel(theme.wrapped(curves[i].label, _LABEL_LENGTH), fontsize=8)


def _explain(ax: Axes, result: Profile, frame: pd.DataFrame, panels: int) -> None:
    drawn = [f"{100 * level:g}" for level in np.unique(frame["level"].dropna())]
    contours = [("line", theme.ESTIMATE, f"contours of {', '.join(drawn)} %")] if drawn else []
    entries = [*contours, ("line", _TRACE, "each at its best beside the other")]
    marks.legend(ax, entries, outside=True)
    wide = min(_TITLE * panels, theme.TITLE_LENGTH)
    formula = theme.short(result.fit.model.formula.line, wide)
    meaning = theme.wrapped("below the diagonal values, on it profiles, above it zeta", wide)
    cast(Any, ax.figure).suptitle(f"{formula}\n{meaning}")
