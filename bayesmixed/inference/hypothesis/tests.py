"""Claims tested at the estimates of a point fit: each by t or z, equations among them jointly by F or chi^2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from ...degrees.reference import FTest, Reference
from ...errors import FitError
from .claims import Asked

if TYPE_CHECKING:
    from ...fits.point import PointFit

ROUNDING = 1e-9  # of the size of what cancels: rows that depend on each other, claims that agree


def tested(fit: PointFit, asked: Asked, rows: np.ndarray, reference: Reference, level: float) -> pd.DataFrame:
    """Columns estimate, se, df, statistic, p, lower, upper, one row per claim.

    The p of an inequality is that of the claim as the alternative: P(T > t) of ">", whose limit is the lower one.
    """
    estimate = rows @ reference.coefficients(fit)
    se = np.linalg.norm(rows @ reference.root, axis=1)
    se = np.where(se > 0, se, np.nan)
    df, sides = reference.df(rows), asked.sides
    statistic = (estimate - asked.values) / se
    upper_tail, both = stats.t.sf(sides * statistic, df), 2 * stats.t.sf(np.abs(statistic), df)
    half = stats.t.ppf(np.where(sides == 0, 0.5 + level / 2, level), df) * se
    columns = {
        "estimate": estimate,
        "se": se,
        "df": df,
        "statistic": statistic,
        "p": np.where(sides == 0, both, upper_tail),
        "lower": np.where(sides < 0, -np.inf, estimate - half),
        "upper": np.where(sides > 0, np.inf, estimate + half),
    }
    return pd.DataFrame(columns, index=asked.labels)


def jointly(fit: PointFit, asked: Asked, rows: np.ndarray, reference: Reference) -> FTest | None:
    """The joint test of several equations; None where inequalities are among them or there is one claim.

    Raises
    ------
    FitError
        Equations that no coefficients satisfy.
    """
    if not asked.together or asked.sides.any():
        return None
    refuse_contradictions(rows, asked.values, asked.labels)
    return reference.test(rows, rows @ reference.coefficients(fit) - asked.values)


def refuse_contradictions(rows: np.ndarray, values: np.ndarray, labels: list[str]) -> None:
    """Equations that hold at no coefficients are told, with the first that the earlier ones exclude.

    Raises
    ------
    FitError
        With its label.
    """
    sizes = np.linalg.norm(rows, axis=1)
    unit, scaled = rows / sizes[:, None], values / sizes
    for m in range(2, len(rows) + 1):
        solution = np.linalg.lstsq(unit[: m - 1].T, unit[m - 1], rcond=ROUNDING)[0]
        if np.linalg.norm(unit[: m - 1].T @ solution - unit[m - 1]) > ROUNDING:
            continue
        implied = solution @ scaled[: m - 1]
        if abs(implied - scaled[m - 1]) > ROUNDING * (np.abs(solution) @ np.abs(scaled[: m - 1]) + abs(scaled[m - 1])):
            raise FitError(
                f"The hypotheses contradict each other: {labels[m - 1]!r} cannot hold together with "
                f"{', '.join(map(repr, labels[: m - 1]))}, by which its left side is {implied * sizes[m - 1]:.6g}. "
                "Test them one by one, in calls of their own.",
                topic="contradiction",
            )
