"""Which density do draws have: a kernel estimate that knows where a parameter ends."""

from __future__ import annotations

import numpy as np

POINTS = 161  # of a curve
_BINS = 640  # a bin is then far narrower than the kernel
_REACH = 4.0  # kernel sds within which a draw counts


def kernel_density(draws: np.ndarray, low: float = -np.inf, high: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """Values (POINTS,) and density (POINTS,) of draws (n,); NaN as density where all draws are one value.

    A normal kernel with Silverman's bandwidth, 0.9 min(sd, IQR / 1.34) n^(-1/5), on binned draws. At the ends of a
    bounded parameter the part that would fall outside is folded back, so that the curve integrates to one.

    References
    ----------
    Silverman (1986), Density Estimation, equations 3.31 and 2.16 (reflection).

    Examples
    --------
    >>> import numpy as np
    >>> values, density = kernel_density(np.random.default_rng(1).exponential(size=4000), low=0.0)
    >>> bool(values[0] == 0), round(float(np.trapezoid(density, values)), 2)
    (True, 1.0)
    """
    draws = np.asarray(draws, dtype=float).ravel()
    width = bandwidth(draws)
    if width == 0:
        return np.full(POINTS, draws.mean()), np.full(POINTS, np.nan)
    start = max(low, draws.min() - _REACH * width)
    end = min(high, draws.max() + _REACH * width)
    edges = np.linspace(start, end, _BINS + 1)
    counts = np.histogram(draws, edges)[0].astype(float)
    step = edges[1] - edges[0]
    far = min(_BINS, int(np.ceil(_REACH * width / step)))
    kernel = np.exp(-0.5 * (np.arange(-far, far + 1) * step / width) ** 2)
    kernel /= kernel.sum()
    spread = np.convolve(counts, kernel)  # `far` bins beyond either end
    inside = spread[far : far + _BINS]
    inside[:far] += spread[:far][::-1]
    inside[_BINS - far :] += spread[far + _BINS :][::-1]
    values = np.linspace(start, end, POINTS)
    return values, np.interp(values, (edges[:-1] + edges[1:]) / 2, inside / (len(draws) * step))


def bandwidth(draws: np.ndarray) -> float:
    """Silverman's rule of thumb; 0 where all draws are one value."""
    lower, upper = np.quantile(draws, [0.25, 0.75])
    sd = draws.std()
    if sd <= 1e-12 * max(1.0, abs(float(draws.mean()))):
        return 0.0
    spread = min(sd, (upper - lower) / 1.34) or sd  # most draws on one value leave no interquartile range
    return float(0.9 * spread * len(draws) ** -0.2)
