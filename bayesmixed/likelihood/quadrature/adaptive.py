"""Adaptive Gauss-Hermite quadrature over the levels of one factor: the integral and its exact gradient.

log of the integral of f(y | u) phi(u) per level, nodes u_j = u_hat + C'^-1 z_j with M = C C' (Liu & Pierce 1994,
Biometrika 81, 624-629; Pinheiro & Bates 1995, J. Comput. Graph. Stat. 4, 12-35): one node is Laplace's approximation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..laplace.approximation import Curved, LaplaceLikelihood
from ..laplace.rows import BlockRows, Rows
from .placing import Grid, Placement, moved

CHUNK = 2**17  # rows x nodes at once: arrays of 1 MiB stay in a processor's cache


@dataclass(frozen=True)
class Evaluated:
    """An integrand at c nodes: `log` (c, L) by level, and its derivatives where they were asked for.

    `g` (c, n) in each row's predictor, `phi` by name (c, L) in the dispersion, `factor` (c, L, m, m) in the factor of
    effects that the integrand integrates itself (None where there are none).
    """

    log: np.ndarray
    g: np.ndarray | None = None
    phi: Mapping[str, np.ndarray] = field(default_factory=dict)
    factor: np.ndarray | None = None


class Integrand(Protocol):
    """log f(y | u) by level of the effects u that are summed over."""

    def __call__(self, eta: np.ndarray, u: np.ndarray, slopes: bool) -> Evaluated:
        """At predictors eta (c, n), which hold the effects u (c, L, k)."""


@dataclass(frozen=True)
class Integral:
    """log of the integral (L,) and, as averages over the nodes with their posterior weights, its derivatives.

    `g` (n,) in the predictors; with nodes held still `own` (L, k, k) in Lambda; `centre` (L, k) in the modes and `P`
    (L, k, k) in the placement; `phi` by name (L,); `factor` (L, m, m) as in `Evaluated`.
    """

    log: np.ndarray
    g: np.ndarray
    own: np.ndarray
    centre: np.ndarray
    P: np.ndarray
    phi: dict[str, np.ndarray]
    factor: np.ndarray | None


@dataclass(frozen=True)
class Likelihood:
    """The density of the rows themselves as an integrand, by the levels of one block."""

    rows: Rows
    block: BlockRows
    dispersion: dict[str, float]
    free: tuple[str, ...]
    inside: np.ndarray  # (n,) predictors in the domain of the link, which stand for those that are not

    def __call__(self, eta: np.ndarray, u: np.ndarray, slopes: bool) -> Evaluated:
        low, high = self.rows.family.eta_range
        outside = (eta <= low) | (eta >= high) if np.isfinite(low) or np.isfinite(high) else None
        if outside is not None:
            eta = np.where(outside, self.inside, eta)
        found = self.rows.family.derivatives(self.rows.observed, eta, self.dispersion, 1 if slopes else 0)
        kernel = found.kernel if outside is None else np.where(outside, -np.inf, found.kernel)
        log = level_sums(self.block, kernel)
        if not slopes:
            return Evaluated(log)
        phi = {name: level_sums(self.block, found.slope(name)) for name in self.free}
        return Evaluated(log, found.g, phi)


def level_sums(block: BlockRows, values: np.ndarray, column: int | None = None) -> np.ndarray:
    """Sums (c, L) by level of values (c, n), times a column of the block where one is given."""
    c, L = len(values), block.n_levels
    values = values if column is None else block.weighted(column, values)
    codes = block.codes + L * np.arange(c)[:, None]
    return np.bincount(codes.ravel(), np.broadcast_to(values, codes.shape).ravel(), c * L).reshape(c, L)


class _Averages:
    """Sums over nodes that arrive in chunks, relative to the largest term so far: nothing overflows, little is held."""

    def __init__(self, block: BlockRows, Lambda: np.ndarray) -> None:
        L, k = block.n_levels, block.k
        self.block, self.Lambda = block, Lambda
        self.top, self.total = np.full(L, -np.inf), np.zeros(L)
        self.g = np.zeros(len(block.codes))
        self.by_level: dict[str, np.ndarray] = {
            "own": np.zeros((L, k, k)), "centre": np.zeros((L, k)), "P": np.zeros((L, k, k))
        }  # fmt: skip

    def add(self, z: np.ndarray, u: np.ndarray, log: np.ndarray, at: Evaluated) -> None:
        """Nodes z (c, k) at u (c, L, k) with log terms (c, L)."""
        top = np.maximum(self.top, log.max(axis=0))
        steady = np.where(np.isfinite(top), top, 0.0)
        kept, shares = np.exp(self.top - steady), np.exp(log - steady)
        self.top, self.total = top, self.total * kept + shares.sum(axis=0)
        if at.g is None:
            return
        block, codes = self.block, self.block.codes
        self.g = self.g * kept[codes] + np.einsum("cn,cn->n", shares[:, codes], at.g)
        Zg = np.stack([level_sums(block, at.g, j) for j in range(block.k)], axis=2)
        s = shares[:, :, None] * (Zg @ self.Lambda - u)
        self._add("centre", kept, s.sum(axis=0))
        self._add("P", kept, np.einsum("ca,clb->lab", z, s))
        self._add("own", kept, np.einsum("cla,clb->lab", shares[:, :, None] * Zg, u))
        for name, values in at.phi.items():
            self._add(f"phi {name}", kept, (shares * values).sum(axis=0))
        if at.factor is not None:
            self._add("factor", kept, np.einsum("cl,clab->lab", shares, at.factor))

    def _add(self, name: str, kept: np.ndarray, new: np.ndarray) -> None:
        old = self.by_level.get(name)
        self.by_level[name] = new if old is None else old * kept.reshape(-1, *[1] * (new.ndim - 1)) + new

    def integral(self, log_det: np.ndarray) -> Integral:
        """The averages, once every node has come."""
        if not np.all(self.total > 0):
            raise np.linalg.LinAlgError("every node of a level lies outside the domain of the link")
        means = {k: v / self.total.reshape(-1, *[1] * (v.ndim - 1)) for k, v in self.by_level.items()}
        phi = {name.removeprefix("phi "): value for name, value in means.items() if name.startswith("phi ")}
        log = np.log(self.total) + self.top - 0.5 * log_det
        g = self.g / self.total[self.block.codes]
        return Integral(log, g, means["own"], means["centre"], means["P"], phi, means.get("factor"))


def integrate(
    integrand: Integrand,
    block: BlockRows,
    Lambda: np.ndarray,
    fixed: np.ndarray,
    placed: Placement,
    grid: Grid,
    *,
    slopes: bool,
) -> Integral:
    """Sum an integrand over the nodes of every level of `block`; `fixed` (n,) is the predictor without its effects."""
    averages = _Averages(block, Lambda)
    step = max(1, CHUNK // max(len(fixed), block.n_levels * block.k))
    for first in range(0, len(grid.z), step):
        z = grid.z[first : first + step]
        u = placed.at(z)
        b = u @ Lambda.T
        eta = np.repeat(fixed[None], len(z), axis=0)
        for j in range(block.k):
            eta += block.weighted(j, b[:, block.codes, j])
        at = integrand(eta, u, slopes)
        log = at.log + grid.log_w[first : first + step, None] - 0.5 * np.einsum("cla,cla->cl", u, u)
        averages.add(z, u, log, at)
    return averages.integral(placed.log_det)


@dataclass(frozen=True)
class Slopes:
    """log of an integral (L,) by level and its derivatives: `eta` (n,), `factor` (L, k, k), `phi` by name (L,)."""

    log: np.ndarray
    eta: np.ndarray
    factor: np.ndarray
    phi: dict[str, np.ndarray]


def one_factor(
    rows: Rows,
    Lambda: np.ndarray,
    dispersion: tuple[dict[str, float], tuple[str, ...]],
    curved: Curved,
    grid: Grid,
    *,
    slopes: bool,
) -> Slopes:
    """The integral over the effects of the only block of `rows`, its derivatives empty unless `slopes`.

    `dispersion` are the values by name, and the names of those that are free.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the Hessian of a level is not positive definite.
    """
    block, d, A = rows.block_rows[0], curved.derivatives, curved.gram.zz[0]
    with np.errstate(over="ignore", invalid="ignore"):
        M = Lambda.T @ A @ Lambda + np.eye(block.k)
    if not np.isfinite(M).all():
        raise np.linalg.LinAlgError("the curvature of a level overflows")
    placed = Placement.of(curved.mode.u[0], M)
    fixed = curved.mode.eta - block.spread(curved.mode.b[0])
    density = Likelihood(rows, block, *dispersion, curved.mode.eta)
    found = integrate(density, block, Lambda, fixed, placed, grid, slopes=slopes)
    if not slopes:
        return Slopes(found.log, found.g, found.own, {})
    M_slope = placed.slope(found.P)
    h = block.quadratic(Lambda @ M_slope @ Lambda.T)
    back = moved(rows, curved, [Lambda], h * d.dV, [found.centre])
    factor = found.own + 2 * A @ Lambda @ M_slope + back.factor_slopes(0, block)
    phi = {
        name: found.phi[name] + np.bincount(block.codes, back.through(name, h), block.n_levels)
        for name in dispersion[1]
    }
    return Slopes(found.log, found.g + back.zeta, factor, phi)


@dataclass(frozen=True)
class OneFactor:
    """The log-likelihood of a model with one grouping factor by quadrature, at a conditional mode."""

    laplace: LaplaceLikelihood
    grid: Grid

    def loglik(self, x: np.ndarray, curved: Curved) -> float:
        """With every constant."""
        return float(self.logs(x, curved).sum()) + self.laplace.constant

    def logs(self, x: np.ndarray, curved: Curved) -> np.ndarray:
        """log of the integral (L,) of each level, without the constant."""
        return self._found(x, curved, slopes=False).log

    def loglik_and_gradient(self, x: np.ndarray, curved: Curved) -> tuple[float, np.ndarray]:
        """The log-likelihood and its exact gradient in x, the movement of the nodes included."""
        found = self._found(x, curved, slopes=True)
        gradient = gradient_of(self.laplace, x, found.eta, [found.factor.sum(axis=0)], found.phi)
        return float(found.log.sum()) + self.laplace.constant, gradient

    def _found(self, x: np.ndarray, curved: Curved, slopes: bool) -> Slopes:
        laplace, dispersion = self.laplace, self.laplace.beside(x)[1]
        Lambda = laplace.factors(x)[0]
        return one_factor(laplace.rows, Lambda, (dispersion, laplace.free), curved, self.grid, slopes=slopes)


def gradient_of(
    laplace: LaplaceLikelihood,
    x: np.ndarray,
    eta: np.ndarray,
    factors: list[np.ndarray],
    phi: Mapping[str, np.ndarray],
) -> np.ndarray:
    """d / dx from derivatives in the predictors (n,), in Lambda of each block, and in the dispersion by level."""
    dispersion = laplace.beside(x)[1]
    theta = laplace.theta.pull_back(x, laplace.rows.blocks, factors)
    sums = {name: float(phi[name].sum()) for name in laplace.free}
    return np.concatenate([theta, laplace.rows.Q.T @ eta, laplace.pulled(dispersion, sums)])
