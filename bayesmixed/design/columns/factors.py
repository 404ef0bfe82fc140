"""Which values are categorical: integer codes with the data's own values as levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import DataError, nearest

MISSING = -1


@dataclass(frozen=True)
class Contrast:
    """The columns of a factor: `matrix` (levels, k), our labels (inside brackets) and R's suffixes."""

    matrix: np.ndarray
    labels: tuple[str, ...]
    r_labels: tuple[str, ...]


@dataclass(frozen=True)
class Factor:
    """A categorical variable: `codes` (n,) int32 into `levels`, -1 where the value is missing.

    On new data `levels` starts with the `known` levels of the training data; values that training
    never had follow them. `contrast` is what ``C(f, ...)`` asked for; `logical` marks a bool, `text`
    strings (which R turns into numbers by their text, a factor by its codes).
    """

    codes: np.ndarray
    levels: np.ndarray
    ordered: bool = False
    known: int = -1
    contrast: Contrast | None = None
    logical: bool = False
    text: bool = False

    def __post_init__(self) -> None:
        if self.known < 0:
            object.__setattr__(self, "known", len(self.levels))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def values(self) -> np.ndarray:
        """The level of each row as an object array, None where missing."""
        return with_none(self.levels)[self.codes]


def as_factor(values: Any, where: str = "a column") -> Factor:
    """Anything one-dimensional -> Factor: categories keep their order, everything else is sorted."""
    if isinstance(values, Factor):
        return values
    if isinstance(values, tuple) or np.ndim(values) != 1:
        what = "has several columns" if np.ndim(values) > 1 else "is a constant"
        raise DataError(f"{where} {what}, and one value per row is needed.", topic="one-number-per-row")
    if isinstance(values, pd.Series):
        values = values.array
    if isinstance(values, pd.Categorical):
        codes = np.asarray(values.codes, dtype=np.int32)
        return Factor(codes, values.categories.to_numpy(), bool(values.ordered))
    if getattr(values, "dtype", None) == np.bool_:
        return logical(np.asarray(values))
    codes, levels = _sorted(_hashable(values, where), where)
    levels = _level_array(levels)
    return Factor(codes.astype(np.int32), levels, text=bool(len(levels)) and isinstance(levels[0], str))


def logical(values: np.ndarray) -> Factor:
    """A bool array as the two-level factor that R makes of it."""
    return Factor(np.atleast_1d(values).astype(np.int32), np.array([False, True]), logical=True)


def with_none(levels: Any) -> np.ndarray:
    """Levels as objects, with None at the end, where code -1 finds it."""
    return np.array([*np.asarray(levels, dtype=object).tolist(), None], dtype=object)


def drop_unused(factor: Factor) -> Factor:
    """The same factor without the levels that no row has (a bool keeps both)."""
    if factor.logical:
        return factor
    used = np.bincount(factor.codes[factor.codes >= 0], minlength=len(factor.levels)) > 0
    if used.all():
        return factor
    position = np.append(np.cumsum(used) - 1, MISSING).astype(np.int32)
    return replace(factor, codes=position[factor.codes], levels=factor.levels[used], known=-1)


def recode(factor: Factor, levels: np.ndarray, *, ordered: bool = False, logical: bool = False) -> Factor:
    """The same values coded by the training `levels`; values that are not among them come after.

    Values of another type are matched by their text, so that 308 read as a number finds "308".
    """
    found = pd.Index(levels).get_indexer(pd.Index(factor.levels)) if len(levels) else np.array([], dtype=int)
    extra: list[Any] = []
    if len(found) and found.min() < 0:
        found, values = found.copy(), factor.levels.tolist()
        text = {level_text(value): i for i, value in enumerate(levels.tolist())}
        for i in np.flatnonzero(found < 0):
            value = values[i]
            found[i] = text.get(level_text(value), len(levels) + len(extra))
            extra += [value] if found[i] == len(levels) + len(extra) else []
    position = np.append(found, MISSING).astype(np.int32)
    every = levels if not extra else np.array([*levels.tolist(), *extra], dtype=object)
    return replace(
        factor, codes=position[factor.codes], levels=every, known=len(levels), ordered=ordered, logical=logical
    )


def place_of(level: Any, texts: Sequence[str], where: str) -> int:
    """Position of a reference level, given as its text or, as in R, as its place counted from 1.

    Raises
    ------
    DataError
        No such level; or a number that is the place of one level and the name of another.
    """
    name = level_text(level)
    named = texts.index(name) if name in texts else None
    number = isinstance(level, float | int) and not isinstance(level, bool) and float(level).is_integer()
    placed = int(level) - 1 if number and 1 <= level <= len(texts) else None
    if named is not None and placed is not None and named != placed:
        raise DataError(
            f"{where}: {name} is the name of one level and the place of another ({texts[placed]}); "
            f'write "{name}" or "{texts[placed]}".',
            topic="no-such-level",
        )
    if named is None and placed is None:
        raise DataError(f"{where}: no level {name!r}. {nearest(name, texts, 'Levels')}", topic="no-such-level")
    return placed if named is None else named  # type: ignore[return-value]


def level_text(value: Any) -> str:
    """A level as it appears inside a coefficient name."""
    if isinstance(value, str):
        return value
    if isinstance(value, float | np.floating):
        return f"{value:.15g}"
    if isinstance(value, np.datetime64 | pd.Timestamp):
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return str(value)


def r_level_text(value: Any) -> str:
    """A level as R prints it: its logicals are upper case."""
    return level_text(value).upper() if isinstance(value, bool | np.bool_) else level_text(value)


def _hashable(values: Any, where: str) -> Any:
    """What `pd.factorize` can hash and sort; None and NaN stay missing."""
    if isinstance(values, np.ndarray | pd.api.extensions.ExtensionArray) and values.dtype.kind != "O":
        return values
    array = np.asarray(values, dtype=object)
    kinds = {type(v) for v in array.tolist() if not _is_missing(v)}
    if len(kinds) > 1 and str in kinds:
        shown = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(
            f"{where} mixes values of different types ({shown}); make them all text or all numbers.",
            topic="column-type",
        )
    return array


def _sorted(values: Any, where: str) -> tuple[np.ndarray, Any]:
    """Codes and sorted levels."""
    try:
        return pd.factorize(values, sort=True)
    except TypeError:
        kinds = sorted({type(v).__name__ for v in np.asarray(values, dtype=object).tolist() if not _is_missing(v)})
        raise DataError(
            f"{where} holds values that have no order as levels ({', '.join(kinds)}): make them text, as with "
            ".astype(str), or an ordered categorical.",
            topic="column-type",
        ) from None


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)


def _level_array(levels: Any) -> np.ndarray:
    """Levels as NumPy values: numbers and times keep their type, the rest are objects."""
    array = levels.to_numpy() if isinstance(levels, pd.Index) else np.asarray(levels)
    return array if array.dtype.kind in "iufbM" else array.astype(object)
