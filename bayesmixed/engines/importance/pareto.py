"""How far importance weights can be trusted: a Pareto fit to their tail, its shape k, and smoothed weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST_TAIL = 5  # weights: below it no tail is fitted, and k is infinite
PRIOR_SHAPE, PRIOR_SIZE = 0.5, 10  # k is drawn towards 1/2 with the weight of ten observations (Vehtari et al., app. G)
PROFILE_BASE, PROFILE_SCALE = 30, 3.0  # the grid of Zhang & Stephens


@dataclass(frozen=True)
class SmoothedWeights:
    """Normalised `log_weights` (N,) with a smoothed tail, the shape `k` of the tail, effective sample size `ess`.

    k below 0.7 says that averages with these weights can be trusted; NaN where all weights are equal.
    """

    log_weights: np.ndarray
    k: float
    ess: float

    @property
    def largest(self) -> float:
        """The largest weight: the share of draws that its proposal gives."""
        return float(np.exp(np.max(self.log_weights)))


def smooth_weights(log_ratios: np.ndarray) -> SmoothedWeights:
    """Pareto-smoothed importance weights of log ratios (N,) of target and proposal; -inf has no weight.

    The largest 3 sqrt(N) weights (at most a fifth of them) become expected order statistics of a generalized Pareto
    distribution fitted to them, none above the largest raw weight.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry (2024), J. Mach. Learn. Res. 25(72), algorithm 1.

    Examples
    --------
    >>> ratios = np.random.default_rng(1).standard_normal(4000)
    >>> found = smooth_weights(ratios)
    >>> bool(0 < found.k < 0.5), round(float(np.sum(np.exp(found.log_weights))), 6)
    (True, 1.0)
    """
    log_ratios = np.asarray(log_ratios, dtype=float)
    shifted = log_ratios - np.max(log_ratios)
    n = len(shifted)
    size = int(np.ceil(min(0.2 * n, 3 * np.sqrt(n))))
    k = np.inf
    if np.ptp(shifted) == 0:
        k = np.nan
    elif size >= FEWEST_TAIL:
        order = np.argsort(shifted, kind="stable")
        tail = order[-size:]
        cut = max(shifted[order[-size - 1]], np.log(np.finfo(float).tiny))
        excess = np.exp(shifted[tail]) - np.exp(cut)
        if excess[0] < excess[-1] and excess[-1] > 0:
            k, scale = fit_generalized_pareto(np.maximum(excess, np.finfo(float).tiny))
            expected = generalized_pareto_quantile((np.arange(size) + 0.5) / size, k, scale)
            shifted[tail] = np.minimum(np.log(expected + np.exp(cut)), 0.0)
    normalised = shifted - np.log(np.sum(np.exp(shifted)))
    return SmoothedWeights(normalised, float(k), float(1 / np.sum(np.exp(2 * normalised))))


def fit_generalized_pareto(excess: np.ndarray) -> tuple[float, float]:
    """Shape k and scale of positive, sorted excesses (n,), k drawn slightly towards 1/2.

    The profile likelihood in b = -k / scale averaged over a grid whose density follows the data.

    References
    ----------
    Zhang & Stephens (2009), Technometrics 51, 316-325.
    """
    n = len(excess)
    count = PROFILE_BASE + int(np.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    grid = (1 - np.sqrt(count / (np.arange(count) + 0.5))) / (PROFILE_SCALE * quartile) + 1 / excess[-1]
    shapes = np.mean(np.log1p(-grid[:, None] * excess), axis=1)
    profile = n * (np.log(-grid / shapes) - shapes - 1)
    weights = np.exp(profile - np.max(profile))
    b = float(np.sum(weights * grid) / np.sum(weights))
    shape = float(np.mean(np.log1p(-b * excess)))
    return (n * shape + PRIOR_SIZE * PRIOR_SHAPE) / (n + PRIOR_SIZE), -shape / b


def generalized_pareto_quantile(p: np.ndarray, k: float, scale: float) -> np.ndarray:
    """The excess below which a share `p` lies."""
    if abs(k) < 1e-12:
        return -scale * np.log1p(-p)
    return scale * np.expm1(-k * np.log1p(-p)) / k


def resample(log_weights: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Positions (size,) drawn with replacement, each as often as its weight says to within one.

    Systematic sampling of a random order: a position that is expected c times comes floor(c) or ceil(c) times, so no
    weight is capped, and none comes twice where no expected number is above 1. Drawn without replacement instead, a
    weight above N / size times the mean would count as that, and the tails of a posterior with it.

    References
    ----------
    Carpenter, Clifford & Fearnhead (1999), IEE Proc. Radar Sonar Navig. 146, 2-7; Douc & Cappe (2005), ISPA, 64-69.
    """
    order = rng.permutation(len(log_weights))
    edges = np.cumsum(np.exp(log_weights[order] - np.max(log_weights)))
    marks = (rng.random() + np.arange(size)) * (edges[-1] / size)
    found = np.searchsorted(edges, np.minimum(marks, edges[-1] * (1 - 1e-15)), side="right")
    return order[rng.permutation(np.minimum(found, len(order) - 1))]
