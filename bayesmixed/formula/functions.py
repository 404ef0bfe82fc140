"""The functions a formula may call: R's names and numpy's, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import DataError, FormulaError, nearest
from .factors import Factor, as_factor, level_text, logical, with_none


@dataclass(frozen=True)
class Columns:
    """A matrix-valued result: `values` (n, k) and one label per column."""

    values: np.ndarray
    labels: tuple[str, ...]


def _log(x: Any, base: float = np.e) -> Any:
    return np.log(x) if base == np.e else np.log(x) / np.log(base)


def _round(x: Any, digits: float = 0) -> Any:
    return np.round(x, int(digits))


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    def among(*values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = function(result, value)
        return result

    return among


def _one(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A NumPy function of one argument, so that a formula cannot reach its `out=` and `where=`."""
    return lambda x: function(x)


NUMERIC: dict[str, Callable[..., Any]] = {
    "exp": _one(np.exp),
    "expm1": _one(np.expm1),
    "sqrt": _one(np.sqrt),
    "log": _log,
    "log2": _one(np.log2),
    "log10": _one(np.log10),
    "log1p": _one(np.log1p),
    "abs": _one(np.abs),
    "sign": _one(np.sign),
    "sin": _one(np.sin),
    "cos": _one(np.cos),
    "tan": _one(np.tan),
    "floor": _one(np.floor),
    "ceiling": _one(np.ceil),
    "ceil": _one(np.ceil),
    "round": _round,
    "pmin": _extreme(np.minimum),
    "pmax": _extreme(np.maximum),
    "minimum": _extreme(np.minimum),
    "maximum": _extreme(np.maximum),
}


def factor(x: Any, levels: Any = None, labels: Any = None, ordered: Any = None) -> Factor:
    """R's ``factor``: values outside `levels` become missing, `labels` rename them in order."""
    made = as_factor(x)
    if levels is not None:
        made = _restricted(made, np.atleast_1d(np.asarray(levels, dtype=object)).tolist())
    if labels is not None:
        names = np.atleast_1d(np.asarray(labels, dtype=object))
        if len(names) != made.known:
            raise FormulaError(f"factor() has {made.known} levels but {len(names)} labels.")
        made = replace(made, levels=np.append(names, made.levels[made.known :].astype(object)))
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
        raise DataError(f"as.numeric() of a level that training did not have: {x.levels[x.known]!r}.")
    if not x.text:
        return np.where(x.codes < 0, np.nan, x.codes + (0.0 if x.logical else 1.0))
    try:
        return np.append(x.levels.astype(float), np.nan)[x.codes]
    except ValueError as problem:
        raise DataError(f"as.numeric(): not every value is a number ({problem}).") from None


def relevel(x: Any, ref: Any) -> Factor:
    """The same factor with `ref` as its first level."""
    made = as_factor(x)
    texts = [level_text(v) for v in made.levels.tolist()]
    if level_text(ref) not in texts:
        raise DataError(f"relevel(): no level {ref!r}. {nearest(str(ref), texts, 'Levels')}")
    first = texts.index(level_text(ref))
    order = np.array([first, *(i for i in range(len(texts)) if i != first)])
    position = np.append(np.argsort(order), -1).astype(np.int32)
    return replace(made, codes=position[made.codes], levels=made.levels[order], text=False, logical=False)


def interaction(*factors: Any, sep: str = ".") -> Factor:
    """All combinations of levels, the first factor varying fastest, as R orders them."""
    made = [as_factor(f) for f in factors]
    codes, names = np.zeros(len(made[0]), dtype=np.int64), [""]
    stride = 1
    for position, part in enumerate(made):
        codes = np.where((codes < 0) | (part.codes < 0), -1, codes + stride * part.codes.astype(np.int64))
        stride *= len(part.levels)
        gap = sep if position else ""
        names = [name + gap + level_text(level) for level in part.levels.tolist() for name in names]
    return Factor(codes.astype(np.int32), np.array(names, dtype=object))


def dummy(x: Any, *levels: Any) -> Columns:
    """lme4's ``dummy``: 0/1 columns of the levels named, without names of all but the first."""
    made = as_factor(x)
    texts = [level_text(v) for v in made.levels[: made.known].tolist()]
    wanted = [level_text(v) for v in (levels or texts[1:])]
    unknown = [name for name in wanted if name not in texts]
    if unknown:
        raise DataError(f"dummy(): no level {unknown[0]!r}. {nearest(unknown[0], texts, 'Levels')}")
    values = np.array([made.codes == texts.index(name) for name in wanted], dtype=float).T
    values[made.codes < 0] = np.nan
    return Columns(values, tuple(wanted))


def ifelse(test: Any, yes: Any, no: Any) -> Any:
    """Row by row `yes` where the test holds, else `no`: numbers, or text that becomes a factor."""
    if isinstance(test, Factor) and not test.logical:
        raise DataError('ifelse(): the test must be true or false for each row, such as f == "a".')
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
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        spread = high - low or abs(low)
        points = np.linspace(low, high, int(points[0]) + 1)
        points[[0, -1]] = low - spread / 1000, high + spread / 1000
    points = np.sort(points)
    names = _interval_labels(points, bool(include_lowest), bool(right), int(dig_lab)) if labels is None else labels
    names = [level_text(name) for name in np.atleast_1d(np.asarray(names, dtype=object))]
    if len(names) != len(points) - 1:
        raise FormulaError(f"cut() makes {len(points) - 1} intervals but has {len(names)} labels.")
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
        if all(a != b for a, b in zip(shown, shown[1:], strict=False)):
            break
    left, close = ("(", "]") if right else ("[", ")")
    names = [f"{left}{a},{b}{close}" for a, b in zip(shown, shown[1:], strict=False)]
    if lowest and right:
        names[0] = "[" + names[0][1:]
    elif lowest:
        names[-1] = names[-1][:-1] + "]"
    return names


def _as_r(value: float, precision: int) -> str:
    return " Inf" if value == np.inf else f"{value:.{precision}g}".replace("inf", "Inf")


def _restricted(made: Factor, wanted: list[Any]) -> Factor:
    texts = [level_text(level) for level in wanted]
    position = [texts.index(level_text(v)) if level_text(v) in texts else -1 for v in made.levels.tolist()]
    codes = np.append(np.array(position, dtype=np.int32), np.int32(-1))[made.codes]
    return Factor(codes, np.array(wanted, dtype=object), made.ordered)


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
    "relevel": relevel,
    "interaction": interaction,
    "dummy": dummy,
    "ifelse": ifelse,
    "where": ifelse,
}
