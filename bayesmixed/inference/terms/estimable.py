"""Which functions of the coefficients say something of one term alone: SAS's estimable functions of type III.

With every level in a column of its own, E[y] = D gamma has more parameters than can be estimated; a function l'gamma is
estimable where l is a combination of rows of D. On the orthonormal basis of the model, D = Q G, these are l = G'c, one
for each c: a function of the model's coefficients whatever its contrasts. Type III of a term takes those that involve
it and what contains it, no other term, and that are orthogonal to all that only involve what contains it (Goodnight
1978, SAS Technical Report R-101; SAS/STAT User's Guide, "The Four Types of Estimable Functions").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...design.columns.rank import independent
from .indicators import FixedTerm

RANK = 1e-7  # of a column's length about its mean, as the rank of a design is decided


def type_three(term: FixedTerm, others: Sequence[FixedTerm], containing: Sequence[FixedTerm]) -> np.ndarray:
    """Rows c (m, p) of the hypothesis of type III; `others` are the terms that neither are nor contain `term`.

    Rows are scaled as in treatment contrasts: each is one of the term's columns against those of the first levels.
    """
    p = len(term.columns)
    N = _vanishing(_units(others, p))
    A = N.T @ term.columns
    if containing:
        Y = _vanishing(N.T @ term.units)
        B = N.T @ np.concatenate([other.columns for other in containing], axis=1)
        size = N.shape[1] - Y.shape[1]
        inner = np.linalg.svd(Y.T @ B @ B.T)[2]  # its null space: orthogonal to those that only involve `containing`
        N = N @ inner[N.shape[1] - size :].T
        A = N.T @ term.columns
    return _as_treatment(N, A, term)


def sequential(term: FixedTerm, before: Sequence[FixedTerm]) -> np.ndarray:
    """Rows c (m, p) of what `term` explains beyond the terms `before`: (1 - P) D_term, P the projection on theirs.

    Each column after those before it, scaled to a coefficient of 1 of its own: rows of the Cholesky factor of D'D.
    """
    p = len(term.columns)
    span = _span(_units(before, p))
    rows: list[np.ndarray] = []
    for j in _order(term):
        column = term.units[:, j]
        for _ in range(2):  # one pass leaves rounding of the whole, two of the rest
            column = column - span @ (span.T @ column)
        left = np.linalg.norm(column)
        if left > RANK and span.shape[1] < p:
            unit = column / left
            span = np.column_stack([span, unit])
            rows.append(unit / (left * term.length[j] * term.scale[j]))
    return np.array(rows).reshape(len(rows), p)


def _order(term: FixedTerm) -> np.ndarray:
    """The columns, those of first levels last: treatment contrasts where others span these."""
    return np.argsort(term.leading, kind="stable")


def _as_treatment(N: np.ndarray, A: np.ndarray, term: FixedTerm) -> np.ndarray:
    """The functions spanned by N's columns, with values A (m, q) in the term's columns, one row for a column each."""
    if not A.shape[0]:
        return N.T
    order = _order(term)
    chosen = order[independent(A[:, order] / term.length[order], None)]
    rows: np.ndarray = np.linalg.solve(A[:, chosen], N.T) if len(chosen) == len(A) else N.T
    return rows / term.scale[chosen, None] if len(chosen) == len(A) else rows


def _units(terms: Sequence[FixedTerm], p: int) -> np.ndarray:
    """The unit columns (p, q) of some terms, the constant among them where the model has one."""
    return np.concatenate([np.empty((p, 0)), *(term.units for term in terms)], axis=1)


def _span(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis (p, r) of columns (p, q)."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, sizes > RANK * max(1.0, sizes.max(initial=0.0))]


def _vanishing(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis (p, r) of the c with c'columns = 0."""
    if not columns.shape[1]:
        return np.eye(len(columns))
    left, sizes, _ = np.linalg.svd(columns)
    return left[:, int(np.sum(sizes > RANK * max(1.0, sizes.max(initial=0.0)))) :]
