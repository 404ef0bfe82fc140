"""What does one number per group say of the predictors that vary between groups only?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from ..report.words import listed
from .separate import NUMBERS, least_squares
from .varying_columns import Within

if TYPE_CHECKING:
    from ...model import Model


def group_means(model: Model, of: Within) -> list[dict[str, Any]]:
    """Least squares of the groups' means on the columns that are constant within each: t intervals, groups count once.

    Nothing for a generalized model, whose means are on another scale than its coefficients, or without such a column.
    """
    design, response = model.design, model.design.response
    rows = [own for own in of.rows if len(own)]
    constant = [j for j in range(design.mu.X.shape[1]) if all(np.ptp(design.mu.X[own, j]) == 0 for own in rows)]
    names = [model.coefficients[j] for j in constant]
    if not model.linear or response is None or not set(names) - {"Intercept"} or len(rows) <= len(constant):
        return []
    weights = np.ones(design.n_rows) if design.weights is None else design.weights
    y = model.family.normalised(response.y) - design.mu.offset
    means = np.array([np.average(y[own], weights=weights[own]) for own in rows])
    X = np.array([design.mu.X[own[0], constant] for own in rows])
    estimate, se, df = least_squares(X, means, np.ones(len(rows)))
    half = stdtrit(df, 0.975) * se
    within = [name for j, name in enumerate(model.coefficients) if j not in constant]
    note = f"at each group's own mean of {listed(within)}" if within else ""
    columns = zip(names, estimate, se, estimate - half, estimate + half, strict=True)
    fixed = {"pooling": "means", "level": None, "n": len(rows), "note": note}
    return [fixed | dict(zip(NUMBERS, row, strict=True)) for row in columns]
