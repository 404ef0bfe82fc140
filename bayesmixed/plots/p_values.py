"""Are p-values uniform where labels mean nothing? Their histogram in exchanged data, analysis by analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FitError, with_known_options
from .drawing import canvas, theme
from .drawing.picture import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..inference.permutation.result import PermutationTest

_PANEL_HEIGHT = 2.0  # inches
_BINS = 20


@with_known_options
def p_values(result: PermutationTest, *, ax: Any = None) -> Picture:
    """Draw the p-values that each analysis gives where labels were exchanged and mean nothing.

    They should be as many in every twentieth of the scale, the dashed line: a peak at 0 is an analysis that finds what
    is not there.

    Parameters
    ----------
    result
        What `bm.permutation_test` returned.
    ax
        One Axes per analysis; None for a new figure.

    Returns
    -------
    Picture
        One panel per analysis, with its rows of `p_values_frame`; the first bar is p below 0.05.

    Raises
    ------
    FitError
        If `result` is not what `bm.permutation_test` returns.

    References
    ----------
    Murdoch, Tsai & Adcock (2008), Am. Stat. 62, 242-245.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> data = bm.load_data("Orthodont")
    >>> fit = bm.Model("distance ~ age + Sex + (1 | Subject)", data).fit("reml")
    >>> test = bm.permutation_test(fit, "Sex", 50, statistic="F", seed=1)
    >>> [ax.get_title() for ax in bm.plot.p_values(test)]
    ['model']
    """
    frame = p_values_frame(result)
    names = list(dict.fromkeys(frame["analysis"]))
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, _PANEL_HEIGHT, per_row=2, share=False, choose="against")
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, frame.loc[frame["analysis"] == name, "p"].to_numpy())
            panel.set_title(name)
        if ax is None:
            title = result.title.removesuffix(":")
            axes[0].figure.suptitle(theme.short(f"{title}: p-values of exchanged labels", theme.TITLE_LENGTH))
    return picture(axes, frame)


@with_known_options
def p_values_frame(result: PermutationTest) -> pd.DataFrame:
    """What `p_values` draws.

    Parameters
    ----------
    result
        As in `p_values`.

    Returns
    -------
    DataFrame
        analysis, arrangement, p; without arrangements that an analysis failed in.

    Raises
    ------
    FitError
        As `p_values`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> data = bm.load_data("Orthodont")
    >>> fit = bm.Model("distance ~ age + Sex + (1 | Subject)", data).fit("reml")
    >>> len(bm.plot.p_values_frame(bm.permutation_test(fit, "Sex", 50, statistic="F", seed=1)))
    50
    """
    if not hasattr(result, "p_values"):
        raise FitError(
            f"p_values draws what bm.permutation_test returns, not {result!r}: write bm.permutation_test(fit, term).",
            topic="picture-of-a-result",
        )
    table = result.p_values
    parts = [pd.DataFrame({"analysis": name, "arrangement": table.index, "p": table[name]}) for name in table]
    return pd.concat(parts, ignore_index=True).dropna().reset_index(drop=True)


def _panel(ax: Axes, p: np.ndarray) -> None:
    ax.hist(p, bins=np.linspace(0, 1, _BINS + 1).tolist(), color=theme.pale(theme.ESTIMATE), lw=0, zorder=1)
    ax.axhline(len(p) / _BINS, color=theme.REFERENCE, lw=1.0, ls=(0, (4, 3)), zorder=2)
    ax.set_xlim(0, 1)
    ax.set_xlabel(f"p ({100 * float(np.mean(p <= 0.05)) if len(p) else 0:.1f} % up to 0.05)")
    ax.set_ylabel("arrangements")
