"""Which rows, or which groups' means, lie where the model does not expect them: an interval for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import FitError
from ..drawing import canvas, marks, theme
from .asked import Asked, PictureKind, tails

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N = 500
PANEL = "intervals"
NAMED = 8  # of those outside, where there are too many to name all
MAX_ROWS = 2000  # intervals that can be told apart in a picture


def _frame(asked: Asked) -> pd.DataFrame:
    if asked.by is None:
        labels, observed, values = asked.fit.model.design.index[asked.source.rows], asked.observed, asked.table()
        if len(labels) > MAX_ROWS:
            raise FitError(
                f"{len(labels):,} intervals cannot be told apart. Give by=, a grouping factor or a column: one "
                "interval for the mean of each level.",
                topic="too-much-to-see",
            )
        order = np.argsort(values.mean(axis=0), kind="stable")
    else:
        labels = pd.Index(list(asked.panels))
        observed = _means(asked, asked.observed[None])[0]
        values = np.concatenate([_means(asked, block) for _, block in asked.source.blocks()])
        order = np.arange(len(labels))
    (low, high), (inner_low, inner_high) = tails(asked.level), tails(asked.level / 2)
    quantiles = np.quantile(values[:, order], [low, inner_low, 0.5, inner_high, high], axis=0)
    names = ("lower", "inner_lower", "middle", "inner_upper", "upper")
    columns = {"panel": PANEL, "label": labels[order], "position": np.arange(len(order)), "observed": observed[order]}
    return pd.DataFrame(columns | dict(zip(names, quantiles, strict=True)))


def _means(asked: Asked, y: np.ndarray) -> np.ndarray:
    return np.stack([y[:, rows].mean(axis=1) for rows in asked.panels.values()], axis=1)


def _draw(ax: Axes, frame: pd.DataFrame, asked: Asked) -> None:
    many = len(frame) > theme.MAX_LABELS
    at, outside = frame["position"], (frame["observed"] < frame["lower"]) | (frame["observed"] > frame["upper"])
    ax.vlines(at, frame["lower"], frame["upper"], color=theme.INTERVAL_MANY, lw=1.0 if many else 1.6, zorder=1)
    if not many:
        ax.vlines(at, frame["inner_lower"], frame["inner_upper"], color=theme.ESTIMATE, lw=3.2, alpha=0.55, zorder=2)
    size = theme.marker_size(len(frame))
    ink = canvas.ink(ax)
    ax.plot(at[~outside], frame["observed"][~outside], "o", color=ink, ms=0.8 * size, mew=0, zorder=3)
    ax.plot(at[outside], frame["observed"][outside], "o", color=theme.CATEGORIES[1], ms=size, mew=0, zorder=4)
    if many:
        _name_farthest(ax, frame[outside])
    if asked.by is None or many:
        ax.set_xticks([])
    else:
        names = theme.level_labels(frame["label"])
        crowded = sum(len(name) + 1 for name in names) > 70
        ax.set_xticks(at, names, rotation=90 if crowded else 0)


def _name_farthest(ax: Axes, outside: pd.DataFrame) -> None:
    """Names beside those that lie farthest outside, in lengths of their intervals."""
    observed, lower, upper = (outside[name].to_numpy(dtype=float) for name in ("observed", "lower", "upper"))
    with np.errstate(divide="ignore"):  # replicates that are all alike, as of rare counts: nothing is farther outside
        beyond = np.maximum(observed - upper, lower - observed) / (upper - lower)
    far = outside.iloc[np.argsort(-beyond, kind="stable")[:NAMED]]
    if len(far):
        ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # final, for names are placed on the page
        names = theme.level_labels(far["label"])
        marks.labels(ax, names, far[["position", "observed"]].to_numpy(), far[["position", "middle"]].to_numpy())


def _labels(asked: Asked) -> tuple[str, str]:
    if asked.by is None:
        return f"rows ({len(asked.observed)}), in the order of their expected response", asked.response
    return str(asked.by_name), f"mean of {asked.response}"


def _legend(asked: Asked, ink: Any) -> list[tuple[str, Any, str]]:
    return [
        ("dot", ink, "observed"),
        ("dot", theme.CATEGORIES[1], "outside"),
        ("line", theme.INTERVAL_MANY, f"{100 * asked.level:g} % of replicates"),
    ]


INTERVALS = PictureKind(N, _frame, _draw, _labels, _legend, per_level=False)
