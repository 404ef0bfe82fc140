"""Conditional modes of the effects of one grouping factor, for many responses at as many parameters, side by side.

The Newton steps of `laplace.mode`, where levels do not interact: arrays have the rows (or the levels) first and the
responses last, so that sums by level are one sparse product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ...families import Derivatives, Observed
from ..laplace.rows import Rows
from .small import applied, lower_inverse, lower_root, product, transposed

MAX_STEPS = 50
SETTLED = 1e-13  # Newton decrement (squared length of a step in sds) after which a step leaves an error of its square
ULPS = 1e-12  # of a value's size: its rounding
LAST = 1e-8  # by which a last step may raise the value: it is below what values show
HALVINGS = 30
FLOOR = 1e-3  # of the mean curvature: what a row without curvature of its own is given in a step


@dataclass(frozen=True)
class LevelRows:
    """The rows of the only grouping factor: `columns` per column (n, 1), None for ones, and `by_level` (L, n) sums."""

    codes: np.ndarray
    columns: tuple[np.ndarray | None, ...]
    by_level: sparse.csr_array

    @classmethod
    def of(cls, rows: Rows) -> LevelRows | None:
        """Those of a model's rows; None without a factor."""
        if not rows.block_rows:
            return None
        block = rows.block_rows[0]
        entries = np.ones(rows.n), (block.codes, np.arange(rows.n))
        columns = tuple(None if z is None else z[:, None] for z in block.columns)
        return cls(block.codes, columns, sparse.csr_array(entries, shape=(block.n_levels, rows.n)))

    def times(self, j: int, values: np.ndarray) -> np.ndarray:
        """Column j times values (n, B)."""
        z = self.columns[j]
        return values if z is None else z * values

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Z' values (k, L, B)."""
        return np.array([self.by_level @ self.times(j, values) for j in range(len(self.columns))])

    def products(self, V: np.ndarray) -> np.ndarray:
        """Z' V Z per level (k, k, L, B)."""
        k = len(self.columns)
        found = np.empty((k, k, self.by_level.shape[0], V.shape[1]))
        for i in range(k):
            for j in range(i + 1):
                found[i, j] = found[j, i] = self.by_level @ self.times(j, self.times(i, V))
        return found

    def spread(self, b: np.ndarray) -> np.ndarray:
        """Z b (n, B) for b (k, L, B)."""
        return np.sum([self.times(j, b[j][self.codes]) for j in range(len(self.columns))], axis=0)

    def quadratic(self, C: np.ndarray) -> np.ndarray:
        """z_i' C z_i (n, B) with the block of each row's level, C (k, k, L, B)."""
        total = np.zeros((len(self.codes), C.shape[-1]))
        for i in range(len(self.columns)):
            for j in range(i + 1):
                total += self.times(i, self.times(j, C[i, j][self.codes])) * (1.0 if i == j else 2.0)
        return total


@dataclass(frozen=True)
class ManyValues:
    """What B points stand for: `fixed` (n, B) predictors without effects, `Lambda` (k, k, B), dispersion (1, B)."""

    y: np.ndarray
    fixed: np.ndarray
    Lambda: np.ndarray
    dispersion: Mapping[str, np.ndarray]

    def take(self, some: np.ndarray) -> ManyValues:
        """Some of them."""
        dispersion = {name: value[:, some] for name, value in self.dispersion.items()}
        return ManyValues(self.y[:, some], self.fixed[:, some], self.Lambda[:, :, some], dispersion)


@dataclass(frozen=True)
class ManyModes:
    """Modes `u` (k, L, B), predictors (n, B), values -2 kernel + u'u (B,), inf where there is none."""

    u: np.ndarray
    eta: np.ndarray
    values: np.ndarray


def derivatives(rows: Rows, values: ManyValues, eta: np.ndarray, order: int) -> Derivatives:
    """Those of the family at predictors (n, B)."""
    _, weights, trials = rows.observed
    seen = Observed(
        values.y, None if weights is None else weights[:, None], None if trials is None else trials[:, None]
    )
    return rows.family.derivatives(seen, eta, dict(values.dispersion), order)


def find_modes(rows: Rows, levels: LevelRows | None, values: ManyValues, u: np.ndarray) -> ManyModes:
    """Minimise -2 log f + u'u of every response from u (k, L, B)."""
    at = _valued(rows, levels, values, u)
    lost = ~np.isfinite(at.values)
    if lost.any():
        at = _put(at, lost, _valued(rows, levels, values.take(lost), np.zeros_like(u[:, :, lost])))
    if levels is None:
        return at
    going, settled = np.flatnonzero(np.isfinite(at.values)), np.zeros(len(at.values), dtype=bool)
    for _ in range(MAX_STEPS):
        if not len(going):
            break
        some = values.take(going)
        here = ManyModes(at.u[:, :, going], at.eta[:, going], at.values[going])
        new, there, moved = _stepped(rows, levels, some, here)
        at = _put(at, going, new)
        settled[going] = there
        going = going[~there & moved]
    return replace(at, values=np.where(settled, at.values, np.inf))


def _stepped(
    rows: Rows, levels: LevelRows, values: ManyValues, at: ManyModes
) -> tuple[ManyModes, np.ndarray, np.ndarray]:
    """The next points, which of them are modes, and which have moved."""
    found = derivatives(rows, values, at.eta, 2)
    V = found.V
    if V.min(initial=1.0) <= 0:
        sizes = np.abs(V)
        V = np.where(V > 0, V, np.maximum(sizes, FLOOR * sizes.mean(axis=0)))
    Lambda = values.Lambda[:, :, None]
    M = product(transposed(Lambda), product(levels.products(V), Lambda))
    M[np.arange(len(M)), np.arange(len(M))] += 1.0
    half = lower_inverse(lower_root(M))
    right = applied(transposed(Lambda), levels.sums(found.g)) - at.u
    left = applied(half, right)
    du = applied(transposed(half), left)
    decrement = np.sum(left**2, axis=(0, 1))
    small = decrement < SETTLED
    slack = ULPS * (1 + np.abs(at.values)) + np.where(small, LAST, 0.0)
    size = np.ones(len(decrement))
    new = _valued(rows, levels, values, at.u + du)
    for _ in range(HALVINGS):
        fell = ~(new.values <= at.values + slack)
        trying = np.flatnonzero(fell & (size * decrement >= slack))
        if not len(trying):
            break
        size[trying] /= 2
        tried = _valued(rows, levels, values.take(trying), at.u[:, :, trying] + size[trying] * du[:, :, trying])
        new = _put(new, trying, tried)
    fell = ~(new.values <= at.values + slack)
    new = _put(new, fell, ManyModes(at.u[:, :, fell], at.eta[:, fell], at.values[fell]))
    return new, small | (fell & (decrement < slack)), ~fell & np.isfinite(decrement)


def _valued(rows: Rows, levels: LevelRows | None, values: ManyValues, u: np.ndarray) -> ManyModes:
    """Points with their values, infinite outside the link's domain."""
    eta = values.fixed
    if levels is not None:
        eta = eta + levels.spread(applied(values.Lambda[:, :, None], u))
    low, high = rows.eta_range
    outside = np.zeros(eta.shape[1], dtype=bool)
    if low > -np.inf or high < np.inf:
        outside = np.any((eta <= low) | (eta >= high), axis=0)
        eta = np.where(outside, np.nan, eta)
    found = derivatives(rows, values, eta, 0).kernel
    value = -2 * found.sum(axis=0) + np.sum(u**2, axis=(0, 1))
    return ManyModes(u, eta, np.where(outside | ~np.isfinite(value), np.inf, value))


def _put(old: ManyModes, some: np.ndarray, new: ManyModes) -> ManyModes:
    """The old points with some replaced."""
    u, eta, values = old.u.copy(), old.eta.copy(), old.values.copy()
    u[:, :, some], eta[:, some], values[some] = new.u, new.eta, new.values
    return ManyModes(u, eta, values)
