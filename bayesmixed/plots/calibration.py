"""Whether ranks of a calibration are uniform: their distribution functions and the bands that these should keep to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..checks.calibration.uniform import counts, envelope, points
from ..errors import FitError, nearest, with_known_options
from .drawing import canvas, theme
from .drawing.picture import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..checks.calibration.verdict import Calibration

PANEL_HEIGHT = 1.3  # inches


@with_known_options
def calibration(
    result: Calibration, quantities: str | Iterable[str] | None = None, *, level: float = 0.95, ax: Any = None
) -> Picture:
    """Draw the distribution function of normalised ranks less that of a uniform one, one panel per quantity.

    A line that leaves its band is not uniform; the band holds for the whole line at once. Draws that are too low bend
    the line down, too high up; draws that are too narrow lift its left half and lower its right one, too wide the
    reverse.

    Parameters
    ----------
    result
        What `bm.sbc` returned.
    quantities
        Some of ``result.quantities``; None for all.
    level
        Coverage of the bands.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per quantity, with its rows of `calibration_frame`.

    Raises
    ------
    FitError
        If `result` is no calibration or has no such quantity, or `level` is not in (0, 1).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> axes = bm.plot.calibration(bm.sbc(model, n=20, seed=1), ["1|Batch_sigma", "sigma"])
    >>> [ax.get_title() for ax in axes]
    ['1|Batch_sigma', 'sigma']
    """
    frame = calibration_frame(result, level=level)
    names = _chosen(quantities, result.quantities)
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, PANEL_HEIGHT, per_row=3, choose="quantities")
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, frame[frame["quantity"] == name])
            panel.set_title(name)
        if ax is None:
            title = f"{result.formula}, {result.used} replicates, {100 * level:g} % bands"
            axes[0].figure.suptitle(title)
    return picture(axes, frame[frame["quantity"].isin(names)].reset_index(drop=True))


@with_known_options
def calibration_frame(result: Calibration, *, level: float = 0.95) -> pd.DataFrame:
    """What `calibration` draws: distribution functions less that of a uniform, with simultaneous bands.

    Parameters
    ----------
    result
        What `bm.sbc` returned.
    level
        Probability that a uniform quantity stays within its band everywhere.

    Returns
    -------
    DataFrame
        quantity, position (0 to 1), difference, lower, upper.

    Raises
    ------
    FitError
        If `result` is no calibration, or `level` is not in (0, 1).

    References
    ----------
    Säilynoja, Bürkner & Vehtari (2022), Statistics and Computing 32, 32.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> bm.plot.calibration_frame(bm.sbc(model, n=20, seed=1)).columns.tolist()
    ['quantity', 'position', 'difference', 'lower', 'upper']
    """
    if not hasattr(result, "positions"):
        raise FitError(
            f"calibration draws what bm.sbc returns, not {result!r}: write bm.sbc(model, seed=1) first.",
            topic="picture-of-a-result",
        )
    canvas.check_level(level)
    n, at = result.used, _with_ends(points(), 0.0, 1.0)
    low, high = (_with_ends(bound / n, 0.0, 1.0) - at for bound in envelope(n, level))
    frames = [
        pd.DataFrame(
            {
                "quantity": name,
                "position": at,
                "difference": _with_ends(counts(result.positions(name)) / n, 0.0, 1.0) - at,
                "lower": low,
                "upper": high,
            }
        )
        for name in result.quantities
    ]
    return pd.concat(frames, ignore_index=True)


def _with_ends(values: np.ndarray, first: float, last: float) -> np.ndarray:
    return np.concatenate([[first], values, [last]])


def _chosen(quantities: str | Iterable[str] | None, known: Sequence[str]) -> list[str]:
    if quantities is None:
        return list(known)
    names = [quantities] if isinstance(quantities, str) else list(quantities)
    for name in names:
        if name not in known:
            raise FitError(f"{name!r} was not ranked. {nearest(name, known, 'Quantities')}", topic="no-such-parameter")
    return names


def _panel(ax: Axes, frame: pd.DataFrame) -> None:
    at = frame["position"]
    ax.fill_between(at, frame["lower"], frame["upper"], color=theme.INTERVAL_MANY, alpha=0.5, lw=0, zorder=1)
    ax.axhline(0, color=theme.REFERENCE, lw=0.8, zorder=2)
    outside = (frame["difference"] < frame["lower"]) | (frame["difference"] > frame["upper"])
    color = theme.NO_POOLING if outside.any() else theme.ESTIMATE
    ax.plot(at, frame["difference"], color=color, lw=theme.LINE, zorder=3)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_xlabel("rank / draws")
    ax.set_ylabel("ECDF - uniform")
    ax.label_outer()
