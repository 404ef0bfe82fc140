"""How every picture looks: colours that the colour-blind can tell apart, sizes for a notebook's width and for print."""

from __future__ import annotations

from collections.abc import Iterable
from os.path import commonprefix

import numpy as np

from ...errors import FitError

# Okabe & Ito (2008), Color Universal Design; they differ in lightness too, so they survive a grey printout.
NO_POOLING = "#E69F00"
PARTIAL_POOLING = "#0072B2"
ESTIMATE = PARTIAL_POOLING
REFERENCE = "#7F7F7F"
INTERVAL_MANY = "#99C7E0"  # lighter, so that the estimates stay visible among hundreds of intervals

CATEGORIES = (PARTIAL_POOLING, "#D55E00", "#009E73", "#CC79A7", NO_POOLING, "#56B4E9", "#000000", "#8C6D1F")

WIDTH = 6.4  # inches; fits a notebook cell and a printed column and a half
PANEL_WIDTH = 3.0
HEIGHT = 4.8
ROW_HEIGHT = 0.19  # of one labelled level
LEAST_HEIGHT = 1.6  # of all levels together
UNLABELLED_HEIGHT = 6.0  # of all levels together where there are too many for labels

MAX_LABELS = 40  # more levels than this are drawn without their names
MAX_LABEL_LENGTH = 22
MAX_NAME_LENGTH = 34  # of a response or a column in a title
TITLE_LENGTH = 72  # letters that fit above a picture of the usual width

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

MARKER = 5.5  # points
MARKER_MANY = 3.0
LINE = 1.3
LINE_MANY = 0.6

# Applied while a new figure is drawn and only to it. Ground and ink are named so that it can be printed whatever the
# user's defaults; on axes that the user made, the user's settings hold.
STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": "black",
    "axes.labelcolor": "black",
    "axes.grid": False,
    "text.color": "black",
    "xtick.color": "black",
    "ytick.color": "black",
    "font.size": 9.0,
    "figure.titlesize": 10.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
}


def categories(n: int, column: str | None) -> tuple[str, ...]:
    """`n` colours that can be told apart.

    Raises
    ------
    FitError
        If there are not so many, naming the column that asked for them.
    """
    if n > len(CATEGORIES):
        raise FitError(
            f"{column!r} has {n} values, and only {len(CATEGORIES)} colours can be told apart: choose a column with "
            "fewer, or cut it into classes, e.g. pd.cut(column, 4).",
            topic="too-much-to-see",
        )
    return CATEGORIES[:n]


def pale(color: str, share: float = 0.4) -> str:
    """The colour mixed with white, `share` of it left.

    >>> pale("#000000", 0.4)
    '#999999'
    """
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02X}" for part in parts)


def marker_size(n_levels: int) -> float:
    """Diameter of a dot in points."""
    return MARKER if n_levels <= MAX_LABELS else MARKER_MANY


def arrow_head(n_levels: int) -> float:
    """Size of an arrow's head in points; its length is 0.4 of it."""
    return 1.7 * marker_size(n_levels)


def line_width(n_levels: int) -> float:
    """Width of a line in points."""
    return LINE if n_levels <= MAX_LABELS else LINE_MANY


def interval_color(n_levels: int) -> str:
    """Colour of intervals."""
    return ESTIMATE if n_levels <= MAX_LABELS else INTERVAL_MANY


def rows_height(n_levels: int) -> float:
    """Inches that `n_levels` rows of a dot plot take together."""
    return max(LEAST_HEIGHT, n_levels * ROW_HEIGHT) if n_levels <= MAX_LABELS else UNLABELLED_HEIGHT


def evenly(total: int, shown: int) -> np.ndarray:
    """Positions of `shown` of `total` things, evenly spaced, first and last among them."""
    return np.unique(np.linspace(0, total - 1, shown).round().astype(int))


def short(text: str, length: int = MAX_NAME_LENGTH) -> str:
    """A text that is cut where it is longer than `length`."""
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def column_name(name: str) -> str:
    """A coefficient's or a column's name, without its middle where it is too long: levels are at the ends of names."""
    return _without_middle(name, MAX_NAME_LENGTH)


def wrapped(text: str, length: int) -> str:
    r"""A name on two lines where it is longer than `length`, broken behind a space or a mark.

    >>> wrapped("sd(Intercept | batch)", 16).split("\n")
    ['sd(Intercept', '| batch)']
    """
    if len(text) <= length:
        return text
    places = [i + 1 for i, letter in enumerate(text[:-1]) if letter in " :(_-/,"]
    if not places:
        return short(text, 2 * length)
    at = min(places, key=lambda place: abs(place - len(text) / 2))
    return "\n".join(short(part.strip(), 2 * length) for part in (text[:at], text[at:]))


def level_labels(levels: Iterable[object], length: int = MAX_LABEL_LENGTH) -> list[str]:
    """Names of levels, where one is too long without what all of them share, and then without its middle.

    >>> level_labels(["ward 1 of the hospital in the north", "ward 12 of the hospital in the north"], 12)
    ['ward 1\N{HORIZONTAL ELLIPSIS}', 'ward 12\N{HORIZONTAL ELLIPSIS}']
    """
    names = [str(level) for level in levels]
    if len(names) > 1 and any(len(name) > length for name in names):
        names = _without_shared(names, length)
    return [_without_middle(name, length) for name in names]


def level_label(level: object) -> str:
    """One level's name by itself, without its middle where it is too long."""
    return _without_middle(str(level), MAX_LABEL_LENGTH)


def _without_shared(names: list[str], length: int) -> list[str]:
    """Names without the words that they begin and end with, as few of these as make all of them fit."""
    head = _whole_words(commonprefix(names))
    tail = _whole_words(commonprefix([name[head:][::-1] for name in names]))
    last_word = _whole_words(commonprefix(names)[: max(head - 1, 0)])  # it may say what follows: ward 12
    for front, back in ((last_word, 0), (head, 0), (0, tail), (last_word, tail), (head, tail)):
        cut = [_cut(name, front, back) for name in names]
        if all(len(name) <= length for name in cut):
            break
    return cut


def _cut(name: str, front: int, back: int) -> str:
    front, back = (number if number > 1 else 0 for number in (front, back))  # a letter is no longer than its mark
    return ELLIPSIS * (front > 0) + name[front : len(name) - back] + ELLIPSIS * (back > 0)


def _whole_words(shared: str) -> int:
    """How many letters of what names share can go without cutting a word or a number."""
    while shared and shared[-1].isalnum():
        shared = shared[:-1]
    return len(shared)


def _without_middle(name: str, length: int) -> str:
    if len(name) <= length:
        return name
    tail = length // 3 + 1
    return name[: length - tail - 1] + ELLIPSIS + name[-tail:]
