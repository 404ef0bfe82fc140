"""Whether chains agree and how many independent draws they are worth: R-hat, effective sample sizes, BFMI.

Every scalar of a posterior at once: draws are sorted once, and what follows works on ranks. The answers are ArviZ's
(tests hold them to 1e-10) without its loop over variables and without importing it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

TAILS = (0.05, 0.95)  # quantiles whose indicators give the tail size (Vehtari et al. 2021, section 4.3)
FEWEST_DRAWS = 4  # per chain: half a chain needs two draws to have a variance
AT_ONCE = 2**15  # draws at once (256 KiB an array): what leaves the cache or is allocated anew takes twice as long
HOPELESS = 100.0  # an R-hat above it is not printed
SMALLEST_RANGE = 1e-15  # what varies less is constant (ArviZ's rule)


@dataclass(frozen=True)
class Convergence:
    """Rank-normalised split R-hat, bulk and tail effective sample size, in the shape of one draw.

    Of a scalar that is constant, R-hat is NaN and the sizes are the number of draws; where draws are not finite, or
    fewer than four per chain, all three are NaN.
    """

    rhat: np.ndarray
    ess_bulk: np.ndarray
    ess_tail: np.ndarray


def rhat_text(value: float) -> str:
    """R-hat with three decimals; of chains that have nothing in common the size says no more.

    >>> rhat_text(1.0034), rhat_text(9e15)
    ('1.003', 'above 100')
    """
    return f"above {HOPELESS:g}" if value > HOPELESS else f"{value:.3f}"


def convergence(draws: np.ndarray) -> Convergence:
    """R-hat and effective sample sizes of every scalar of `draws` (chains, draws, ...).

    Chains are split in halves, so that a single chain has an R-hat too. R-hat is the larger of that of the ranks and
    that of the ranks of distances from the median (eq. 4, 14 and section 4.2); the tail size is the smaller of those
    of the indicators of the 5 % and the 95 % quantile.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667-718.

    Examples
    --------
    >>> found = convergence(np.random.default_rng(1).standard_normal((4, 1000, 3)))
    >>> found.rhat.shape, bool(np.all(found.rhat < 1.01)), bool(np.all(found.ess_bulk > 3000))
    ((3,), True, True)
    """
    draws = np.asarray(draws, dtype=float)
    chains, length, *shape = draws.shape
    scalars = draws.reshape(chains, length, -1)
    found = np.full((3, scalars.shape[2]), np.nan)
    if length >= FEWEST_DRAWS and chains:
        step = max(1, AT_ONCE // (chains * length))
        for first in range(0, scalars.shape[2], step):
            block = slice(first, first + step)
            found[:, block] = _block(np.ascontiguousarray(np.moveaxis(scalars[:, :, block], 2, 0)))
    return Convergence(*found.reshape(3, *shape))


def bfmi(energy: np.ndarray) -> np.ndarray:
    """Estimated Bayesian fraction of missing information per chain from energies (chains, draws).

    NaN where the energy does not vary. Source: Betancourt (2016, arXiv:1604.00695), eq. 7.
    """
    energy = np.asarray(energy, dtype=float)
    if energy.shape[1] < 2:
        return np.full(len(energy), np.nan)
    spread = np.var(energy, axis=1, ddof=1)
    moves = np.mean(np.diff(energy, axis=1) ** 2, axis=1)
    return np.divide(moves, spread, out=np.full(len(energy), np.nan), where=spread > 0)


def _block(draws: np.ndarray) -> np.ndarray:
    """(3, m) of contiguous draws (m, chains, length)."""
    m, _chains, length = draws.shape
    halves = _halves(draws)
    flat = halves.reshape(m, -1)
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    z = _scores(ordered, order).reshape(halves.shape)
    whole = ordered if length % 2 == 0 else np.sort(draws.reshape(m, -1), axis=1)
    tails = [_effective_size(_halves(draws <= _quantile(whole, p)[:, None, None]).astype(float)) for p in TAILS]
    with np.errstate(invalid="ignore", divide="ignore"):  # constants divide zero by zero
        rhat = np.maximum(_rhat(z), _rhat(_folded_scores(ordered, order).reshape(halves.shape)))
    found = np.stack([rhat, _effective_size(z), np.minimum(*tails)])
    found[:, ~np.all(np.isfinite(whole[:, [0, -1]]), axis=1)] = np.nan  # sorted: NaN and infinities are at the ends
    return found


def _halves(draws: np.ndarray) -> np.ndarray:
    """Each chain as two (m, 2 * chains, length // 2); of an odd length the middle draw is left out."""
    m, chains, length = draws.shape
    half = length // 2
    ends = draws if length % 2 == 0 else np.concatenate([draws[..., :half], draws[..., -half:]], axis=-1)
    return ends.reshape(m, 2 * chains, half)


def _scores(ordered: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Normal scores (m, n) of ranks, ties averaged, back in the order of the draws.

    Blom's offset: Phi^-1((rank - 3/8) / (n + 1/4)), eq. 14. There are at most 2 n different ranks, and Phi^-1 of each
    is taken once.
    """
    n = ordered.shape[1]
    twice = np.arange(2, 2 * n + 2, 2)
    table = scipy.special.ndtri((np.arange(2 * n + 1) / 2 - 0.375) / (n + 0.25))
    same = ordered[:, 1:] == ordered[:, :-1]
    tied = same.any(axis=1)
    scores = np.broadcast_to(table[twice], ordered.shape)
    if tied.all():
        scores = table[_twice_average_ranks(same)]
    elif tied.any():
        scores = scores.copy()
        scores[tied] = table[_twice_average_ranks(same[tied])]
    unsorted = np.empty(ordered.shape)
    np.put_along_axis(unsorted, order, scores, axis=1)
    return unsorted


def _twice_average_ranks(same: np.ndarray) -> np.ndarray:
    """First plus last rank of the run of equal values that each sorted value is in; `same` (m, n - 1) as the next."""
    m, before = same.shape
    position = np.broadcast_to(np.arange(1, before + 2), (m, before + 1))
    edge = np.ones((m, 1), dtype=bool)
    starts = np.where(np.concatenate([edge, ~same], axis=1), position, 0)
    ends = np.where(np.concatenate([~same, edge], axis=1), position, before + 2)
    return np.maximum.accumulate(starts, axis=1) + np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]


def _folded_scores(ordered: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Normal scores of distances from the median."""
    middle = ordered.shape[1] // 2
    median = (ordered[:, middle - 1] + ordered[:, middle]) / 2
    with np.errstate(invalid="ignore"):  # infinite draws have no distance
        distance = np.abs(ordered - median[:, None])
    # The distances fall, then rise: the stable sort merges the two runs.
    again = np.argsort(distance, axis=1, kind="stable")
    return _scores(np.take_along_axis(distance, again, axis=1), np.take_along_axis(order, again, axis=1))


def _quantile(ordered: np.ndarray, probability: float) -> np.ndarray:
    """Quantile (m,) of sorted values (m, n), between neighbours as R's type 7."""
    n = ordered.shape[1]
    place = n * probability + 1 - probability
    k = int(min(max(place, 1), n - 1))
    above = min(max(place - k, 0.0), 1.0)
    with np.errstate(invalid="ignore"):
        return (1 - above) * ordered[:, k - 1] + above * ordered[:, k]


def _rhat(z: np.ndarray) -> np.ndarray:
    """Split R-hat (m,) of (m, chains, n), eq. 4."""
    n = z.shape[2]
    within = np.mean(np.var(z, axis=2, ddof=1), axis=1)
    between = n * np.var(np.mean(z, axis=2), axis=1, ddof=1)
    return np.sqrt((between / within + n - 1) / n)


def _effective_size(values: np.ndarray) -> np.ndarray:
    """Effective sample size (m,) of (m, chains, n): all draws over the integrated autocorrelation time, eq. 10-13.

    The sum over lags ends by Geyer's (1992, Statistical Science 7, 473-483) initial monotone sequence. Autocovariances
    are averaged over chains before the transform back, one per scalar.
    """
    m, chains, n = values.shape
    total = chains * n
    means = np.mean(values, axis=2)
    covariance = _autocovariance(values - means[:, :, None])
    within = covariance[:, 0] * n / (n - 1)
    marginal = covariance[:, 0] + np.var(means, axis=1, ddof=1)
    constant = np.ptp(values.reshape(m, -1), axis=1) < SMALLEST_RANGE
    marginal = np.where(constant, 1.0, marginal)
    rho = 1 - (within[:, None] - covariance) / marginal[:, None]
    rho[:, 0] = 1.0
    time = np.maximum(_integrated_time(rho), 1 / np.log10(total))  # antithetic chains: not more than n log10(n)
    return np.where(constant, float(total), total / time)


def _autocovariance(centred: np.ndarray) -> np.ndarray:
    """Autocovariance (m, n) at lags 0 .. n - 1, averaged over chains, of centred values (m, chains, n)."""
    n = centred.shape[2]
    padded = _fast_length(2 * n)
    parts = np.fft.rfft(centred, padded, axis=2).view(float)  # real and imaginary parts in turn
    squares = np.einsum("mck,mck->mk", parts, parts)
    power = (squares[:, ::2] + squares[:, 1::2]) / centred.shape[1]
    return np.fft.irfft(power, padded, axis=1)[:, :n] / n


def _integrated_time(rho: np.ndarray) -> np.ndarray:
    """-1 + 2 sum of autocorrelations (m, n) by Geyer's initial monotone sequence of sums of neighbours."""
    n = rho.shape[1]
    most = max(0, -(-(n - 2) // 2) - 1)  # the last pairs of lags rest on a handful of products: never used
    pairs = rho[:, 0 : 2 * most + 2 : 2] + rho[:, 1 : 2 * most + 2 : 2]
    positive = np.concatenate([pairs[:, :-1] > 0, np.zeros((len(rho), 1), dtype=bool)], axis=1)
    stop = np.argmin(positive, axis=1)[:, None]
    summed = np.cumsum(np.minimum.accumulate(pairs, axis=1), axis=1)
    whole = np.where(stop > 0, np.take_along_axis(summed, np.maximum(stop - 1, 0), axis=1), 0.0)
    # the even lag of the pair that ended the sum counts once where it is positive
    last = np.take_along_axis(rho, 2 * stop, axis=1)
    kept = (last > 0) | (np.take_along_axis(pairs, stop, axis=1) >= 0)
    return (-1 + 2 * whole + np.where(kept, last, 0.0))[:, 0]


def _fast_length(least: int) -> int:
    """The smallest number from `least` on with factors 2, 3 and 5 only, for which the transform is quick."""
    size = least
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1
