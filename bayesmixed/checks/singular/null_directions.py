"""Along which directions do the levels of a grouping factor not vary at all?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr

from ...design.design import GroupTerm
from ...fits.point import PointFit
from ...fits.status import SINGULAR
from ...likelihood.at import effects_unit
from ...priors.default import column_spreads

ROUNDING = 1e-3  # of a unit column: what a smaller coefficient contributes to another column's effect is none
INTERCEPT = 0.3  # how much less an intercept is wanted as the column that others determine
PERFECT = 1 - 1e-6  # a correlation that is one up to rounding


@dataclass(frozen=True)
class NullDirection:
    """A column whose effects the other columns' effects determine: b[column] = `weights` b.

    `term` is the position of the bar, `column` that of the column in it; `weights` (k,) in the units of the columns,
    zero at `column` itself; all of them zero where the column's sd is zero.
    """

    term: int
    column: int
    weights: np.ndarray

    @property
    def is_zero(self) -> bool:
        """Whether the column itself does not vary."""
        return not np.any(self.weights)


def null_directions(fit: PointFit) -> list[NullDirection]:
    """The directions of every bar in which the relative covariance is zero, each with a column of its own.

    By principal components of the covariance of unit columns, so that units do not matter.
    """
    pairs, unit = zip(fit.model.design.groups, fit.factors, strict=True), effects_unit(fit.model)
    return [found for j, (term, factor) in enumerate(pairs) for found in _of_term(j, term, factor / unit)]


def _of_term(j: int, term: GroupTerm, factor: np.ndarray) -> list[NullDirection]:
    spreads = column_spreads(term.Z)
    left, values, _ = np.linalg.svd(factor * spreads[:, None])
    null = left[:, values < SINGULAR].T
    if not len(null):
        return []
    # the columns that the null space determines best; slopes are told from the intercept rather than it from them
    preference = np.where([name == "Intercept" for name in term.columns], INTERCEPT, 1.0)
    _, _, order = qr(null * preference, pivoting=True, mode="economic")
    dependent, rest = np.sort(order[: len(null)]), np.sort(order[len(null) :])
    solved = -np.linalg.solve(null[:, dependent], null[:, rest])
    solved[np.abs(solved) < ROUNDING] = 0.0
    found = []
    for column, row in zip(dependent, solved, strict=True):
        weights = np.zeros(len(spreads))
        weights[rest] = row * spreads[rest] / spreads[column]
        found.append(NullDirection(j, int(column), weights))
    return found


def perfect_pairs(fit: PointFit, term: int) -> list[tuple[int, int, int]]:
    """Pairs (earlier, later, sign) of columns of one bar whose correlation is +-1."""
    corr = fit.parameters.corrs[term]
    if corr is None:
        return []
    values = np.nan_to_num(corr[0, 0])
    k = len(values)
    return [(i, j, int(np.sign(values[i, j]))) for j in range(k) for i in range(j) if abs(values[i, j]) >= PERFECT]
