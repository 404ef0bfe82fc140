"""p-values and critical values of several contrasts at once: Tukey, Holm, Bonferroni, multivariate t, fdr."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from ..errors import FitError, nearest

METHODS = ("none", "tukey", "holm", "bonferroni", "mvt", "fdr")
WORDS = {
    "none": "not adjusted",
    "tukey": "Tukey, for {means} means",
    "holm": "Holm (limits: Bonferroni), for {contrasts} contrasts",
    "bonferroni": "Bonferroni, for {contrasts} contrasts",
    "mvt": "multivariate {reference}, for {contrasts} contrasts",
    "fdr": "false discovery rate (Benjamini-Hochberg; limits: Bonferroni), for {contrasts} contrasts",
}
# what other programs call them, or have in place of them
ELSEWHERE = {
    "bh": "fdr",
    "fdr_bh": "fdr",
    "benjamini_hochberg": "fdr",
    "bonf": "bonferroni",
    "hsd": "tukey",
    "tukeyhsd": "tukey",
    "dunnett": "mvt",
    "dunnettx": "mvt",
    "single_step": "mvt",
    "sidak": "mvt",
    "hochberg": "holm",
    "no": "none",
    "lsd": "none",
}
POINTS, CHUNK = 2**18, 2**16  # of a Sobol sequence (scrambles differ by 2e-4 in a p of 0.4), and how many at once
SEED = 1
FAINT = 1e-9  # one less the distribution function of the studentized range is good to 1e-12
SMALL = 1e-3  # p-values that POINTS resolve to less than 5 %
SCALES = 4096  # quantiles of the common scale of a multivariate t: a midpoint rule, which errs by less than POINTS do
NODES = 8  # quantiles of the studentized range that are computed; as many interpolate others to 1e-6
WIDER = 1e-8  # than a quantile lies between two points
SAME = 12  # digits of 1 / df that tell two degrees of freedom apart


@dataclass(frozen=True)
class FamilyOfTests:
    """Contrasts that are judged together: `statistics` (k,), `correlation` (k, k), of `means` means.

    Each has its own degrees of freedom `df` (k,), as in R's emmeans: its p and limits are those of a family all of
    whose members had them.
    """

    statistics: np.ndarray
    correlation: np.ndarray
    means: int
    df: np.ndarray | float

    def p_values(self, method: str) -> np.ndarray:
        """Two-sided p-values (k,), adjusted by `method`."""
        size, k = np.abs(self.statistics), len(self.statistics)
        raw = np.asarray(2 * stats.t.sf(size, self.df))
        if method == "tukey":
            return self._ranged(size, raw)
        if method == "holm":
            return _holm(raw)
        if method == "bonferroni":
            return np.minimum(k * raw, 1.0)
        if method == "mvt":
            return self._joint(size, raw)
        return stats.false_discovery_control(raw) if method == "fdr" else raw

    def critical(self, method: str, level: float) -> np.ndarray:
        """How many standard errors (k,) the limits lie from the estimates."""
        k = len(self.statistics)
        if method == "tukey":
            return _each(self._df, lambda df: stats.studentized_range.ppf(level, self.means, df)) / np.sqrt(2)
        if method == "mvt" and k > 1:
            return _each(self._df, lambda df: self._largest.quantile(level, df))
        together = k if method in ("holm", "bonferroni", "fdr") else 1
        return np.asarray(stats.t.ppf(1 - (1 - level) / (2 * together), self._df))

    @property
    def _df(self) -> np.ndarray:
        return np.broadcast_to(self.df, self.statistics.shape)

    @cached_property
    def _largest(self) -> Largest:
        return largest(self.correlation)

    def _ranged(self, size: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """P(range of the means > sqrt(2) |t|); where rounding has eaten it, Bonferroni's bound over all pairs."""
        found = stats.studentized_range.sf(np.sqrt(2) * size, self.means, self.df)
        bound = np.minimum(self.means * (self.means - 1) / 2 * raw, FAINT)
        return np.where(found < FAINT, bound, found)

    def _joint(self, size: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """P(max |T| > |t|); where it is too small to count, Bonferroni's bound, which it approaches."""
        if len(size) == 1:
            return raw
        above = np.array([self._largest.above(*one) for one in zip(size, self._df, strict=True)])
        bound = np.minimum(len(size) * raw, 1.0)
        return np.where(above < SMALL, bound, np.minimum(np.maximum(above, raw), bound))


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
                "means themselves, a factor as (1 | f), is the Bayesian guard against many comparisons.",
                topic="adjust",
            )
        return "none"
    method = default if method is None else method
    if method not in METHODS:
        name = str(method)
        alike = ELSEWHERE.get(name.lower().replace("-", "_"))
        likely = f"Did you mean {alike!r}?" if alike else nearest(name, METHODS)
        raise FitError(f"adjust={method!r} is not an option. {likely}", topic="adjust")
    return method


def correlation(covariance: np.ndarray) -> np.ndarray:
    """Correlations of a covariance; a contrast without variance is unrelated to all."""
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    unit = np.divide(covariance, np.outer(sd, sd), out=np.zeros_like(covariance), where=np.outer(sd, sd) > 0)
    np.fill_diagonal(unit, 1.0)
    return unit


@dataclass(frozen=True)
class Largest:
    """The distribution of the largest of k |Z_i|, by ordered `points` of it, and of |T_i| = |Z_i| over one scale."""

    points: np.ndarray

    def above(self, size: float, df: float) -> float:
        """P(max |T_i| > size) with `df` degrees of freedom: an average over the common scale."""
        ranks = np.searchsorted(self.points, size * _scales(df))
        return float(1 - ranks.mean() / len(self.points))

    def quantile(self, level: float, df: float) -> float:
        """Where P(max |T_i| > t) is 1 - level."""
        normal = float(np.quantile(self.points, level))
        if np.isinf(df):
            return normal
        low, high = normal / _scales(df)[[-1, 0]] * [1 - WIDER, 1 + WIDER]
        return float(brentq(lambda size: self.above(size, df) - (1 - level), low, high, xtol=WIDER))


def largest(correlation: np.ndarray) -> Largest:
    """max |Z_i| of a multivariate normal at the points of a scrambled Sobol sequence, the same at every call.

    Genz & Bretz (2009), Computation of Multivariate Normal and t Probabilities; singular correlations are allowed.
    """
    values, vectors = np.linalg.eigh(correlation)
    kept = values > 1e-10 * values[-1]
    vectors = vectors * np.where(np.abs(vectors.min(axis=0)) > vectors.max(axis=0), -1.0, 1.0)  # rounding flips signs
    factor = vectors[:, kept] * np.sqrt(values[kept])
    sequence = stats.qmc.Sobol(factor.shape[1], rng=SEED)
    parts = []
    for _ in range(POINTS // CHUNK):
        uniform = np.clip(sequence.random(CHUNK), 1e-12, 1 - 1e-12)
        parts.append(np.abs(stats.norm.ppf(uniform) @ factor.T).max(axis=1))
    return Largest(np.sort(np.concatenate(parts)))


def _scales(df: float) -> np.ndarray:
    """Values of (chi^2 / df)^1/2, equally probable, in order; 1 where df is infinite."""
    if np.isinf(df):
        return np.ones(1)
    return np.sqrt(stats.chi2.ppf((np.arange(SCALES) + 0.5) / SCALES, df) / df)


def _each(df: np.ndarray, quantile: Callable[[float], float]) -> np.ndarray:
    """A quantile at each df (k,): computed where few of them differ, else a polynomial in 1 / df through some."""
    x, places = np.unique(np.round(1 / df, SAME), return_inverse=True)

    def logarithm(at: np.ndarray) -> np.ndarray:
        return np.log([quantile(1 / one if one > 0 else np.inf) for one in at])

    if len(x) <= NODES:
        return np.exp(logarithm(x))[places]
    domain = [x[0], x[-1]]
    return np.exp(np.polynomial.Chebyshev.interpolate(logarithm, NODES - 1, domain)(x))[places]


def _holm(raw: np.ndarray) -> np.ndarray:
    """Holm (1979), Scandinavian Journal of Statistics 6, 65-70."""
    order = np.argsort(raw)
    steps = np.maximum.accumulate((len(raw) - np.arange(len(raw))) * raw[order])
    found = np.empty_like(raw)
    found[order] = np.minimum(steps, 1.0)
    return found
