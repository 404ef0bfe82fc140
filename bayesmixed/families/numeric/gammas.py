"""Gamma functions where their differences would cancel: rising factorials, and the polygamma functions they need."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import NUMPY

TINY = 1e-100  # below it a gamma function is 1 / a to all digits, and squares of 1 / a still fit
HUGE = 1e200  # above it no count is seen beside a
STIRLING = 20.0  # from here on four terms of the series leave an error below 1e-15
SHIFT = 10  # the polygamma functions' series starts here


def rising(y: Any, s: Any, order: int, xp: Any = NUMPY) -> tuple[Any, ...]:
    """log Gamma(y + a) - log Gamma(a) - y log a with a = exp(s), and its derivatives in s up to `order` (at most 3).

    This is what over-dispersion adds to a Poisson or binomial log density: it vanishes for a -> infinity.

    Parameters
    ----------
    y
        Counts, 0 or more.
    s
        log a, broadcasting against y; any finite number.

    Notes
    -----
    For large a both log Gamma functions are huge and their difference is not; from a = 20 on Stirling's series
    (Abramowitz & Stegun 6.1.41) is subtracted term by term.
    """
    a = xp.exp(xp.minimum(s, 460.0))
    if xp is NUMPY:
        return _by_rows(np.asarray(y), np.asarray(a), np.asarray(s), order)
    below = _direct(y, xp.minimum(a, STIRLING), xp.minimum(s, float(np.log(STIRLING))), order, xp)
    above = _stirling(y, xp.maximum(a, STIRLING), order, xp)
    return tuple(xp.where(a > STIRLING, high, low) for high, low in zip(above, below, strict=True))


def _by_rows(y: np.ndarray, a: np.ndarray, s: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
    """Each row by the branch that it needs, and none where nothing was counted."""
    if a.ndim == 0:
        return _stirling(y, a, order, NUMPY) if a > STIRLING else _direct(y, a, s, order, NUMPY)
    if np.ndim(y) == 1 and a.shape[-1] == 1:  # many sizes at once: counts repeat, and each is worked out once
        counts, where = np.unique(y, return_inverse=True)
        if len(counts) < len(y):
            return tuple(part[..., where] for part in _by_rows(counts, a, s, order))
    y, a, s = np.broadcast_arrays(y, a, s)
    found = tuple(np.zeros(y.shape) for _ in range(order + 1))
    large = a > STIRLING
    for rows, branch in (((y > 0) & large, True), ((y > 0) & ~large, False)):
        if rows.any():
            some = y[rows], a[rows]
            parts = _stirling(*some, order, NUMPY) if branch else _direct(*some, s[rows], order, NUMPY)
            for whole, part in zip(found, parts, strict=True):
                whole[rows] = part
    return found


def _direct(y: Any, a: Any, s: Any, order: int, xp: Any) -> tuple[Any, ...]:
    some, small = y > 0, xp.maximum(a, TINY)
    lower = xp.where(a < TINY, -s, xp.gammaln(small))
    found = [xp.where(some, xp.gammaln(y + small) - lower - y * s, 0.0)]
    if order > 0:
        d1 = small * (xp.digamma(y + small) - xp.digamma(small))
        found.append(xp.where(some, d1 - y, 0.0))
    if order > 1:
        (t, q), (t0, q0) = polygammas(y + small, xp), polygammas(small, xp)
        d2 = small**2 * (t - t0)
        found.append(xp.where(some, d1 + d2, 0.0))
    if order > 2:
        found.append(xp.where(some, d1 + 3 * d2 + small**3 * (q - q0), 0.0))
    return tuple(found)


def _stirling(y: Any, a: Any, order: int, xp: Any) -> tuple[Any, ...]:
    total = y + a
    u, v, w = y / a, y / total, a / total
    logs = xp.log1p(u)
    series, series0 = _series(total, order, xp), _series(a, order, xp)
    found = [(y - 0.5) * logs + (a * (logs - u)) + series[0] - series0[0]]
    if order > 0:
        bent = a * (logs - u)
        t1 = w * series[1] - series0[1]
        found.append(bent + 0.5 * v + t1)
    if order > 1:
        t2 = w**2 * series[2] - series0[2]
        found.append(bent + y * v - 0.5 * v * w + t1 + t2)
    if order > 2:
        t3 = w**3 * series[3] - series0[3]
        found.append(bent + y * v - y * v * w - 0.5 * v * w * (v - w) + t1 + 3 * t2 + t3)
    return tuple(found)


def _series(x: Any, order: int, xp: Any) -> tuple[Any, ...]:
    """S(x), x S'(x), x^2 S''(x), x^3 S'''(x) of Stirling's S = 1/12x - 1/360x^3 + 1/1260x^5 - 1/1680x^7."""
    h = 1 / xp.minimum(x, HUGE)
    terms = [h / 12]
    for ratio in (-1 / 30, -2 / 7, -3 / 4):
        terms.append(terms[-1] * h * h * ratio)
    found = [sum(terms)]
    if order > 0:
        found.append(-sum(n * term for n, term in zip((1, 3, 5, 7), terms, strict=True)))
    if order > 1:
        found.append(sum(n * term for n, term in zip((2, 12, 30, 56), terms, strict=True)))
    if order > 2:
        found.append(-sum(n * term for n, term in zip((6, 60, 210, 504), terms, strict=True)))
    return tuple(found)


def polygammas(x: Any, xp: Any = NUMPY) -> tuple[Any, Any]:
    """psi'(x) and psi''(x) for x > 0 (Abramowitz & Stegun 6.4.6, 6.4.12, 6.4.13); several times as fast as scipy's.

    >>> first, second = polygammas(np.float64(1.0))
    >>> round(float(first), 12) == round(np.pi**2 / 6, 12), round(float(second), 9)
    (True, -2.404113806)
    """
    low = x < SHIFT
    first, second = 0.0, 0.0
    for k in range(SHIFT):
        h = 1 / (x + k)
        first, second = first + h * h, second + h * h * h
    h = 1 / xp.where(low, x + SHIFT, x)
    h2 = h * h
    one = h * (1 + h * (0.5 + h * (1 / 6 - h2 * (1 / 30 - h2 * (1 / 42 - h2 * (1 / 30 - h2 * (5 / 66 - h2 * _B12)))))))
    two = -h2 * (1 + h * (1 + h * (1 / 2 - h2 * (1 / 6 - h2 * (1 / 6 - h2 * (3 / 10 - h2 * (5 / 6 - h2 * _B12_2)))))))
    return one + xp.where(low, first, 0.0), two - xp.where(low, 2 * second, 0.0)


_B12 = 691 / 2730
_B12_2 = 691 / 210


def spread_of_gamma(k: Any, xp: Any = NUMPY) -> Any:
    """k log k - k - log Gamma(k) for k > 0, without the cancellation of huge terms.

    >>> round(float(spread_of_gamma(2.0)), 12) == round(2 * float(np.log(2)) - 2, 12)
    True
    """
    if xp is NUMPY and np.min(k, initial=np.inf) > STIRLING:
        return 0.5 * np.log(k / (2 * np.pi)) - _series(k, 0, NUMPY)[0]
    large = xp.maximum(k, STIRLING)
    small = xp.minimum(k, STIRLING)
    high = 0.5 * xp.log(large / (2 * np.pi)) - _series(large, 0, xp)[0]
    return xp.where(k > STIRLING, high, small * xp.log(small) - small - xp.gammaln(small))
