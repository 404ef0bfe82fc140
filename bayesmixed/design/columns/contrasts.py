"""Contrast matrices: which columns a factor becomes, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import DataError, FormulaError, nearest
from .factors import Contrast, level_text, place_of, r_level_text


def contrast(spec: Any, levels: np.ndarray, *, where: str) -> Contrast:
    """The contrast a user asked for: a name, a matrix, a table, or a function made by ``Treatment("b")``.

    Parameters
    ----------
    spec : str, pair, array (levels, k), DataFrame or Contrast-making function
        "treatment", "sum", "helmert", "poly", R's ``contr.sum`` spellings; ("treatment", level) with another level
        than the first as reference; a DataFrame's columns name the coefficients and its index, if it holds the levels,
        decides the order of its rows.
    levels : array
        The factor's levels.
    where : str
        The factor's name, for messages.

    Raises
    ------
    DataError
        A name that does not exist or a matrix of the wrong shape.
    """
    if isinstance(spec, str):
        return _named(spec, where)(levels)
    if is_reference(spec):
        return _against(spec, levels, where)
    if callable(spec):
        return spec(levels)
    if isinstance(spec, pd.DataFrame):
        return _table(spec, levels, where)
    try:
        matrix = np.asarray(spec, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"the contrasts of {where} are not a matrix of numbers: {spec!r}.", topic="contrasts") from None
    return _checked(matrix, _numbered(matrix.shape[-1] if matrix.ndim else 0), levels, where)


def is_reference(spec: Any) -> bool:
    """Whether a contrast is a pair of a name and a reference level: ("treatment", "b")."""
    return isinstance(spec, tuple | list) and len(spec) == 2 and isinstance(spec[0], str) and np.ndim(spec[1]) == 0


def _against(spec: Sequence[Any], levels: np.ndarray, where: str) -> Contrast:
    name, level = spec
    if _named(name, where) is not treatment:
        raise DataError(
            f'the contrast {name!r} of {where} has no reference level: write "{name}" alone.', topic="contrasts"
        )
    texts = [level_text(each) for each in levels.tolist()]
    if level_text(level) not in texts:
        raise DataError(
            f"the contrasts of {where}: no level {level!r}. {nearest(level_text(level), texts, 'Levels')}",
            topic="contrasts",
        )
    return treatment(levels, texts.index(level_text(level)))


def indicators(levels: np.ndarray) -> Contrast:
    """Full dummy coding: one column per level."""
    return Contrast(np.eye(len(levels)), *_level_labels(levels))


def treatment(levels: np.ndarray, base: int = 0) -> Contrast:
    """Each level but the reference `base` (position) has its own column."""
    keep = [i for i in range(len(levels)) if i != base]
    matrix = np.zeros((len(levels), len(keep)))
    matrix[keep, np.arange(len(keep))] = 1.0
    return Contrast(matrix, *_level_labels(levels[keep]))


def last_treatment(levels: np.ndarray) -> Contrast:
    """Treatment contrasts with the last level as reference (R's ``contr.SAS``)."""
    return treatment(levels, len(levels) - 1)


def sum_to_zero(levels: np.ndarray) -> Contrast:
    """Deviations from the mean of all levels; the last level is minus the sum of the others."""
    matrix = np.vstack([np.eye(len(levels) - 1), -np.ones(len(levels) - 1)])
    return Contrast(matrix, _level_labels(levels[:-1])[0], _numbered(len(levels) - 1))


def helmert(levels: np.ndarray) -> Contrast:
    """Level i + 1 against the mean of levels 1..i, in R's unnormalised form."""
    k = len(levels) - 1
    matrix = np.vstack([-np.ones(k), np.diag(np.arange(1.0, k + 1))])
    matrix[1:] -= np.triu(np.ones((k, k)), 1)
    return Contrast(matrix, _level_labels(levels[1:])[0], _numbered(k))


def polynomial(levels: np.ndarray) -> Contrast:
    """Orthonormal polynomials in the positions of the levels."""
    n = len(levels)
    if n > 95:
        raise DataError(
            f"polynomial contrasts of {n} levels cannot be represented accurately; use a numeric column.",
            topic="contrasts",
        )
    scores = np.arange(n) - (n - 1) / 2
    Q, R = np.linalg.qr(np.vander(scores, n, increasing=True))
    labels = (".L", ".Q", ".C", *(f"^{power}" for power in range(4, n)))[: n - 1]
    return Contrast((Q * np.sign(np.diag(R)))[:, 1:], labels, labels)


NAMED: dict[str, Callable[[np.ndarray], Contrast]] = {
    "treatment": treatment,
    "sum": sum_to_zero,
    "helmert": helmert,
    "poly": polynomial,
    "sas": last_treatment,
}


def maker(
    name: str, n: Any = None, base: Any = None, *, reference: Any = None, numbered: bool = False
) -> Callable[[np.ndarray], Contrast]:
    """What ``contr.treatment(3, base = 2)`` and ``Treatment("b")`` inside a formula stand for.

    R's functions start with `n`, the number of levels; `base` is a place counted from 1 or a level.
    Those in capitals (``Treatment``) start with the reference, always a level. `numbered` gives R's names numbers.
    """
    make, of_r = _named(name, "C()"), name.startswith("contr.") or not name[:1].isupper()
    if not of_r and n is not None:
        n, reference = None, n
    base = reference if base is None else base
    if base is not None and make is not treatment:
        raise FormulaError(
            f"{name} takes no reference level: write C(f, contr.treatment, base = ...).", topic="contrasts"
        )

    def coded(levels: np.ndarray) -> Contrast:
        _check_count(name, n, levels)
        made = make(levels) if base is None else treatment(levels, _reference(base, levels, name, of_r))
        if not (numbered and make in (treatment, last_treatment)):
            return made
        return replace(made, r_labels=tuple(str(i + 1) for i in range(len(levels)) if made.matrix[i].any()))

    return coded


def first_columns(made: Contrast, how_many: Any, where: str) -> Contrast:
    """The first columns of a contrast: ``C(o, poly, 2)`` keeps the linear and the quadratic one.

    Raises
    ------
    FormulaError
        Not a number from 1 to the number of columns.
    """
    columns = made.matrix.shape[1]
    if not (isinstance(how_many, float | int) and float(how_many).is_integer() and 1 <= how_many <= columns):
        raise FormulaError(
            f"{where}: how.many must be a number from 1 to {columns}, not {how_many!r}.", topic="contrasts"
        )
    k = int(how_many)
    return Contrast(made.matrix[:, :k], made.labels[:k], made.r_labels[:k])


def _reference(base: Any, levels: np.ndarray, name: str, of_r: bool) -> int:
    texts = [level_text(level) for level in levels.tolist()]
    if not of_r and level_text(base) not in texts:  # a number counts from 1 in R, from 0 elsewhere
        raise DataError(
            f"{name}(): no level {level_text(base)!r}. {nearest(level_text(base), texts, 'Levels')}", topic="contrasts"
        )
    return texts.index(level_text(base)) if not of_r else place_of(base, texts, name)


def _check_count(name: str, n: Any, levels: np.ndarray) -> None:
    count = len(n) if isinstance(n, tuple) else n
    if n is not None and count != len(levels):
        raise FormulaError(
            f"{name}({n:g}) is made for {n:g} levels, the factor has {len(levels)}: write {name} alone."
            if isinstance(n, float | int)
            else f"{name}() starts with the number of levels, {len(levels)} here: write {name} alone.",
            topic="contrasts",
        )


def _named(name: str, where: str) -> Callable[[np.ndarray], Contrast]:
    short = name.lower().removeprefix("contr.").removeprefix("contr_")
    if short not in NAMED:
        advice = nearest(short, NAMED, "Known contrasts")
        raise DataError(f"unknown contrast {name!r} for {where}. {advice}", topic="contrasts")
    return NAMED[short]


def _table(spec: pd.DataFrame, levels: np.ndarray, where: str) -> Contrast:
    labels = tuple(str(column) for column in spec.columns)
    rows = [level_text(row) for row in spec.index]
    texts = [level_text(level) for level in levels.tolist()]
    matrix = spec.to_numpy(dtype=float)
    if sorted(rows) == sorted(texts):
        matrix = matrix[[rows.index(text) for text in texts]]
    elif not isinstance(spec.index, pd.RangeIndex):
        raise DataError(
            f"the contrasts of {where} have rows {', '.join(rows)}, but its levels are {', '.join(texts)}: "
            "name the rows by the levels.",
            topic="contrasts",
        )
    return _checked(matrix, labels, levels, where)


def _checked(matrix: np.ndarray, labels: tuple[str, ...], levels: np.ndarray, where: str) -> Contrast:
    L = len(levels)
    if matrix.ndim != 2 or len(matrix) != L or not 1 <= matrix.shape[1] < L:
        raise DataError(
            f"the contrasts of {where} have shape {matrix.shape}, but it has {L} levels: "
            f"give one row per level and 1 to {L - 1} columns.",
            topic="contrasts",
        )
    if np.linalg.matrix_rank(np.column_stack([np.ones(L), matrix])) < matrix.shape[1] + 1:
        raise DataError(
            f"the contrasts of {where} are linearly dependent, among themselves or on the intercept.", topic="contrasts"
        )
    return Contrast(matrix, labels, labels)


def _level_labels(levels: Sequence[Any] | np.ndarray) -> tuple[tuple[str, ...], tuple[str, ...]]:
    values = np.asarray(levels).tolist()
    return tuple(map(level_text, values)), tuple(map(r_level_text, values))


def _numbered(k: int) -> tuple[str, ...]:
    return tuple(str(i + 1) for i in range(k))
