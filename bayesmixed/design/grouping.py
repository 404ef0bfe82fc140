"""Integer codes of grouping factors: observed levels and combinations only, in R's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, nearest
from .columns.factors import Factor, as_factor, drop_unused, level_text, recode

UNSEEN = -2
_REMEDY = (
    "Pass new_levels='population' (no effect) or new_levels='sample' (an effect drawn for each); simulate draws new "
    "effects with re='new'."
)


@dataclass(frozen=True)
class Grouping:
    """A grouping factor as training saw it.

    `parts` are the levels of each atom; `cells` (m, number of atoms) int the observed combinations,
    the first atom varying slowest; `levels` (m,) what users see: values of the data, or "A1:B1".
    """

    name: str
    parts: tuple[np.ndarray, ...]
    cells: np.ndarray
    levels: np.ndarray


def learn(name: str, values: Sequence[Any], rows: pd.Index) -> tuple[Grouping, np.ndarray]:
    """Levels and int32 codes of the factor whose atoms have these values; `rows` are the labels of the rows.

    Raises
    ------
    DataError
        A factor with a single level: its variance cannot be told from the intercept. A row without a level,
        such as a number outside the breaks of ``cut()``.
    """
    factors = [drop_unused(as_factor(value, f"grouping factor {name}")) for value in values]
    _refuse_missing(name, factors, rows)
    parts = tuple(factor.levels for factor in factors)
    if len(factors) == 1:
        cells, codes, levels = np.arange(len(parts[0]))[:, None], factors[0].codes, parts[0]
    else:
        cells, codes = _combined(np.column_stack([factor.codes for factor in factors]))
        levels = _cell_names(parts, cells)
    if len(levels) < 2:
        found = f"the single level {levels.tolist()[0]!r}" if len(levels) else "no level"
        raise DataError(
            f"grouping factor {name!r} has {found}: a variance between levels needs at "
            "least two. Leave its bar out of the formula.",
            topic="single-level",
        )
    return Grouping(name, parts, cells, levels), codes


def _refuse_missing(name: str, factors: Sequence[Factor], rows: pd.Index) -> None:
    for factor in factors:
        if factor.codes.min(initial=0) < 0:
            row = rows[int(np.argmin(factor.codes))]
            raise DataError(
                f"grouping factor {name!r} has no level in row {row}: widen its levels or breaks, or drop the row.",
                topic="missing-values",
            )


def encode(grouping: Grouping, values: Sequence[Any], unseen: str, rows: pd.Index) -> np.ndarray:
    """Codes of new rows: -1 for a level that training did not have if `unseen` is "population".

    With "sample" new levels are numbered on from the known ones, in order of appearance: each has an effect of its own.
    A row without a label is a row of an unknown level. Nothing says that two of them share one, so that each is a new
    level; so is a row of an interaction that lacks a part.

    Raises
    ------
    DataError
        A level that training did not have, or a missing one, with the rows, unless `unseen` says otherwise.
    """
    factors = [
        recode(as_factor(value, f"grouping factor {grouping.name}"), levels)
        for value, levels in zip(values, grouping.parts, strict=True)
    ]
    parts = np.column_stack([factor.codes for factor in factors])
    missing = np.any(parts < 0, axis=1)
    if len(factors) == 1:
        codes = np.where(factors[0].codes >= factors[0].known, UNSEEN, factors[0].codes)
    else:
        codes = _looked_up(grouping.cells, parts)
    codes = np.where(missing, UNSEEN, codes).astype(np.int32)
    if unseen == "error" and np.any(codes == UNSEEN):
        said = _missing_message if missing[np.argmax(codes == UNSEEN)] else _unseen_message
        raise DataError(said(grouping, factors, codes, missing, rows), topic="grouping-factor")
    if unseen == "sample":
        return _numbered_on(codes, parts, missing, len(grouping.levels))
    return np.maximum(codes, np.int32(-1))


def resolve(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """The grouping factor a user means: its own name, or its atoms in another order ("b:a" for "a:b").

    Raises
    ------
    DataError
        No such grouping factor; the message has the nearest names.
    """
    names = list(known)
    if name in names:
        return name
    for candidate in names:
        if sorted(candidate.split(":")) == sorted(str(name).split(":")):
            return candidate
    raise DataError(
        f"no grouping factor {name!r}. {nearest(str(name), names, 'Grouping factors')}", topic="no-such-group"
    )


def _combined(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Observed rows of `codes` in lexicographic order, and which one each row is.

    One column is joined at a time, so that the keys never exceed rows times levels.
    """
    dense = codes[:, 0].astype(np.int64)
    for j in range(1, codes.shape[1]):
        width = int(codes[:, j].max(initial=0)) + 1
        dense = pd.factorize(dense * width + codes[:, j], sort=True)[0]
    first = np.full(int(dense.max(initial=-1)) + 1, -1)
    first[dense[::-1]] = np.arange(len(dense))[::-1]
    return codes[first], dense.astype(np.int32)


def _looked_up(cells: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Positions in `cells` of the rows of `codes`, `UNSEEN` where there is none."""
    together = np.vstack([cells, np.maximum(codes, 0)])
    dense = _combined(together)[1]
    position = np.full(int(dense.max(initial=0)) + 1, UNSEEN)
    position[dense[: len(cells)]] = np.arange(len(cells))
    return position[dense[len(cells) :]]


def _cell_names(parts: Sequence[np.ndarray], cells: np.ndarray) -> np.ndarray:
    texts = [np.array([level_text(level) for level in levels.tolist()], dtype=object) for levels in parts]
    names = texts[0][cells[:, 0]]
    for j in range(1, len(parts)):
        names = names + ":" + texts[j][cells[:, j]]
    return names


def _numbered_on(codes: np.ndarray, parts: np.ndarray, missing: np.ndarray, known: int) -> np.ndarray:
    new = codes == UNSEEN
    if not new.any():
        return codes
    alone = np.where(missing, np.arange(1, len(codes) + 1), 0)  # the row itself, where no label says which others
    numbered = codes.copy()
    numbered[new] = known + pd.factorize(_combined(np.column_stack([parts + 1, alone])[new])[1])[0]
    return numbered


def _unseen_message(
    grouping: Grouping, factors: list[Factor], codes: np.ndarray, missing: np.ndarray, rows: pd.Index
) -> str:
    where = np.flatnonzero((codes == UNSEEN) & ~missing)
    levels = [factor.levels.tolist()[factor.codes[where[0]]] for factor in factors]
    level = levels[0] if len(levels) == 1 else ":".join(level_text(value) for value in levels)
    return (
        f"grouping factor {grouping.name!r} has no level {level!r} in the training data "
        f"({len(where)} rows with new levels: {_shown(rows[where])}). {_REMEDY}"
    )


def _missing_message(
    grouping: Grouping, factors: list[Factor], codes: np.ndarray, missing: np.ndarray, rows: pd.Index
) -> str:
    where, names = np.flatnonzero(missing), grouping.name.split(":")
    lacking = [name for name, factor in zip(names, factors, strict=False) if factor.codes[where[0]] < 0]
    part = f" (its part {lacking[0]!r})" if len(names) == len(factors) > 1 else ""
    return (
        f"grouping factor {grouping.name!r}{part} has no level in row {rows[where[0]]}: the value is missing or "
        f"outside its levels ({len(where)} such row{'s' * (len(where) > 1)}: {_shown(rows[where])}). {_REMEDY}"
    )


def _shown(rows: pd.Index) -> str:
    return ", ".join(str(row) for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
