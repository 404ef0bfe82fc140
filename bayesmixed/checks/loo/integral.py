"""The integral over a few standard normal effects of the density of some rows, for many draws of everything else.

Per draw: log of the integral of prod f(y_i | eta_i + z_i' F u) N(u; 0, I). The mode is found by Newton's method for all
draws at once, and the integrand is summed about it in the coordinates of its curvature: at the nodes of an adaptive
Gauss-Hermite rule (Pinheiro & Bates 1995, J. Comput. Graph. Stat. 4, 12-35), few first and more for draws where they do
not suffice; or, of many effects, at pairs of opposite draws from a t distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln

from ...families import Family, Observed
from ...likelihood.newton import Ascent, Point, Step, climb

NODES = {1: (6, 9, 15, 31), 2: (6, 9, 15), 3: (4, 7)}  # per dimension, tried in turn; more are sampled
ENOUGH = 1e-2  # of the last Hermite coefficients of the integrand over its Gaussian: errors were below 2e-5 then
SAME = 1e-5  # between the logs of two rules in turn
PAIRS = (64, 256)  # of opposite points of the importance sampling per draw, tried in turn
ROUGH = 0.03  # relative standard error of a sampled integral from which more points are drawn
FREEDOM = 5  # of its t distribution: tails above those of the integrand, whose prior is normal
CHUNK = 2**16  # numbers of one array: 512 KiB, which stay in a processor's cache
STEPS = 60  # Newton's, per draw; the mode needs few, and halved steps some
NEAR = 1e-3  # squared length of a last Newton step in sds of the integrand: what is left is its square
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class RowsIntegrand(Ascent["Local", "LocalStep"]):
    """Of d draws: log f(y | eta + Z F u) - u'u / 2 at u (d, q).

    `eta` (d, n), `Z` (n, q), `F` (d, q, q), `dispersion` (d, 1) by name; `constant` are terms of log f without either.
    """

    family: Family
    seen: Observed
    eta: np.ndarray
    Z: np.ndarray
    F: np.ndarray
    dispersion: dict[str, np.ndarray]
    constant: float

    def of(self, draws: np.ndarray) -> RowsIntegrand:
        """That of some of the draws."""
        if len(draws) == len(self.eta):
            return self
        dispersion = {name: value[draws] for name, value in self.dispersion.items()}
        return RowsIntegrand(self.family, self.seen, self.eta[draws], self.Z, self.F[draws], dispersion, self.constant)

    def at_points(self, u: np.ndarray) -> np.ndarray:
        """(d, points) at u (d, points, q), -inf outside the support."""
        d, points, q = u.shape
        b = u @ np.swapaxes(self.F, 1, 2)
        eta = (b.reshape(-1, q) @ self.Z.T).reshape(d, points, -1) + self.eta[:, None]
        dispersion = {name: value[:, None] for name, value in self.dispersion.items()}
        with np.errstate(all="ignore"):
            kernel = self.family.derivatives(self.seen, eta, dispersion, 0).kernel
        return self._total(kernel, eta) - np.sum(u**2, axis=-1) / 2

    def point(self, u: np.ndarray) -> Local:
        """Value, gradient and curvature at u (d, q), rows that bend the wrong way left out of the last."""
        eta = self.eta + (self.F @ u[..., None])[..., 0] @ self.Z.T
        with np.errstate(all="ignore"):
            found = self.family.derivatives(self.seen, eta, self.dispersion, 2)
        V = np.maximum(np.nan_to_num(np.broadcast_to(found.V, eta.shape), posinf=0.0), 0.0)
        g = np.nan_to_num(found.g, posinf=0.0, neginf=0.0)
        Ft = np.swapaxes(self.F, 1, 2)
        gradient = (Ft @ (g @ self.Z)[..., None])[..., 0] - u
        curvature = Ft @ self._squares(V) @ self.F + np.eye(u.shape[1])
        return Local(self._total(found.kernel, eta) - np.sum(u**2, axis=-1) / 2, u, gradient, curvature)

    def step(self, at: Local) -> LocalStep:
        step = np.linalg.solve(at.curvature, at.gradient[..., None])[..., 0]
        return LocalStep(np.einsum("di,dij,dj->d", step, at.curvature, step), step)

    def moved(self, at: Local, step: LocalStep, size: Any, last: Any) -> Local:
        return self.point(at.u + np.asarray(size)[..., None] * step.u)

    def negligible(self, at: Local, step: LocalStep) -> np.ndarray:
        return step.decrement <= NEAR

    def _squares(self, V: np.ndarray) -> np.ndarray:
        """Z' V Z (d, q, q) from V (d, n): of pairs of columns alone that meet in a row."""
        q = self.Z.shape[1]
        there = (self.Z != 0).astype(float)
        a, b = np.nonzero(np.triu(there.T @ there))
        found = np.zeros((len(V), q, q))
        found[:, a, b] = found[:, b, a] = V @ (self.Z[:, a] * self.Z[:, b])
        return found

    def _total(self, kernel: np.ndarray, eta: np.ndarray) -> np.ndarray:
        total = np.sum(np.broadcast_to(kernel, eta.shape), axis=-1) + self.constant
        low, high = self.family.eta_range
        out = np.isnan(total)
        if low > -np.inf:
            out |= np.any(eta <= low, axis=-1)
        if high < np.inf:
            out |= np.any(eta >= high, axis=-1)
        return np.where(out, -np.inf, total)


@dataclass(frozen=True)
class Local(Point):
    """The integrand's log `value` (d,), `gradient` (d, q) and minus its Hessian, `curvature` (d, q, q), at `u`."""

    u: np.ndarray
    gradient: np.ndarray
    curvature: np.ndarray


@dataclass(frozen=True)
class LocalStep(Step):
    """A full step (d, q)."""

    u: np.ndarray


def log_integral(integrand: RowsIntegrand, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """log of the integral (d,), from modes near `start` (d, q)."""
    q = start.shape[1]
    if q == 0:
        return integrand.at_points(start[:, None])[:, 0]
    about = mode(integrand, start)
    L = np.linalg.cholesky(about.curvature)
    half = np.swapaxes(np.linalg.inv(L), 1, 2)
    logs = np.sum(np.log(np.diagonal(L, axis1=1, axis2=2)), axis=1)
    found = _by_quadrature(integrand, about.u, half) if q in NODES else _by_sampling(integrand, about, half, rng)
    return found - logs


def mode(integrand: RowsIntegrand, u: np.ndarray) -> Local:
    """Where each draw's integrand is largest, by Newton steps from u (d, q)."""
    return climb(integrand, integrand.point(u), STEPS).at


def _by_quadrature(integrand: RowsIntegrand, u: np.ndarray, half: np.ndarray) -> np.ndarray:
    """log of the integral (d,) in the coordinates x of u + half x, by the first rule that suffices or else the last."""
    found = np.full(len(u), np.inf)
    left = np.arange(len(u))
    for nodes in NODES[u.shape[1]]:
        values, doubt = _by_rule(integrand.of(left), u[left], half[left], _rule(nodes, u.shape[1]))
        same = np.abs(values - found[left]) < SAME
        found[left] = values
        left = left[~(same | (doubt < ENOUGH))]
        if not len(left):
            break
    return found


def _by_rule(integrand: RowsIntegrand, u: np.ndarray, half: np.ndarray, rule: _Rule) -> tuple[np.ndarray, np.ndarray]:
    """log of the integral (d,), and how large the last coefficients of its series are."""
    values, doubt = np.empty(len(u)), np.empty(len(u))
    for some in _slices(len(u), len(rule.x) * integrand.eta.shape[1]):
        spread = rule.x @ np.swapaxes(half[some], 1, 2)
        at = integrand.of(np.arange(len(u))[some]).at_points(u[some, None] + spread) + rule.log_w
        top = np.max(at, axis=1)
        shares = np.exp(at - top[:, None])
        total = np.sum(shares, axis=1)
        values[some] = top + np.log(total)
        doubt[some] = np.max(np.abs(shares @ rule.last), axis=1) / total
    return values, doubt


@dataclass(frozen=True)
class _Rule:
    """Nodes `x` (m, q), `log_w` (m,) by which to weigh a density, and the two `last` Hermite functions (m, 2 q)."""

    x: np.ndarray
    log_w: np.ndarray
    last: np.ndarray


def _rule(nodes: int, q: int) -> _Rule:
    """The factor (2 pi)^(-q/2) of the normal distribution of the effects is in the weights.

    The integrand over its Gaussian is a series of Hermite polynomials, whose first coefficient is the integral. The
    last ones that the nodes can tell, relative to it, say how fast the series falls, and what is neglected begins at
    twice their degree.
    """
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    x = np.stack(np.meshgrid(*[z] * q, indexing="ij"), axis=-1).reshape(-1, q)
    log_w = np.stack(np.meshgrid(*[np.log(w / np.sqrt(2 * np.pi))] * q, indexing="ij"), axis=-1)
    degrees = (nodes - 2, nodes - 1)
    last = [
        np.polynomial.hermite_e.hermeval(x, np.eye(nodes)[degree]) / np.exp(gammaln(degree + 1) / 2)
        for degree in degrees
    ]
    return _Rule(x, log_w.reshape(-1, q).sum(axis=1) + np.sum(x**2, axis=1) / 2, np.concatenate(last, axis=1))


def _by_sampling(integrand: RowsIntegrand, about: Local, half: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """log of the integral (d,) by importance sampling at pairs x, -x in the coordinates of about.u + half x.

    Of the integrand over its Gaussian, whose integral is 1, or of the integrand alone where that varies less.
    """
    d, q = about.u.shape
    sums, found = np.zeros((d, 4)), np.empty(d)  # of the integrand, of it less its Gaussian, of the squares of both
    left, pairs = np.arange(d), 0
    for more in PAIRS:
        for some in _slices(len(left), 2 * more * (integrand.eta.shape[1] + q)):
            which = left[some]
            whole, less = _pairs(integrand.of(which), about.of(which), half[which], more, rng)
            sums[which] += np.stack([np.sum(v, axis=1) for v in (whole, less, whole**2, less**2)], axis=1)
        pairs += more
        total, error = _estimate(sums[left] / pairs, pairs)
        found[left] = np.log(total)
        left = left[~(error < ROUGH * total)]
        if not len(left):
            break
    return found + about.value


def _pairs(
    integrand: RowsIntegrand, about: Local, half: np.ndarray, pairs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(d, pairs): the integrand relative to its mode over the t density, and less its Gaussian over that."""
    d, q = about.u.shape
    scale = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, size=(d, pairs, 1)))
    x = rng.standard_normal((d, pairs, q)) * scale
    square = np.sum(x**2, axis=-1)
    log_t = (
        gammaln((FREEDOM + q) / 2)
        - gammaln(FREEDOM / 2)
        - q / 2 * np.log(FREEDOM / 2)
        - (FREEDOM + q) / 2 * np.log1p(square / FREEDOM)
    )  # times (2 pi)^(q/2), the factor of the effects' normal distribution and of the Gaussian
    spread = x @ np.swapaxes(half, 1, 2)
    points = about.u[:, None] + np.concatenate([spread, -spread], axis=1)
    logs = integrand.at_points(points) - about.value[:, None]
    whole = (np.exp(logs[:, :pairs] - log_t) + np.exp(logs[:, pairs:] - log_t)) / 2
    return whole, whole - np.exp(-square / 2 - log_t)


def _estimate(means: np.ndarray, pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """The integral (d,) and its standard error from the means (d, 4) of `_by_sampling`."""
    errors = np.sqrt(np.maximum(means[:, 2:] - means[:, :2] ** 2, 0.0) / pairs)
    less = (errors[:, 1] < errors[:, 0]) & (1 + means[:, 1] > 0)
    return np.where(less, 1 + means[:, 1], means[:, 0]), np.where(less, errors[:, 1], errors[:, 0])


def _slices(draws: int, numbers_per_draw: int) -> list[slice]:
    step = max(1, CHUNK // numbers_per_draw)
    return [slice(first, first + step) for first in range(0, draws, step)]
