"""What pictures are made of: arrows between two estimates, names beside dots, ellipses, an axis of levels, a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...page import letters
from ..shown import named_levels
from . import canvas, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = (0, (4, 3))

_TURNS = np.arange(16) * np.pi / 8
_DIRECTIONS = np.column_stack([np.cos(_TURNS), np.sin(_TURNS)])
_LABEL_SIZE = 7.0  # points
_LEGEND_NAME = 34  # letters of one name in it
NAME_HEIGHT = 10.5  # points from one name of a level to the next
_FAN = 12.0  # points between such names and the axis
_LETTER = 0.62  # width of a letter over its size, on the wide side


def arrows(ax: Axes, start: np.ndarray, end: np.ndarray, color: str) -> None:
    """Arrows from `start` to `end` (L, 2) between the rims of their dots, headless where there is no room for one.

    Call it when the limits of the axes are final: room is measured on the page.
    """
    from matplotlib.patches import FancyArrowPatch

    L = len(start)
    rim, head = theme.marker_size(L) / 2, theme.arrow_head(L)
    lengths = np.linalg.norm(_points(ax, end) - _points(ax, start), axis=1)
    for i in np.flatnonzero(lengths > 2 * rim + 0.5):
        headed = lengths[i] - 2 * rim > 0.4 * head + 0.5
        arrow = FancyArrowPatch(
            tuple(start[i]),
            tuple(end[i]),
            arrowstyle="-|>" if headed else "-",
            mutation_scale=head,
            shrinkA=rim,
            shrinkB=rim,
            color=color,
            lw=0.8 * theme.line_width(L),
            joinstyle="miter",
            zorder=2,
        )
        ax.add_patch(arrow)


def labels(ax: Axes, names: Sequence[str], at: np.ndarray, towards: np.ndarray, every: bool = False) -> None:
    """Names beside the dots `at` (L, 2), away from `towards`, where they cover no dot, arrow or other name.

    A name that fits nowhere is left out, for two on one spot say less than one; unless `every` name is to be shown.
    An empty name is none.
    """
    from matplotlib.patheffects import withStroke

    at = np.where(np.isnan(at), towards, at)
    dots, ends = _points(ax, at), _points(ax, towards)
    page = ax.transAxes.transform([(0, 0), (1, 1)]).ravel() * 72 / ax.figure.dpi
    lines = _along(dots, ends, longest=float(np.linalg.norm(page)))
    obstacles = np.vstack([_boxes(np.vstack([dots, ends]), 3.0), _boxes(lines, 1.5)])
    for i in (i for i, name in enumerate(names) if name):
        name = names[i]
        size = np.array([letters(name) * _LETTER, 1.1]) * _LABEL_SIZE
        centres = dots[i] + _away(dots[i] - ends[i]) * (size / 2 + 4.5)
        boxes = _boxes(centres, size / 2)
        free = [k for k, box in enumerate(boxes) if _inside(box, page) and not _overlap(box, obstacles)]
        if not free and every:
            free = [min(range(len(boxes)), key=lambda k: (not _inside(boxes[k], page), _hidden(boxes[k], obstacles)))]
        if free:
            obstacles = np.vstack([obstacles, boxes[free[0]]])
            shift = centres[free[0]] - dots[i]
            text = ax.annotate(name, at[i], shift, textcoords="offset points", fontsize=_LABEL_SIZE, zorder=6)
            text.set(ha="center", va="center_baseline", color=canvas.ink(ax), alpha=0.8)
            text.set_path_effects([withStroke(linewidth=2, foreground=ax.get_facecolor())])


def numbers(ax: Axes, at: np.ndarray, values: np.ndarray) -> None:
    """Small numbers below the dots `at` (L, 2), above those in the lower half of zero to one."""
    for place, value in zip(at, values, strict=True):
        above = place[1] < 0.5
        text = ax.annotate(f"{value:g}", place, (0, 4.5 if above else -4.5), textcoords="offset points", fontsize=5.5)
        text.set(ha="center", va="bottom" if above else "top", color=canvas.ink(ax), alpha=0.75, zorder=6)


def ellipses(ax: Axes, centre: np.ndarray, covariance: np.ndarray, sds: Sequence[float] = (1.0, 2.0)) -> None:
    """Contours of a bivariate normal distribution at so many standard deviations from its centre."""
    angle = np.linspace(0, 2 * np.pi, 181)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    for sd in sds:
        x, y = centre[:, None] + sd * root @ np.array([np.cos(angle), np.sin(angle)])
        ax.plot(x, y, color=theme.REFERENCE, lw=0.8, ls=DASHES, zorder=1)


def level_axis(
    ax: Axes,
    factor: str,
    levels: np.ndarray,
    named: np.ndarray | None = None,
    above: Mapping[float, str] | None = None,
) -> None:
    """Rows 0, 1, ... of the vertical axis named by `levels`.

    `named` are the rows to name; None for all if they are few enough to be read, else those at both ends. Names of
    neighbouring rows that would hide each other stand apart, a line leads from each to its row. `above` the levels may
    be further rows, which have their own names.
    """
    L = len(levels)
    rows = named_levels.ends(L) if named is None else named
    above = {} if above is None else above
    margin = 0.7 if L <= theme.MAX_LABELS else 0.02 * L
    ax.set_ylim(-margin, max([L - 1, *above]) + margin)
    names = [*theme.level_labels(np.asarray(levels, dtype=object)[rows]), *above.values()]
    places = np.array([*rows, *above], dtype=float)
    if L <= theme.MAX_LABELS:
        ax.set_yticks(places, names)
    else:
        _fan(ax, places, names)
    left_out = f" ({L} levels, {len(rows)} named)" if len(rows) else f" ({L} levels, names left out)"
    ax.set_ylabel(factor if len(rows) == L else factor + left_out)


def _fan(ax: Axes, rows: np.ndarray, names: Sequence[str]) -> None:
    """Names left of the vertical axis, each with a line to its row."""
    from matplotlib.collections import LineCollection

    low, high = ax.get_ylim()
    at = named_levels.spread(rows, NAME_HEIGHT * (high - low) / height(ax), low, high)
    ax.set_yticks(at, names)
    ax.tick_params(axis="y", length=0, pad=_FAN + 2)
    place = ax.get_subplotspec()
    if place is not None and not place.is_first_col():
        return
    left = -_FAN / (ax.get_window_extent().width * 72 / ax.figure.dpi)
    lines = [[(left, name), (0.0, row)] for name, row in zip(at, rows, strict=True)]
    fan = LineCollection(lines, colors=theme.REFERENCE, linewidths=0.6, transform=ax.get_yaxis_transform())
    fan.set(clip_on=False, in_layout=False)
    ax.add_collection(fan, autolim=False)


def zero_sd(ax: Axes) -> None:
    """Say on a panel of random effects that all are zero, because their standard deviation was estimated as zero."""
    ax.text(0.55, 0.5, "sd is 0:\nall effects are zero", transform=ax.transAxes, va="center", fontsize=8)


def entries(kind: str, colors: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What a legend says of names with a colour each."""
    names = theme.level_labels(colors, _LEGEND_NAME)
    return [(kind, color, name) for color, name in zip(colors.values(), names, strict=True)]


def legend(ax: Axes, entries: Sequence[tuple[str, str, str]], outside: bool, title: str | None = None) -> int:
    """A legend of (kind of mark, colour, text); below the axes if `outside`, which needs a figure of their own.

    Returns its number of lines, which are as few as the width of the figure allows.
    """
    from matplotlib.lines import Line2D

    kinds: dict[str, dict[str, Any]] = {
        "dot": {"marker": "o", "ls": "none", "mew": 0},
        "hollow": {"marker": "o", "ls": "none", "mfc": "none", "mew": 1.1},
        "line": {"lw": 1.0},
        "thick": {"lw": 2.6},
        "cross": {"marker": "P", "ls": "none", "mec": "none", "ms": 7},
        "square": {"marker": "s", "ls": "none", "mew": 0, "alpha": 0.45},
        "dashes": {"lw": 0.8, "ls": DASHES},
    }
    looks: list[dict[str, Any]] = [{"color": color, "ms": 5.5, "label": text} | kinds[k] for k, color, text in entries]
    handles = [Line2D([], [], **look) for look in looks]
    if not outside:
        ax.legend(handles=handles, loc="best", fontsize="small", labelcolor=canvas.ink(ax), title=title)
        return len(handles)
    figure: Any = ax.figure
    for lines in range(1, len(handles) + 1):
        columns = -(-len(handles) // lines)
        made = figure.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.4, title=title)
        if columns == 1 or made.get_window_extent().width < figure.bbox.width:
            break
        made.remove()
    return -(-len(handles) // columns)


def height(ax: Axes) -> float:
    """How high the axes are in points, before a layout moves them."""
    return float(ax.get_window_extent().height * 72 / ax.figure.dpi)


def _points(ax: Axes, values: np.ndarray) -> np.ndarray:
    """Data coordinates as points (1/72 inch) on the page."""
    return ax.transData.transform(values) * 72 / ax.figure.dpi


def _along(start: np.ndarray, end: np.ndarray, longest: float, step: float = 4.0) -> np.ndarray:
    """Points (M, 2), about `step` apart, on the lines from `end` towards `start`, as far as `longest`."""
    lengths = np.linalg.norm(start - end, axis=1)
    start = end + (start - end) * np.minimum(1.0, longest / np.maximum(lengths, 1.0))[:, None]
    counts = 2 + (np.minimum(lengths, longest) / step).astype(int)
    return np.vstack([np.linspace(a, b, n) for a, b, n in zip(start, end, counts, strict=True)])


def _away(direction: np.ndarray) -> np.ndarray:
    """Directions to try, those nearest to `direction` first."""
    return _DIRECTIONS[np.argsort(-_DIRECTIONS @ direction, kind="stable")]


def _boxes(centres: np.ndarray, half: np.ndarray | float) -> np.ndarray:
    """Left, bottom, right, top (.., 4)."""
    return np.concatenate([centres - half, centres + half], axis=-1)


def _inside(box: np.ndarray, page: np.ndarray) -> bool:
    return bool(np.all(box[:2] >= page[:2]) and np.all(box[2:] <= page[2:]))


def _overlap(box: np.ndarray, others: np.ndarray) -> bool:
    return _hidden(box, others) > 0


def _hidden(box: np.ndarray, others: np.ndarray) -> int:
    """How many of `others` a box covers."""
    return int(np.sum(np.all(box[:2] < others[:, 2:], axis=1) & np.all(others[:, :2] < box[2:], axis=1)))
