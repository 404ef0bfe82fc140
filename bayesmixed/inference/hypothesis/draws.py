"""Claims answered by draws: the posterior of each linear function, and how probable an inequality is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...messages import Told
from .claims import Asked

if TYPE_CHECKING:
    from ...fits.base import Fit

NO_EQUALITY = Told(
    "reading-of-p",
    "An equality has probability 0 among draws: its row's is the probability that the function is greater. Ask for an "
    'inequality, "x > 0".',
)


def answered(fit: Fit, asked: Asked, rows: np.ndarray, level: float) -> pd.DataFrame:
    """Columns estimate (mean), se (sd), lower, upper (equal-tailed), probability; one row per claim."""
    draws = _functions(fit, rows)
    tails = [(1 - level) / 2, (1 + level) / 2]
    lower, upper = np.quantile(draws, tails, axis=0)
    columns = {
        "estimate": draws.mean(axis=0),
        "se": draws.std(axis=0, ddof=1),
        "lower": lower,
        "upper": upper,
        "probability": _holds(draws, asked).mean(axis=0),
    }
    return pd.DataFrame(columns, index=asked.labels)


def together(fit: Fit, asked: Asked, rows: np.ndarray) -> float | None:
    """The probability that several inequalities hold at once; None where equations are among them."""
    if not asked.together or not np.all(asked.sides):
        return None
    return float(_holds(_functions(fit, rows), asked).all(axis=1).mean())


def _functions(fit: Fit, rows: np.ndarray) -> np.ndarray:
    """The functions (draws, m) of the coefficients."""
    found: np.ndarray = fit.parameters.flat().stacked[0] @ rows.T
    return found


def _holds(draws: np.ndarray, asked: Asked) -> np.ndarray:
    sides = np.where(asked.sides == 0, 1, asked.sides)
    return sides * (draws - asked.values) > 0
