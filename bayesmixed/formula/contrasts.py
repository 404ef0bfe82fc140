"""Contrast matrices: which columns a factor becomes, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, FormulaError, nearest
from .factors import level_text, r_level_text


@dataclass(frozen=True)
class Contrast:
    """The columns of a factor: `matrix` (levels, k), our labels (inside brackets) and R's suffixes."""

    matrix: np.ndarray
    labels: tuple[str, ...]
    r_labels: tuple[str, ...]


def contrast(spec: Any, levels: np.ndarray, *, where: str) -> Contrast:
    """The contrast a user asked for: a name, a matrix, a table, or a function made by ``Treatment("b")``.

    Parameters
    ----------
    spec : str, array (levels, k), DataFrame or Contrast-making function
        "treatment", "sum", "helmert", "poly", R's ``contr.sum`` spellings; a DataFrame's columns name
        the coefficients and its index, if it holds the levels, decides the order of its rows.
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
    if callable(spec):
        return spec(levels)
    if isinstance(spec, pd.DataFrame):
        return _table(spec, levels, where)
    matrix = np.asarray(spec, dtype=float)
    labels = tuple(str(i + 1) for i in range(matrix.shape[-1]))
    return _checked(matrix, labels, levels, where)


def indicators(levels: np.ndarray) -> Contrast:
    """Full dummy coding: one column per level."""
    return Contrast(np.eye(len(levels)), *_level_labels(levels))


def treatment(levels: np.ndarray, base: int = 0) -> Contrast:
    """Each level but the reference `base` (position) has its own column."""
    keep = [i for i in range(len(levels)) if i != base]
    return Contrast(np.eye(len(levels))[:, keep], *_level_labels(levels[keep]))


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
        raise DataError(f"polynomial contrasts of {n} levels cannot be represented accurately; use a numeric column.")
    scores = np.arange(n) - (n - 1) / 2
    Q, R = np.linalg.qr(np.vander(scores, n, increasing=True))
    labels = (".L", ".Q", ".C", *(f"^{power}" for power in range(4, n)))[: n - 1]
    return Contrast((Q * np.sign(np.diag(R)))[:, 1:], labels, labels)


NAMED: dict[str, Callable[[np.ndarray], Contrast]] = {
    "treatment": treatment,
    "sum": sum_to_zero,
    "helmert": helmert,
    "poly": polynomial,
}


def maker(name: str, *arguments: Any, base: Any = None, reference: Any = None) -> Callable[[np.ndarray], Contrast]:
    """What ``contr.treatment(base = 2)`` and ``Treatment("b")`` inside a formula stand for.

    `base` is a position counted from 1, as in R, or a level; other contrasts take no arguments.
    """
    make = _named(name, "C()")
    base = reference if base is None else base
    if arguments:
        base = arguments[0]
    if make is not treatment:
        if base is not None:
            raise FormulaError(f"{name} takes no arguments inside C().")
        return make
    numbered = name.startswith("contr.")  # R's function, unlike its default coding, numbers the levels

    def coded(levels: np.ndarray) -> Contrast:
        position = 0 if base is None else _base_position(base, levels)
        made = treatment(levels, position)
        others = tuple(str(i + 1) for i in range(len(levels)) if i != position)
        return replace(made, r_labels=others) if numbered else made

    return coded


def _named(name: str, where: str) -> Callable[[np.ndarray], Contrast]:
    short = name.lower().removeprefix("contr.").removeprefix("contr_")
    if short not in NAMED:
        advice = nearest(short, NAMED, "Known contrasts")
        raise DataError(f"unknown contrast {name!r} for {where}. {advice}")
    return NAMED[short]


def _base_position(base: Any, levels: np.ndarray) -> int:
    texts = [level_text(level) for level in levels.tolist()]
    if isinstance(base, str) or level_text(base) in texts:
        if level_text(base) in texts:
            return texts.index(level_text(base))
    elif 1 <= int(base) <= len(levels):
        return int(base) - 1
    raise DataError(f"no level {base!r} to be the reference. {nearest(str(base), texts, 'Levels')}")


def _table(spec: pd.DataFrame, levels: np.ndarray, where: str) -> Contrast:
    labels = tuple(str(column) for column in spec.columns)
    rows = [level_text(row) for row in spec.index]
    texts = [level_text(level) for level in levels.tolist()]
    matrix = spec.to_numpy(dtype=float)
    if sorted(rows) == sorted(texts):
        matrix = matrix[[rows.index(text) for text in texts]]
    return _checked(matrix, labels, levels, where)


def _checked(matrix: np.ndarray, labels: tuple[str, ...], levels: np.ndarray, where: str) -> Contrast:
    L = len(levels)
    if matrix.ndim != 2 or len(matrix) != L or not 1 <= matrix.shape[1] < L:
        raise DataError(
            f"the contrasts of {where} have shape {matrix.shape}, but it has {L} levels: "
            f"give one row per level and 1 to {L - 1} columns."
        )
    if np.linalg.matrix_rank(np.column_stack([np.ones(L), matrix])) < matrix.shape[1] + 1:
        raise DataError(f"the contrasts of {where} are linearly dependent, among themselves or on the intercept.")
    return Contrast(matrix, labels, labels)


def _level_labels(levels: Sequence[Any] | np.ndarray) -> tuple[tuple[str, ...], tuple[str, ...]]:
    values = np.asarray(levels).tolist()
    return tuple(map(level_text, values)), tuple(map(r_level_text, values))


def _numbered(k: int) -> tuple[str, ...]:
    return tuple(str(i + 1) for i in range(k))
