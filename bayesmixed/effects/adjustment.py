"""p-values and critical values of several contrasts at once: Tukey, Holm, Bonferroni, multivariate t."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..errors import FitError, nearest

METHODS = ("none", "tukey", "holm", "bonferroni", "mvt")
WORDS = {
    "none": "not adjusted",
    "tukey": "Tukey, for {means} means",
    "holm": "Holm (limits: Bonferroni), for {contrasts} contrasts",
    "bonferroni": "Bonferroni, for {contrasts} contrasts",
    "mvt": "multivariate {reference}, for {contrasts} contrasts",
}
POINTS, CHUNK = 2**18, 2**16  # of a Sobol sequence (scrambles differ by 2e-4 in a p of 0.4), and how many at once
SEED = 1
FAINT = 1e-9  # one less the distribution function of the studentized range is good to 1e-12
SMALL = 1e-3  # p-values that POINTS resolve to less than 5 %


@dataclass(frozen=True)
class FamilyOfTests:
    """Contrasts that are judged together: `statistics` (k,), `correlation` (k, k), of `means` means, with `df`."""

    statistics: np.ndarray
    correlation: np.ndarray
    means: int
    df: float

    def p_values(self, method: str) -> np.ndarray:
        """Two-sided p-values (k,), adjusted by `method`."""
        size, k = np.abs(self.statistics), len(self.statistics)
        raw = 2 * stats.t.sf(size, self.df)
        if method == "tukey":
            return self._ranged(size, raw)
        if method == "holm":
            return _holm(raw)
        if method == "bonferroni":
            return np.minimum(k * raw, 1.0)
        if method == "mvt":
            return self._joint(size, raw)
        return raw

    def critical(self, method: str, level: float) -> float:
        """How many standard errors the limits lie from the estimates."""
        k = len(self.statistics)
        if method == "tukey":
            return float(stats.studentized_range.ppf(level, self.means, self.df) / np.sqrt(2))
        if method == "mvt" and k > 1:
            return float(np.quantile(largest(self.correlation, self.df), level))
        together = k if method in ("holm", "bonferroni") else 1
        return float(stats.t.ppf(1 - (1 - level) / (2 * together), self.df))

    def _ranged(self, size: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """P(range of the means > sqrt(2) |t|); where rounding has eaten it, Bonferroni's bound over all pairs."""
        found = stats.studentized_range.sf(np.sqrt(2) * size, self.means, self.df)
        bound = np.minimum(self.means * (self.means - 1) / 2 * raw, FAINT)
        return np.where(found < FAINT, bound, found)

    def _joint(self, size: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """P(max |T| > |t|); where it is too small to count, Bonferroni's bound, which it approaches."""
        if len(size) == 1:
            return raw
        drawn = np.sort(largest(self.correlation, self.df))
        above = 1 - np.searchsorted(drawn, size) / len(drawn)
        bound = np.minimum(len(size) * raw, 1.0)
        found = np.where(above < SMALL, bound, np.minimum(np.maximum(above, raw), bound))
        return found


def checked(method: str | None, default: str, *, draws: bool) -> str:
    """The method to use.

    Raises
    ------
    FitError
        An unknown name, or an adjustment of posterior intervals.
    """
    if draws:
        if method not in (None, "none"):
            raise FitError(
                f"adjust={method!r} corrects p-values, and draws have none: leave adjust out. Partial pooling of the "
                "means themselves, a factor as (1 | f), is the Bayesian guard against many comparisons."
            )
        return "none"
    method = default if method is None else method
    if method not in METHODS:
        raise FitError(f"adjust={method!r} is not an option. {nearest(str(method), METHODS)}")
    return method


def correlation(covariance: np.ndarray) -> np.ndarray:
    """Correlations of a covariance; a contrast without variance is unrelated to all."""
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    unit = np.divide(covariance, np.outer(sd, sd), out=np.zeros_like(covariance), where=np.outer(sd, sd) > 0)
    np.fill_diagonal(unit, 1.0)
    return unit


def largest(correlation: np.ndarray, df: float) -> np.ndarray:
    """max |T_i| of a multivariate t at the points of a scrambled Sobol sequence, the same at every call.

    Genz & Bretz (2009), Computation of Multivariate Normal and t Probabilities; singular correlations are allowed.
    """
    values, vectors = np.linalg.eigh(correlation)
    kept = values > 1e-10 * values[-1]
    vectors = vectors * np.where(np.abs(vectors.min(axis=0)) > vectors.max(axis=0), -1.0, 1.0)  # rounding flips signs
    factor = vectors[:, kept] * np.sqrt(values[kept])
    finite = int(np.isfinite(df))
    sequence = stats.qmc.Sobol(factor.shape[1] + finite, rng=SEED)
    parts = []
    for _ in range(POINTS // CHUNK):
        uniform = np.clip(sequence.random(CHUNK), 1e-12, 1 - 1e-12)
        found = np.abs(stats.norm.ppf(uniform[:, finite:]) @ factor.T).max(axis=1)
        parts.append(found / np.sqrt(stats.chi2.ppf(uniform[:, 0], df) / df) if finite else found)
    return np.concatenate(parts)


def _holm(raw: np.ndarray) -> np.ndarray:
    """Holm (1979), Scandinavian Journal of Statistics 6, 65-70."""
    order = np.argsort(raw)
    steps = np.maximum.accumulate((len(raw) - np.arange(len(raw))) * raw[order])
    found = np.empty_like(raw)
    found[order] = np.minimum(steps, 1.0)
    return found
