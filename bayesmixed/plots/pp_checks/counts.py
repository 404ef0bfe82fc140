"""How often is each count observed, and how often would the model give it: bars, or a hanging rootogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import FitError
from ..drawing import canvas, theme
from .asked import Asked, PictureKind, tails

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N = 500
CLASSES = 40  # bars of a panel; with more counts several share one
FAR = 0.999  # of the replicates' values; the last bar holds what lies beyond


def _frame(asked: Asked) -> pd.DataFrame:
    _refuse_fractions(asked)
    first, width, classes = _classes(asked)
    frames = []
    for name, rows in asked.panels.items():
        own = _counted(asked.observed[None, rows], first, width, classes)[0]
        blocks = [_counted(block[:, rows], first, width, classes) for _, block in asked.source.blocks()]
        counts = np.concatenate(blocks)
        lower, upper = np.quantile(counts, tails(asked.level), axis=0)
        columns = {"observed": own, "expected": counts.mean(axis=0), "lower": lower, "upper": upper}
        values = first + width * np.arange(classes)
        frames.append(pd.DataFrame({"panel": name, "value": values, "width": width} | columns))
    return pd.concat(frames, ignore_index=True)


def _refuse_fractions(asked: Asked) -> None:
    y = asked.observed
    if not (asked.fit.model.family.discrete and np.array_equal(y, np.round(y))):
        raise FitError(
            "Bars and rootograms count whole numbers, and this response has others: "
            'use kind="density", "ecdf" or "intervals".',
            topic="unknown-option",
        )


def _classes(asked: Asked) -> tuple[int, int, int]:
    """First value, counts per bar, and number of bars, so that both data and replicates find a place."""
    lowest, highest = asked.observed.min(), asked.observed.max()
    for _, block in asked.source.blocks():
        lowest, highest = min(lowest, block.min()), max(highest, np.quantile(block, FAR))
    span = int(np.ceil(highest)) - int(lowest) + 1
    width = int(np.ceil(span / CLASSES))
    return int(lowest), width, int(np.ceil(span / width))


def _counted(y: np.ndarray, first: int, width: int, classes: int) -> np.ndarray:
    """How many of y (m, rows) are in each class (m, classes)."""
    place = np.minimum((y - first) // width, classes - 1).astype(int)
    flat = place + classes * np.arange(len(y))[:, None]
    return np.bincount(flat.ravel(), minlength=classes * len(y)).reshape(len(y), classes)


def _bars(ax: Axes, frame: pd.DataFrame, asked: Asked) -> None:
    width, at = frame["width"].iloc[0], _centres(frame)
    ax.bar(at, frame["observed"], width=0.85 * width, color=theme.REFERENCE, alpha=0.45, lw=0, zorder=1)
    ax.vlines(at, frame["lower"], frame["upper"], color=theme.ESTIMATE, lw=1.4, zorder=2)
    ax.plot(at, frame["expected"], "o", color=theme.ESTIMATE, ms=4, mew=0, zorder=3)
    _ticks(ax, frame)


def _rootogram(ax: Axes, frame: pd.DataFrame, asked: Asked) -> None:
    roots = np.sqrt(frame[["observed", "expected", "lower", "upper"]])
    width, at = frame["width"].iloc[0], _centres(frame)
    bottom = roots["expected"] - roots["observed"]
    ax.fill_between(at, roots["lower"], roots["upper"], color=theme.ESTIMATE, alpha=0.25, lw=0, zorder=1)
    ax.bar(at, roots["observed"], bottom=bottom, width=0.85 * width, color=theme.REFERENCE, alpha=0.45, lw=0, zorder=2)
    ax.plot(at, roots["expected"], "-o", color=theme.ESTIMATE, ms=3, lw=1.2, mew=0, zorder=3)
    ax.axhline(0, color=canvas.ink(ax), lw=0.8, zorder=4)
    _ticks(ax, frame)


def _centres(frame: pd.DataFrame) -> np.ndarray:
    return (frame["value"] + (frame["width"] - 1) / 2).to_numpy()


def _ticks(ax: Axes, frame: pd.DataFrame) -> None:
    """Whole numbers where single counts are few, classes otherwise."""
    if frame["width"].iloc[0] == 1 and len(frame) <= 12:
        ax.set_xticks(frame["value"])


def _across(asked: Asked) -> str:
    _, width, _ = _classes(asked)
    return asked.response if width == 1 else f"{asked.response} (classes of {width})"


def _legend_of_bars(asked: Asked, ink: Any) -> list[tuple[str, Any, str]]:
    text = f"expected, {100 * asked.level:g} % of replicates"
    return [("square", theme.REFERENCE, "observed"), ("dot", theme.ESTIMATE, text)]


def _legend_of_roots(asked: Asked, ink: Any) -> list[tuple[str, Any, str]]:
    text = f"expected, {100 * asked.level:g} % of replicates"
    return [("square", theme.REFERENCE, "observed, hanging"), ("line", theme.ESTIMATE, text)]


BARS = PictureKind(N, _frame, _bars, lambda asked: (_across(asked), "rows"), _legend_of_bars)
ROOTOGRAM = PictureKind(N, _frame, _rootogram, lambda asked: (_across(asked), "square root of rows"), _legend_of_roots)
