"""Confidence limits from bootstrap replicates of one number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, ndtri

from ...errors import FitError

Limits = Callable[[float, np.ndarray, float, np.ndarray | None], tuple[float, float]]


def quantile(values: np.ndarray, p: float) -> float:
    """The quantile at (B + 1) p of B values, between order statistics where that is no whole number.

    >>> quantile(np.arange(1.0, 20.0), 0.05), quantile(np.arange(1.0, 20.0), 0.5)
    (1.0, 10.0)
    """
    return float(np.quantile(values, p, method="weibull"))


def percentile(estimate: float, values: np.ndarray, level: float, left_out: np.ndarray | None) -> tuple[float, float]:
    """Quantiles of the replicates."""
    tail = (1 - level) / 2
    return quantile(values, tail), quantile(values, 1 - tail)


def basic(estimate: float, values: np.ndarray, level: float, left_out: np.ndarray | None) -> tuple[float, float]:
    """The estimate less quantiles of the replicates' errors."""
    low, high = percentile(estimate, values, level, left_out)
    return 2 * estimate - high, 2 * estimate - low


def normal(estimate: float, values: np.ndarray, level: float, left_out: np.ndarray | None) -> tuple[float, float]:
    """The estimate less the bias, and normal errors of the replicates' standard deviation."""
    centre, half = 2 * estimate - float(np.mean(values)), float(ndtri(0.5 + level / 2) * np.std(values, ddof=1))
    return centre - half, centre + half


def bca(estimate: float, values: np.ndarray, level: float, left_out: np.ndarray | None) -> tuple[float, float]:
    """Bias-corrected and accelerated (Efron 1987, J. Am. Stat. Assoc. 82, 171-185), a by leaving out levels.

    Raises
    ------
    FitError
        Where all replicates lie on one side of the estimate.
    """
    assert left_out is not None
    below = float(np.mean(values < estimate) + 0.5 * np.mean(values == estimate))
    if not 0 < below < 1:
        raise FitError(
            "All replicates lie on one side of the estimate, which leaves BCa without a bias correction: use "
            'kind="percentile".',
            topic="bootstrap-limits",
        )
    z0, a = float(ndtri(below)), acceleration(left_out)
    ends = []
    for p in ((1 - level) / 2, (1 + level) / 2):
        shifted = z0 + ndtri(p)
        ends.append(quantile(values, float(ndtr(z0 + shifted / (1 - a * shifted)))))
    return ends[0], ends[1]


def acceleration(left_out: np.ndarray) -> float:
    """a = sum d^3 / (6 (sum d^2)^(3/2)), d the mean less the values with each level left out."""
    d = np.mean(left_out) - left_out
    spread = float(np.sum(d**2))
    return 0.0 if spread == 0 else float(np.sum(d**3)) / (6 * spread**1.5)


KINDS: dict[str, Limits] = {"percentile": percentile, "basic": basic, "normal": normal, "bca": bca}
LEAVES_OUT = (bca,)  # kinds that need the estimates with each level left out
