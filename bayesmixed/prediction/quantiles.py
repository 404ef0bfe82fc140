"""Quantiles over draws, some of which may be infinite: where an interval passes the end of a link's domain."""

from __future__ import annotations

import numpy as np


def equal_tailed(draws: np.ndarray, level: float) -> np.ndarray:
    """Lower and upper limits (2, ...) of draws (D, ...): NumPy's, and infinite between two draws that are.

    >>> equal_tailed(np.array([1.0, 2.0, np.inf, np.inf, np.inf]), 0.5).tolist()
    [2.0, inf]
    """
    tails = [0.5 - level / 2, 0.5 + level / 2]
    if not np.isinf(draws).any():
        return np.quantile(draws, tails, axis=0)
    below, above = (np.quantile(draws, tails, axis=0, method=method) for method in ("lower", "higher"))
    with np.errstate(invalid="ignore"):  # the difference of two that are infinite
        between = np.quantile(draws, tails, axis=0)
    between = np.where(np.isposinf(above), above, np.where(np.isneginf(below), below, between))
    return np.where(below == above, below, between)
