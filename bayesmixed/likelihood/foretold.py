"""Are the responses foretold without error once every level of the grouping factors has effects of its own?

Then the likelihood rises, or does not fall, as coefficients and sds grow together: nothing but the noise of single
rows holds an sd down, and there is none. The question is the linear program of separation (Konis 2007, Linear
programming algorithms for detecting separated data in binary logistic regression models, Oxford) with the effects of
all levels beside the coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ..design.design import Design
from ..families import Family, observed

TOLERANCE = 1e-7  # of a linear predictor of unit columns: HiGHS's feasibility tolerance
LARGEST = 2_000_000  # elements of the linear program beyond which it is not tried
SAME_SPACE = 1e-10  # relative singular value below which a direction is none


@dataclass(frozen=True)
class Foretold:
    """A direction of the coefficients and the effects' columns that grow with it.

    `direction` (p,) of the coefficients, in units of columns of largest element 1, zero where the effects suffice;
    `columns` per group term, which of its columns (k,) bool can grow: in those no row has a response that holds an
    effect where it is. `still` (p, p) projects coefficients on those that move no such row.
    """

    direction: np.ndarray
    columns: tuple[np.ndarray, ...]
    still: np.ndarray


def signs(design: Design, family: Family, rows: np.ndarray) -> np.ndarray | None:
    """Which way (n,) of the linear predictor a row's likelihood never ends to rise: 1, -1, 0 for none.

    None for a family whose likelihood falls both ways.
    """
    y, _, trials = observed(design, rows)
    if family.binary:
        return np.where(y == (1.0 if trials is None else trials), 1.0, np.where(y == 0, -1.0, 0.0))
    if family.discrete and family.link.multiplicative:
        return np.where(y == 0, -1.0, 0.0)
    return None


def foretold(
    design: Design, family: Family, fixed: Sequence[int] | None = None, terms: Sequence[int] | None = None
) -> Foretold | None:
    """The direction in which every row that effects can move is foretold without error; None where there is none.

    Parameters
    ----------
    fixed
        Columns of the coefficients to use; all if None.
    terms
        Group terms whose effects to use; all if None.
    """
    rows = np.flatnonzero(design.used)
    sign = signs(design, family, rows)
    if sign is None or not design.mu.groups or not np.any(sign):
        return None
    growing = _growing(design, sign == 0, rows, terms)
    if not any(np.any(each) for each in growing):
        return None
    X = design.mu.X[rows][:, np.arange(design.mu.X.shape[1]) if fixed is None else np.asarray(fixed, dtype=int)]
    Z, moved = _effects(design, growing, rows)
    if not np.any(moved & (sign != 0)) or X.size + Z.nnz > LARGEST:
        return None
    scale = np.max(np.abs(X), axis=0, initial=0.0)
    scale[scale == 0] = 1.0
    asked = ~_settled(design, growing, rows, sign)
    if np.any(asked & moved):
        found = _widest((X / scale)[asked], Z[asked], sign[asked], moved[asked])
    else:
        found = np.zeros(X.shape[1])
    if found is None:
        return None
    direction = np.zeros(design.mu.X.shape[1])
    direction[np.arange(len(direction)) if fixed is None else list(fixed)] = found
    return Foretold(direction, growing, _projection(design.mu.X[rows][sign == 0]))


def independent(rows: np.ndarray) -> np.ndarray:
    """Rows (r, p) that span the same space as these: x'beta = 0 is asked once per dimension."""
    if not rows.size:
        return rows[:0]
    _, values, directions = np.linalg.svd(rows, full_matrices=False)
    return directions[values > SAME_SPACE * values[0]] if values[0] > 0 else rows[:0]


def _growing(
    design: Design, pinned: np.ndarray, rows: np.ndarray, terms: Sequence[int] | None
) -> tuple[np.ndarray, ...]:
    """Per term, the columns (k,) in which no row holds an effect where it is."""
    return tuple(
        ~np.any(term.Z[rows][pinned] != 0, axis=0) & (terms is None or j in terms)
        for j, term in enumerate(design.mu.groups)
    )


def _settled(design: Design, growing: Sequence[np.ndarray], rows: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Rows (n,) of levels with one response throughout that have an intercept of their own: it alone foretells them."""
    found = np.zeros(len(rows), dtype=bool)
    for term, chosen in zip(design.mu.groups, growing, strict=True):
        Z = term.Z[rows][:, chosen]
        if not np.any(np.all(Z == 1, axis=0)):
            continue
        codes = term.codes[rows]
        sums, counts = np.bincount(codes, sign, term.n_levels), np.bincount(codes, minlength=term.n_levels)
        found |= (np.abs(sums) == counts)[codes]
    return found


def _effects(design: Design, growing: Sequence[np.ndarray], rows: np.ndarray) -> tuple[sparse.csr_array, np.ndarray]:
    """Z (n, q) of the growing columns, each of largest element 1, and which rows (n,) it moves."""
    parts, moved, index = [], np.zeros(len(rows), dtype=bool), np.arange(len(rows))
    for term, chosen in zip(design.mu.groups, growing, strict=True):
        for z in term.Z[rows][:, chosen].T:
            values = z / max(float(np.max(np.abs(z))), 1e-300)
            moved |= values != 0
            parts.append(sparse.csr_array((values, (index, term.codes[rows])), shape=(len(rows), term.n_levels)))
    return sparse.csr_array(sparse.hstack(parts)), moved


def _widest(X: np.ndarray, Z: sparse.csr_array, sign: np.ndarray, moved: np.ndarray) -> np.ndarray | None:
    """The beta (p,) of the widest margin m: s (x'beta + z'b) >= m in rows moved, >= 0 in others, = 0 if pinned."""
    p, q = X.shape[1], Z.shape[1]
    free = sign != 0
    margin = np.where(moved[free], 1.0, 0.0)[:, None]
    signed = sparse.diags_array(-sign[free]) @ sparse.hstack([sparse.csr_array(X), Z], format="csr")[free]
    pinned = independent(X[~free])
    objective = np.append(np.zeros(p + q), -1.0)
    result = linprog(
        objective,
        A_ub=sparse.hstack([signed, sparse.csr_array(margin)], format="csr"),
        b_ub=np.zeros(int(free.sum())),
        A_eq=np.column_stack([pinned, np.zeros((len(pinned), q + 1))]) if len(pinned) else None,
        b_eq=np.zeros(len(pinned)) if len(pinned) else None,
        bounds=[*[(-1.0, 1.0)] * (p + q), (0.0, None)],
        method="highs",
    )
    if result.x is None or not result.x[-1] > TOLERANCE:
        return None
    return np.where(np.abs(result.x[:p]) > 10 * TOLERANCE, result.x[:p], 0.0)


def _projection(pinned: np.ndarray) -> np.ndarray:
    """Onto the coefficients (p, p) that move no pinned row."""
    span = independent(pinned)
    return np.eye(pinned.shape[1]) - span.T @ span
