"""The exact null law of the (restricted) likelihood ratio of one variance, simulated from its spectrum.

With V = sigma^2 (I + lambda Z Z'), M = I - X (X'X)^- X' and mu_s the eigenvalues of Z'MZ, under lambda = 0 the ratio
has the law of sup over lambda >= 0 of

    (n - p) log(S(0) / S(lambda)) - sum log(1 + lambda mu_s),    S(lambda) = sum w_s^2 / (1 + lambda mu_s) + rest,

w_s standard normal, rest chi-squared of the other n - p - K dimensions; by ML n stands for n - p and the eigenvalues of
Z'Z for those in the sum of logarithms. Crainiceanu & Ruppert (2004), J. R. Stat. Soc. B 66, 165-185, theorem 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...fits.point import PointFit
from ...model import Model
from ...prediction.seeds import generator

VALUES = 10_000  # simulated
LARGEST = 2000  # rows of a matrix whose spectrum is found in a second
PER_DECADE, FARTHEST = 20, 1e4  # grid of lambda; how far beyond 1 / mu it goes
AT_ONCE = 4_000_000  # normal numbers held at a time
ZERO, SAME = 1e-10, 1e-9  # of the largest eigenvalue: what is none; which are one


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What the null law is made of: distinct eigenvalues `mu` (m,) with their `times`, `xi` (q,) of log|V|.

    `factor` is what the logarithm of the ratio of sums of squares is times, `rest` the dimensions without eigenvalue.
    """

    mu: np.ndarray
    times: np.ndarray
    xi: np.ndarray
    factor: int
    rest: int

    @property
    def grid(self) -> np.ndarray:
        """Values of lambda (m,) at which the supremum is looked for, evenly spaced in logarithms."""
        low, high = np.log10(1e-3 / self.mu.max()), np.log10(FARTHEST / self.mu.min())
        return np.logspace(low, high, int(np.ceil(PER_DECADE * (high - low))) + 1)

    def suprema(self, squares: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """The ratios (N,) of sums of squares (N, m) in the eigenspaces and of the others (N,)."""
        grid = self.grid
        logs = np.sum(np.log1p(np.multiply.outer(grid, self.xi)), axis=1)
        left = squares @ (1 / (1 + np.multiply.outer(self.mu, grid))) + rest[:, None]
        found = self.factor * np.log((np.sum(squares, axis=1) + rest)[:, None] / left) - logs
        return np.maximum(_peaks(found), 0.0)


def spectrum(model: Model, restricted: bool) -> Spectrum | None:
    """That of a linear model with one bar of one column; None where it is too large, or leaves no residual."""
    design = model.design
    (term,), used = design.groups, design.used
    root = np.ones(model.n_obs) if design.weights is None else np.sqrt(design.weights[used])
    X, z, codes = design.mu.X[used] * root[:, None], term.Z[used, 0] * root, term.codes[used]
    Q = np.linalg.qr(X)[0]
    sizes = np.bincount(codes, z**2, minlength=term.n_levels)
    C = np.array([np.bincount(codes, z * q, minlength=term.n_levels) for q in Q.T]).reshape(-1, term.n_levels)
    values = _eigenvalues(sizes, C)
    if values is None:
        return None
    values = values[values > ZERO * sizes.max()]
    n, p = X.shape
    if not len(values) or n - p <= len(values):
        return None
    mu, times = _distinct(values)
    of_logs = np.repeat(mu, times) if restricted else sizes[sizes > 0]
    return Spectrum(mu, times, of_logs, n - p if restricted else n, n - p - len(values))


def _eigenvalues(sizes: np.ndarray, C: np.ndarray) -> np.ndarray | None:
    """Those (q,) of diag(sizes) - C'C for C (p, q), ascending; None where it has too many sizes.

    Among levels of one size all directions that C does not see keep that size: they need no matrix.
    """
    p, plain, kept, columns = len(C), [], [], []
    for size in np.unique(sizes):
        own = C[:, sizes == size]
        if own.shape[1] > p:
            plain += [size] * (own.shape[1] - p)
            R: np.ndarray = np.linalg.qr(own.T, mode="r")  # type: ignore[assignment]
            own = R.T
        kept += [size] * own.shape[1]
        columns.append(own)
    if len(kept) > LARGEST:
        return None
    seen = np.hstack(columns)
    return np.sort(np.concatenate([plain, np.linalg.eigvalsh(np.diag(kept) - seen.T @ seen)]))


def simulated(found: Spectrum, seed: int | None, n: int = VALUES) -> np.ndarray:
    """Ratios (n,) under the smaller model."""
    rng, parts = generator(seed), []
    step = max(1, AT_ONCE // len(found.mu))
    for first in range(0, n, step):
        size = min(step, n - first)
        if np.all(found.times == 1):
            squares = rng.standard_normal((size, len(found.mu))) ** 2
        else:
            squares = rng.chisquare(found.times, (size, len(found.mu)))
        parts.append(found.suprema(squares, rng.chisquare(found.rest, size)))
    return np.concatenate(parts)


def exact_p(small: PointFit, large: PointFit, ratio: float, seed: int | None) -> float:
    """The p of one variance that is the only one, NaN where it is not: (1 + how many reach the ratio) / (1 + 10,000).

    Both fits are of linear models with one free sigma and the same fixed part, and by the same criterion.
    """
    if not _single(small.model, large.model):
        return float("nan")
    found = spectrum(large.model, large.engine.restricted)
    if found is None:
        return float("nan")
    values = simulated(found, seed)
    return float((1 + np.sum(values >= ratio)) / (1 + len(values)))


def _single(small: Model, large: Model) -> bool:
    linear = all(model.has_scale and "sigma" in model.free for model in (small, large))
    bars = large.design.groups
    return linear and not small.design.groups and len(bars) == 1 and len(bars[0].columns) == 1


def _distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (ascending) without repetition, and how often each is there."""
    first = np.flatnonzero(np.diff(values, prepend=-np.inf) > SAME * values[-1])
    return values[first], np.diff(np.append(first, len(values)))


def _peaks(found: np.ndarray) -> np.ndarray:
    """The largest of each row (N, m), of a parabola through it and its neighbours."""
    at = np.clip(np.argmax(found, axis=1), 1, found.shape[1] - 2)
    rows = np.arange(len(found))
    left, top, right = (found[rows, at + i] for i in (-1, 0, 1))
    bend = left - 2 * top + right
    gain = np.where(bend < 0, -((right - left) ** 2) / (8 * np.where(bend < 0, bend, -1.0)), 0.0)
    inside = (top >= left) & (top >= right)
    return np.where(inside, top + gain, np.max(found, axis=1))
