"""Has the response the distribution that the model gives it: kernel densities or distribution functions, overlaid."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..drawing import canvas, theme
from ..drawing.kernel_density import kernel_density
from .asked import Asked, PictureKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N = 50  # curves that can be seen through
BEYOND = 0.35  # of the observed range, on each side: long tails of replicates would squeeze the rest together
POINTS = 201  # of a distribution function

Curve = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def _densities(asked: Asked) -> pd.DataFrame:
    table = asked.table()
    lowest = min(table.min(), asked.observed.min())
    highest = max(table.max(), asked.observed.max())
    low = 0.0 if lowest >= 0 else -np.inf  # nothing lies below: the density ends there too
    high = 1.0 if highest <= 1 and asked.fit.model.family.mean_range[1] == 1 else np.inf
    return _curves(asked, table, lambda y: kernel_density(y, low, high))


def _distributions(asked: Asked) -> pd.DataFrame:
    table = asked.table()

    def curve(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ordered = np.sort(y)
        at = theme.evenly(len(y), POINTS)
        return np.concatenate([ordered[:1], ordered[at]]), np.concatenate([[0.0], (at + 1) / len(y)])

    return _curves(asked, table, curve)


def _curves(asked: Asked, table: np.ndarray, curve: Curve) -> pd.DataFrame:
    frames = []
    for name, rows in asked.panels.items():
        for i, y in enumerate([asked.observed[rows], *table[:, rows]]):
            values, heights = curve(y)
            source = "replicate" if i else "observed"
            columns = {"panel": name, "source": source, "replicate": i - 1, "value": values, "height": heights}
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def _smooth(ax: Axes, frame: pd.DataFrame, asked: Asked) -> None:
    _draw(ax, frame, "default")


def _stepped(ax: Axes, frame: pd.DataFrame, asked: Asked) -> None:
    _draw(ax, frame, "steps-post")


def _draw(ax: Axes, frame: pd.DataFrame, drawn: Any) -> None:
    for _, curve in frame[frame["source"] == "replicate"].groupby("replicate", sort=False):
        x, y = curve["value"], curve["height"]
        ax.plot(x, y, color=theme.INTERVAL_MANY, lw=0.7, alpha=0.7, zorder=1, drawstyle=drawn)
    own = frame[frame["source"] == "observed"]
    ax.plot(own["value"], own["height"], color=canvas.ink(ax), lw=1.6, zorder=3, drawstyle=drawn)
    ax.set_xlim(*_limits(own["value"].to_numpy(), frame["value"].to_numpy()))


def _limits(own: np.ndarray, every: np.ndarray) -> tuple[float, float]:
    """The observed range and something on either side, as far as any curve goes."""
    reach = BEYOND * max(float(np.ptp(own)), 1e-12)
    return max(float(every.min()), own.min() - reach), min(float(every.max()), own.max() + reach)


def _legend(asked: Asked, ink: Any) -> list[tuple[str, Any, str]]:
    return [("line", ink, "observed"), ("line", theme.INTERVAL_MANY, "replicates")]


DENSITY = PictureKind(N, _densities, _smooth, lambda asked: (asked.response, "density"), _legend, one_range=True)
ECDF = PictureKind(
    N, _distributions, _stepped, lambda asked: (asked.response, "share of rows"), _legend, one_range=True
)
