"""Columns about their means: the basis in which a shift of a variable changes no coefficient.

Counting x from elsewhere adds to a column multiples of the columns that are marginal to it: to x the constant, to x:f
the constant, x and f, to x^2 the constant and x. What is left of each column after those is the same at every origin,
and so are the coefficients of what is left: of f its effect at the mean of x, of x its slope at the mean of x.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_LEVELS = re.compile(r"\[[^\[\]]*\]")  # of f[a] and poly(x, 2)[1]: columns of one term


def triangular(X: np.ndarray, names: Sequence[str], variables: Sequence[tuple[str, ...]]) -> np.ndarray:
    """T (p, p) of unit diagonal with X = R T', R (n, p) what is left of each column after those marginal to it.

    Parameters
    ----------
    X
        Columns (n, p) with a constant among them.
    names, variables
        Of each column: its name, and the columns of the data it is made of (none for the constant).

    Examples
    --------
    >>> x, f = np.arange(4.0) + 100, np.array([0.0, 1.0, 1.0, 0.0])
    >>> X = np.column_stack([np.ones(4), x, f, x * f])
    >>> T = triangular(X, ["Intercept", "x", "f[b]", "x:f[b]"], [(), ("x",), ("f",), ("x", "f")])
    >>> np.round(T[3], 6).tolist()
    [50.75, 0.1, 101.5, 1.0]
    """
    p = X.shape[1]
    made_of, terms = [frozenset(of) for of in variables], [_LEVELS.sub("", name) for name in names]
    R, T = np.array(X, dtype=float), np.eye(p)
    for k in sorted(range(p), key=lambda j: (len(made_of[j]), j)):
        marginal = [j for j in range(p) if _marginal(j, k, made_of, terms)]
        if not marginal:
            continue
        scales = np.linalg.norm(R[:, marginal], axis=0)
        scales = np.where(scales > 0, scales, 1.0)
        basis, left = R[:, marginal] / scales, R[:, k]
        for _ in range(2):  # twice is enough, where a column is far from zero (Kahan)
            step = np.linalg.lstsq(basis, left, rcond=None)[0]
            T[k, marginal] += step / scales
            left = left - basis @ step
        R[:, k] = left
    return T


def left_over(X: np.ndarray, T: np.ndarray) -> np.ndarray:
    """R (n, p) of X = R T'."""
    return np.linalg.solve(T, X.T).T


def _marginal(j: int, k: int, made_of: Sequence[frozenset[str]], terms: Sequence[str]) -> bool:
    """Whether column j is marginal to k: of fewer of its variables, or of the same in an earlier term."""
    if made_of[j] < made_of[k]:
        return True
    return made_of[j] == made_of[k] and j < k and terms[j] != terms[k]


def stated_spreads(X: np.ndarray, T: np.ndarray, names: Sequence[str], plain: np.ndarray) -> np.ndarray:
    """s_x (p,) of the columns that are left over; `plain` (p,) those of the columns themselves.

    A column that is only centred has its own. One with further marginal columns has the sd of what is left of it, a
    variable of two values in it counting by its range, as it does alone: s_x of x:f is s_x of x times 1.
    """
    R, found = left_over(X, T), plain.copy()
    place = {name: j for j, name in enumerate(names)}
    constant = np.ptp(X, axis=0) == 0
    for k in range(len(found)):
        if not np.any((np.abs(T[k]) > 0) & ~constant & (np.arange(len(found)) != k)) or len(R) < 2:
            continue
        spread = float(np.std(R[:, k], ddof=1))
        for part in names[k].split(":"):
            column = X[:, place[part]] if part in place and place[part] != k else R[:0, k]
            if len(column) and len(np.unique(column)) == 2:
                spread *= float(np.ptp(column) / np.std(column, ddof=1))
        if spread > 0:
            found[k] = spread
    return found


def spans_constant(X: np.ndarray) -> np.ndarray:
    """Which columns (p,) bool of a design without intercept together make the constant column, if any do."""
    if X.shape[1] == 0:
        return np.zeros(0, dtype=bool)
    weights, *_ = np.linalg.lstsq(X, np.ones(len(X)), rcond=None)
    # 1e-8: rounding of the solve is near 1e-14, a genuine misfit of 0/1 columns is of order 1.
    if np.max(np.abs(X @ weights - 1.0)) > 1e-8:
        return np.zeros(X.shape[1], dtype=bool)
    return np.abs(weights) * np.abs(X).max(axis=0) > 1e-8
