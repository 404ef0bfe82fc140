"""Is a number that matters, of all rows or of each group, one that the model would give: a histogram of replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...checks.predictive.pp_check import pp_check
from ...errors import FitError
from ..drawing import canvas, theme
from .asked import WHOLE, Asked, PictureKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N = 500
BINS = 25
MAX_PLACES = 200  # evenly spaced values, such as shares of rows: no more are taken to be


def _frame(asked: Asked) -> pd.DataFrame:
    if isinstance(asked.statistic, list | tuple):
        raise FitError(
            "A picture shows one statistic: draw one at a time; bm.pp_check takes several.", topic="too-much-to-see"
        )
    source = asked.source
    check = pp_check(asked.fit, asked.statistic, asked.by, source.n, re=source.re, seed=source.seed)
    values, observed = check.replicates, check.frame
    if asked.by is None:
        values, observed = values.assign(group=WHOLE), observed.assign(group=WHOLE)
    own = observed.set_index("group")["observed"]
    found = values.assign(observed=own.loc[values["group"]].to_numpy()).rename(columns={"group": "panel"})
    return found[["panel", "statistic", "replicate", "value", "observed"]]


def _draw(ax: Axes, frame: pd.DataFrame, asked: Asked) -> None:
    values, own = frame["value"].to_numpy(), frame["observed"].iloc[0]
    ax.hist(values, bins=_bins(values).tolist(), color=theme.ESTIMATE, alpha=0.45, lw=0, zorder=1)
    if np.isfinite(own):
        ax.axvline(own, color=canvas.ink(ax), lw=1.6, zorder=2)
        _say_share(ax, float(np.mean(values >= own)), own, len(values))


def _bins(values: np.ndarray) -> np.ndarray:
    """Edges of bars: of a few different values, evenly spaced, each bar holds as many of them as any other."""
    different = np.unique(values)
    step = np.diff(different).min(initial=np.inf)
    low, high = different[0], different[-1]
    if not np.isfinite(step):
        return np.array([low - 0.5, low + 0.5])
    places = (high - low) / step + 1
    if places > MAX_PLACES:
        return np.linspace(low, high, BINS + 1)
    width = np.ceil(places / BINS) * step
    return np.arange(low - step / 2, high + width, width)


def _say_share(ax: Axes, share: float, own: float, n: int) -> None:
    """The share at or above the observed value, in the upper corner that its line is not in."""
    left, right = ax.get_xlim()
    at, align = (0.02, "left") if own > (left + right) / 2 else (0.98, "right")
    text = f"p < {1 / n:.2g}" if share == 0 else f"p = {share:.2f}"
    ax.text(at, 0.97, text, transform=ax.transAxes, ha=align, va="top", fontsize=theme.STYLE["legend.fontsize"])


def _labels(asked: Asked) -> tuple[str, str]:
    name = asked.statistic if isinstance(asked.statistic, str) else getattr(asked.statistic, "__name__", "statistic")
    return f"{name} of {asked.response}", "replicates"


def _legend(asked: Asked, ink: Any) -> list[tuple[str, Any, str]]:
    return [("line", ink, "observed"), ("square", theme.ESTIMATE, "replicates; p: their share at or above it")]


STATISTIC = PictureKind(N, _frame, _draw, _labels, _legend)
