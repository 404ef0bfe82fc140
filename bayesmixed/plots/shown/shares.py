"""What share of zeros and ones is one along a column, by value or by class of values, and of how many rows?"""

from __future__ import annotations

import numpy as np
import pandas as pd

_ROWS = 8  # of a class, at least
_OF_ONE_VALUE = 3  # rows on average, with fewer a share says nothing and classes are made


def are_zeros_and_ones(y: np.ndarray) -> bool:
    """Whether a response (n,) has no value but these."""
    return bool(np.isin(y[np.isfinite(y)], [0.0, 1.0]).all())


def shares(x: np.ndarray, y: np.ndarray, weights: np.ndarray, most: int | None) -> pd.DataFrame:
    """Shares of ones along a number, from left to right.

    Parameters
    ----------
    x, y, weights
        Places, zeros and ones, and how many rows each stands for (n,).
    most
        With more different values than this, or fewer than three rows of each, rows are put in classes of about equal
        size, as many at most; None never does.

    Returns
    -------
    DataFrame
        value (of a class the mean), response (the share) and count.

    Examples
    --------
    >>> x, y = np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 1.0, 1.0])
    >>> shares(x, y, np.ones(4), most=None).to_numpy().tolist()
    [[1.0, 0.5, 2.0], [2.0, 1.0, 2.0]]
    """
    rows = pd.DataFrame({"x": x, "y": y, "count": weights})
    rows = rows[rows["count"] > 0].sort_values("x", kind="stable")
    key = rows["x"].to_numpy()
    different = len(np.unique(key))
    if most is not None and (different > most or rows["count"].sum() < _OF_ONE_VALUE * different):
        classes = min(most, max(1, len(rows) // _ROWS))
        cut = np.arange(len(rows)) * classes // len(rows)
        first = pd.Series(cut).groupby(key).transform("first")  # rows of one value are of one class
        key = first.to_numpy()
    sums = rows.assign(x=rows["x"] * rows["count"], y=rows["y"] * rows["count"]).groupby(key).sum()
    found = {"value": sums["x"] / sums["count"], "response": sums["y"] / sums["count"], "count": sums["count"]}
    return pd.DataFrame(found).reset_index(drop=True)
