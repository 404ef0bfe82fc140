"""How one response stands among replicates: positions in (0, 1), and statistics of it and of every replicate alike.

If the model is true, the observed response and n replicates at the same parameters are exchangeable: any statistic
that treats all of them alike ranks the observed one uniformly, whatever the dependence between rows, so that
(1 + the number of replicates with at least its value) / (n + 1) is an exact p-value (Barnard 1963, J. R. Stat. Soc. B
25, 294). Parameters are estimated, which makes the tests a little conservative.
"""

from __future__ import annotations

import numpy as np

FLAT = 1e-12  # relative: replicates of a row that differ by rounding are one value


def positions(pool: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where each value (m, rows) lies among the m of its row: uniform in (0, 1), ties broken at random."""
    m = len(pool)
    order = np.lexsort((rng.random(pool.shape), pool), axis=0)
    rank = np.empty(pool.shape)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(m, dtype=float)[:, None], pool.shape), axis=0)
    rank += rng.random(pool.shape)
    return rank / m


def distances(at: np.ndarray) -> np.ndarray:
    """Kolmogorov's distance (m,) of the positions (m, rows) of each response from a uniform distribution."""
    rows = at.shape[1]
    ordered = np.sort(at, axis=1)
    below, above = np.arange(rows) / rows, np.arange(1, rows + 1) / rows
    return np.maximum(np.abs(ordered - below).max(axis=1), np.abs(above - ordered).max(axis=1))


def spreads(pool: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Mean squared distance (m,) of each response (m, rows) from the rows' means (rows,), in units of their variances.

    Means and variances are the model's, not the pool's: a response that is far out would widen the spread that it is
    judged by. Rows without a variance (zero, infinite) say nothing; NaN where that is all of them.
    """
    varying = np.isfinite(variance) & (variance > (FLAT * np.abs(mean)) ** 2)
    if not varying.any():
        return np.full(len(pool), np.nan)
    return np.mean((pool[:, varying] - mean[varying]) ** 2 / variance[varying], axis=1)


def extremes(pool: np.ndarray) -> np.ndarray:
    """Whether each value (m, rows) lies beyond all the others of its row."""
    ends = np.partition(pool, (0, 1, len(pool) - 2, len(pool) - 1), axis=0)
    lowest, second, second_last, highest = ends[0], ends[1], ends[-2], ends[-1]
    return ((pool == lowest) & (lowest < second)) | ((pool == highest) & (highest > second_last))


def upper_p(statistic: np.ndarray) -> float:
    """Probability of at least the first of (m,) exchangeable values."""
    return float(np.mean(statistic >= statistic[0]))


def two_sided_p(statistic: np.ndarray) -> float:
    """Twice the smaller tail probability of the first of (m,) exchangeable values, at most 1."""
    return min(1.0, 2 * min(upper_p(statistic), upper_p(-statistic)))
