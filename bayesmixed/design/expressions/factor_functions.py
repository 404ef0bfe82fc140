"""The functions that make and change factors inside a formula: R's names."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import DataError, FormulaError, nearest
from ...formula.commas import decimal_commas
from ..columns.factors import Factor, as_factor, drop_unused, level_text, logical, place_of, with_none

MOST_INTERVALS = 10_000  # of cut()
MOST_DUMMIES = 500_000_000  # numbers of dummy(): 4 GB
MOST_COMBINATIONS = 1_000_000  # levels of interaction(), of which R forms all


@dataclass(frozen=True)
class Columns:
    """A matrix-valued result: `values` (n, k) and one label per column."""

    values: np.ndarray
    labels: tuple[str, ...]


def factor(x: Any, levels: Any = None, labels: Any = None, ordered: Any = None) -> Factor:
    """R's ``factor``: values outside `levels` become missing, `labels` rename them in order."""
    made = as_factor(x)
    if levels is not None:
        made = _restricted(made, _list(levels, "levels"))
    if labels is not None:
        made = _relabelled(made, _list(labels, "labels"))
    return replace(made, ordered=made.ordered if ordered is None else bool(ordered), logical=False, text=False)


def as_character(x: Any) -> Factor:
    """The levels as text, sorted as text."""
    made = as_factor(x)
    return as_factor(with_none([level_text(v) for v in made.levels.tolist()])[made.codes])


def as_numeric(x: Any) -> np.ndarray:
    """Numbers as they are, text by what it says, a factor by the position of its level."""
    if not isinstance(x, Factor):
        return np.asarray(x, dtype=float)
    if np.any(x.codes >= x.known):
        raise DataError(
            f"as.numeric() of a level that training did not have: {x.levels[x.known]!r}.", topic="no-such-level"
        )
    if not x.text:
        return np.where(x.codes < 0, np.nan, x.codes + (0.0 if x.logical else 1.0))
    try:
        return np.append(x.levels.astype(float), np.nan)[x.codes]
    except ValueError as problem:
        commas = decimal_commas(x.levels)
        raise DataError(
            f"as.numeric(): {commas or f'not every value is a number ({problem})'}.", topic="one-number-per-row"
        ) from None


def relevel(x: Any, ref: Any) -> Factor:
    """The same factor with `ref` as its first level: a level, or (as a number) its place counted from 1, as in R."""
    made = as_factor(x)
    texts = [level_text(v) for v in made.levels.tolist()]
    first = place_of(ref, texts, "relevel()")
    order = np.array([first, *(i for i in range(len(texts)) if i != first)])
    position = np.append(np.argsort(order), -1).astype(np.int32)
    return replace(made, codes=position[made.codes], levels=made.levels[order], text=False, logical=False)


def interaction(*factors: Any, sep: str = ".", drop: bool = False, lex_order: bool = False) -> Factor:
    """All combinations of levels, the first factor varying fastest, as R orders them.

    `drop` changes nothing, because combinations that no row has are left out of the design anyhow.
    """
    made = [as_factor(f) for f in factors]
    if not made:
        raise FormulaError("interaction() needs a column.", topic="arguments-in-formula")
    codes, names = np.zeros(len(made[0]), dtype=np.int64), np.array([""], dtype=object)
    for position, part in enumerate(reversed(made) if lex_order else made):
        _refuse_many(len(names) * len(part.levels))
        codes = np.where((codes < 0) | (part.codes < 0), -1, codes + len(names) * part.codes.astype(np.int64))
        own = np.repeat(np.array([level_text(level) for level in part.levels.tolist()], dtype=object), len(names))
        before, gap = np.tile(names, len(part.levels)), sep if position else ""
        names = own + gap + before if lex_order else before + gap + own
    return Factor(codes.astype(np.int32), names)


def paste(*parts: Any, sep: str = " ") -> Factor:
    """R's ``paste``: the texts of several columns and constants joined row by row."""
    columns = [part if isinstance(part, str) else as_factor(part) for part in parts]
    if not any(isinstance(column, Factor) for column in columns):
        raise FormulaError("paste() needs a column.", topic="arguments-in-formula")
    joined: Any = ""
    for position, column in enumerate(columns):
        if isinstance(column, Factor):
            column = with_none([level_text(level) for level in column.levels.tolist()])[column.codes]
        joined = joined + (sep if position else "") + column
    return as_factor(joined)


def dummy(x: Any, *levels: Any) -> Columns:
    """lme4's ``dummy``: 0/1 columns of the levels named, without names of all but the first."""
    made = as_factor(x)
    texts = [level_text(v) for v in made.levels[: made.known].tolist()]
    if len(levels) == 1 and isinstance(levels[0], tuple):
        levels = levels[0]
    wanted = [level_text(v) for v in (levels or texts[1:])]
    if len(wanted) * len(made) > MOST_DUMMIES:
        raise DataError(
            f"dummy() makes {len(wanted):,} columns for {len(made):,} rows: name the levels that you need.",
            topic="too-many-columns",
        )
    place = {text: i for i, text in enumerate(texts)}
    unknown = [name for name in wanted if name not in place]
    if unknown:
        raise DataError(
            f"dummy(): no level {unknown[0]!r}. {nearest(unknown[0], texts, 'Levels')}", topic="no-such-level"
        )
    values = (made.codes[:, None] == np.array([place[name] for name in wanted], dtype=np.int32)).astype(float)
    values[made.codes < 0] = np.nan
    return Columns(values, tuple(wanted))


def ifelse(test: Any, yes: Any, no: Any) -> Any:
    """Row by row `yes` where the test holds, else `no`: numbers, or text that becomes a factor."""
    if isinstance(test, Factor) and not test.logical:
        raise DataError('ifelse(): the test must be true or false for each row, such as f == "a".', topic="conditions")
    missing = test.codes < 0 if isinstance(test, Factor) else np.isnan(np.asarray(test, dtype=float))
    chosen = test.codes == 1 if isinstance(test, Factor) else np.asarray(test, dtype=bool)
    sides = [side.values if isinstance(side, Factor) else side for side in (yes, no)]
    if any(isinstance(side, str) or np.asarray(side).dtype.kind == "O" for side in sides):
        sides = [np.asarray(side, dtype=object) for side in sides]
        words = np.where(chosen, *sides)
        words[missing] = None
        return as_factor(words)
    found = np.where(chosen, *sides)
    return np.where(missing, np.nan, found) if np.any(missing) else found


def fit_cut(
    x: np.ndarray, breaks: Any, labels: Any = None, include_lowest: bool = False, right: bool = True, dig_lab: float = 3
) -> dict[str, Any]:
    """Breaks and labels of R's ``cut``; a number of intervals becomes equal widths over the range of x."""
    points = np.atleast_1d(np.asarray(breaks, dtype=float))
    if len(points) == 1:
        if not 1 <= points[0] <= MOST_INTERVALS:
            raise FormulaError(
                f"cut() makes 1 to {MOST_INTERVALS:,} intervals, not {points[0]:g}.", topic="arguments-in-formula"
            )
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        spread = high - low or abs(low)
        points = np.linspace(low, high, int(points[0]) + 1)
        points[[0, -1]] = low - spread / 1000, high + spread / 1000
    points = np.sort(points)
    names = _interval_labels(points, bool(include_lowest), bool(right), int(dig_lab)) if labels is None else labels
    names = [level_text(name) for name in np.atleast_1d(np.asarray(names, dtype=object))]
    if len(names) != len(points) - 1:
        raise FormulaError(
            f"cut() makes {len(points) - 1} intervals but has {len(names)} labels.", topic="arguments-in-formula"
        )
    return {"breaks": points.tolist(), "labels": names, "lowest": bool(include_lowest), "right": bool(right)}


def apply_cut(x: np.ndarray, state: dict[str, Any]) -> Factor:
    """The interval of each value; outside all intervals it is missing."""
    breaks, intervals = np.asarray(state["breaks"]), len(state["labels"])
    codes = np.searchsorted(breaks, x, side="left" if state["right"] else "right") - 1
    if state["lowest"]:
        end = breaks[0] if state["right"] else breaks[-1]
        codes = np.where(x == end, 0 if state["right"] else intervals - 1, codes)
    codes = np.where((codes < 0) | (codes >= intervals) | np.isnan(x), -1, codes)
    return Factor(codes.astype(np.int32), np.array(state["labels"], dtype=object))


def _interval_labels(points: np.ndarray, lowest: bool, right: bool, digits: int) -> list[str]:
    """R's "(a,b]" with as few significant digits as keep neighbours apart."""
    for precision in range(digits, max(12, digits) + 1):
        shown = [_as_r(point, precision) for point in points]
        if all(a != b for a, b in itertools.pairwise(shown)):
            break
    left, close = ("(", "]") if right else ("[", ")")
    names = [f"{left}{a},{b}{close}" for a, b in itertools.pairwise(shown)]
    if lowest and right:
        names[0] = "[" + names[0][1:]
    elif lowest:
        names[-1] = names[-1][:-1] + "]"
    return names


def _as_r(value: float, precision: int) -> str:
    return " Inf" if value == np.inf else f"{value:.{precision}g}".replace("inf", "Inf")


def _list(values: Any, name: str) -> list[Any]:
    if isinstance(values, Factor | Columns):
        raise FormulaError(f"factor(): {name} = takes a list of values, not a column.", topic="arguments-in-formula")
    return np.atleast_1d(np.asarray(values, dtype=object)).tolist()


def _relabelled(made: Factor, labels: list[Any]) -> Factor:
    """Levels under new names; those that get the same name become one level, as in R."""
    if len(labels) != made.known:
        raise FormulaError(f"factor() has {made.known} levels but {len(labels)} labels.", topic="arguments-in-formula")
    place: dict[str, int] = {}
    position = [place.setdefault(level_text(label), len(place)) for label in labels]
    others = made.levels[made.known :].tolist()  # levels of new rows that training did not have
    levels = np.empty(len(place) + len(others), dtype=object)
    levels[:] = [*(labels[position.index(i)] for i in range(len(place))), *others]
    position += [len(place) + i for i in range(len(others))]
    codes = np.array([*position, -1], dtype=np.int32)[made.codes]
    return replace(made, codes=codes, levels=levels, known=len(place))


def _restricted(made: Factor, wanted: list[Any]) -> Factor:
    found = {level_text(level): i for i, level in enumerate(made.levels.tolist())}
    texts = [level_text(level) for level in wanted]
    _refuse_repeated(texts)
    own = [made.levels.tolist()[found[t]] if t in found else w for t, w in zip(texts, wanted, strict=True)]
    place = {text: i for i, text in enumerate(texts)}
    position = np.array([*(place.get(text, -1) for text in found), -1], dtype=np.int32)
    levels = np.empty(len(own), dtype=object)
    levels[:] = own
    return Factor(position[made.codes], levels, made.ordered)


def _refuse_repeated(texts: list[str]) -> None:
    twice = [text for i, text in enumerate(texts) if text in texts[:i]]
    if twice:
        raise FormulaError(
            f"factor() has the level {twice[0]!r} twice: keep one of them.", topic="arguments-in-formula"
        )


def _refuse_many(combinations: int) -> None:
    if combinations > MOST_COMBINATIONS:
        raise DataError(
            f"interaction() of these factors has {combinations:,} combinations of levels; a:b in a formula, "
            "and paste(a, b), hold only those that occur.",
            topic="too-many-columns",
        )


def droplevels(x: Any) -> Factor:
    """The same factor without the levels that no row has."""
    return drop_unused(as_factor(x))


def as_vector(x: Any) -> Any:
    """A column itself: numbers as they are, a factor as its text."""
    if isinstance(x, Columns):
        if x.values.shape[1] > 1:
            raise DataError(
                f"as.vector() of {x.values.shape[1]} columns is not one column: name one of them.",
                topic="one-number-per-row",
            )
        return x.values[:, 0]
    return as_character(x) if isinstance(x, Factor) else x


CATEGORICAL: dict[str, Callable[..., Any]] = {
    "factor": factor,
    "as.factor": lambda x: as_factor(x),
    "ordered": lambda x, levels=None, labels=None: factor(x, levels, labels, ordered=True),
    "as.ordered": lambda x: factor(x, ordered=True),
    "as.character": as_character,
    "as.numeric": as_numeric,
    "as.double": as_numeric,
    "as.integer": lambda x: np.trunc(as_numeric(x)),
    "as.logical": lambda x: logical(as_numeric(x) != 0),
    "as.vector": as_vector,
    "relevel": relevel,
    "droplevels": droplevels,
    "interaction": interaction,
    "paste": paste,
    "paste0": lambda *parts: paste(*parts, sep=""),
    "dummy": dummy,
    "ifelse": ifelse,
    "where": ifelse,
}
