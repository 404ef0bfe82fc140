"""Whether numbers in (0, 1) are uniform: an envelope around their distribution function, and its exact p-value.

The distribution function of n values is looked at in K - 1 points at once. In one point the count below it is
binomial; the smallest two-sided tail probability over the points is the statistic, and its distribution follows
exactly from the chain of counts. Source: Säilynoja, Bürkner & Vehtari (2022), Statistics and Computing 32, 32.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

PARTS = 100  # K: values are counted below 1/K, 2/K, ..., (K - 1)/K
TIE = 1e-9  # relative: tail probabilities that differ by rounding are one


def points() -> np.ndarray:
    """Where values are counted (K - 1,)."""
    return np.arange(1, PARTS) / PARTS


def counts(values: np.ndarray) -> np.ndarray:
    """How many of `values` (n,) lie below each point (K - 1,)."""
    return np.searchsorted(np.sort(values), points(), side="left")


def p_value(values: np.ndarray) -> float:
    """Probability that n uniform values leave a narrower simultaneous envelope than `values` (n,) do, or as narrow.

    >>> even = (np.arange(200) + 0.5) / 200
    >>> p_value(even) > 0.9, p_value(even**2) < 1e-6
    (True, True)
    """
    n = len(values)
    tails = _tails(n)
    smallest = tails[np.arange(PARTS - 1), counts(values)].min()
    return 1.0 - _inside(n, smallest * (1 + TIE))


@lru_cache(maxsize=64)
def envelope(n: int, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest counts (K - 1,) between which the counts of n uniform values stay, all of them.

    The envelope is the narrowest of equal tail probability in every point whose simultaneous coverage is at least
    `level`.
    """
    tails = _tails(n)
    thresholds = np.unique(tails[tails <= 1 - level])
    low, high = 0, len(thresholds)  # thresholds[:low] cover enough, thresholds[high:] do not
    while low < high:
        middle = (low + high) // 2
        if _inside(n, thresholds[middle] * (1 + TIE)) >= level:
            low = middle + 1
        else:
            high = middle
    return _bounds(n, thresholds[low - 1] * (1 + TIE) if low else 0.0)


@lru_cache(maxsize=8)
def _tails(n: int) -> np.ndarray:
    """Two-sided tail probabilities (K - 1, n + 1) of each count in each point."""
    k = np.arange(n + 1)
    below = binom.cdf(k, n, points()[:, None])
    above = binom.sf(k - 1, n, points()[:, None])
    return np.minimum(1.0, 2 * np.minimum(below, above))


def _bounds(n: int, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest count (K - 1,) whose tail probability is above `threshold`."""
    inside = _tails(n) > threshold
    return np.argmax(inside, axis=1), n - np.argmax(inside[:, ::-1], axis=1)


def _inside(n: int, threshold: float) -> float:
    """Probability that every tail probability of n uniform values is above `threshold`.

    Given j values below a point, those below the next are j plus a binomial of the n - j others.
    """
    if threshold >= 1:
        return 0.0
    low, high = _bounds(n, threshold)
    factorial = gammaln(np.arange(n + 1) + 1.0)
    j, share = np.array([0]), np.array([1.0])
    for i in range(PARTS - 1):
        k = np.arange(low[i], high[i] + 1)
        share = share @ _steps(j, k, n, 1 / (PARTS - i), factorial)
        j = k
    return float(min(1.0, share.sum()))


def _steps(j: np.ndarray, k: np.ndarray, n: int, p: float, factorial: np.ndarray) -> np.ndarray:
    """Binomial probabilities (j, k) of k - j successes among n - j."""
    more = k[None, :] - j[:, None]
    left = n - j[:, None]
    trials = np.where(more >= 0, more, 0)
    logs = factorial[left] - factorial[trials] - factorial[np.maximum(left - trials, 0)]
    logs = logs + trials * np.log(p) + (left - trials) * np.log1p(-p)
    return np.where((more >= 0) & (more <= left), np.exp(logs), 0.0)
