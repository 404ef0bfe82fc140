"""How likely all rows of a group are together per draw, with the random effects that only they speak of integrated out.

Given a draw of the parameters and of the effects that other groups' rows share, the rows of one group are independent
of all others, so that leaving the group out needs log p(y_g | draw) = log of the integral of
prod f(y_i | eta_i + z_i'b) N(b; 0, Sigma) over its own effects b alone. Of normal responses it has a closed form
(MATHEMATICS section 2); else it is an adaptive Gauss-Hermite rule (Pinheiro & Bates 1995, J. Comput. Graph. Stat. 4,
12-35) or importance sampling from a t distribution, about the mode, in the coordinates of its curvature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, logsumexp

from ..families import Observed, observed
from ..formula.design import GroupTerm
from ..parameters import Parameters
from ..prediction.linear_predictor import group_contribution
from ..prediction.seeds import generator

if TYPE_CHECKING:
    from ..model import Model

NODES = {1: 15, 2: 9, 3: 7}  # of the quadrature per dimension; more dimensions are sampled
SAMPLES = 500  # points of the importance sampling per draw
FREEDOM = 5  # of its t distribution: tails above those of the integrand, whose prior is normal
CHUNK = 2**21  # numbers of one array (16 MiB)
STEPS = 60  # Newton's, per draw; the mode needs few, and halved steps some
SETTLED = 1e-6  # squared length of a Newton step in prior sds: the rule about the mode need not know it better
LOG_2PI = float(np.log(2 * np.pi))


def integrated_log_likelihood(
    model: Model, parameters: Parameters, members: Sequence[np.ndarray], seed: int | None
) -> Iterator[np.ndarray]:
    """log p(y_g | draw) (chains, draws, groups), every constant included, for a few groups at a time.

    Parameters
    ----------
    model
        With a response.
    parameters
        Draws (chains, draws).
    members
        Row numbers of each group, disjoint, of positive weight.
    seed
        For what is sampled: more than three effects in one group, not normal.
    """
    flat, rng = parameters.flat(), generator(seed)
    own = own_levels(model, members)
    step = max(1, CHUNK // flat.n_draws)
    for first in range(0, len(members), step):
        some = range(first, min(first + step, len(members)))
        parts = (_part(model, members[g], [np.flatnonzero(levels == g) for levels in own]) for g in some)
        found = np.stack([_of_group(part, flat, rng) for part in parts], axis=-1)
        yield found.reshape(*parameters.beta.shape[:2], len(some))


def _of_group(part: _Part, draws: Parameters, rng: np.random.Generator) -> np.ndarray:
    step = max(1, CHUNK // part.numbers_per_draw)
    blocks = (draws.take(slice(first, first + step)) for first in range(0, draws.n_draws, step))
    return np.concatenate([part.log_likelihood(block, rng) for block in blocks])


def own_levels(model: Model, members: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Per term, the group (L,) that alone has rows of each level; -1 where several have, or none."""
    groups = np.full(model.design.n_rows, -1)
    for g, rows in enumerate(members):
        groups[rows] = g
    used = groups >= 0
    return [_only(term.codes[used], groups[used], term.n_levels) for term in model.design.groups]


def how_integrated(model: Model, members: Sequence[np.ndarray]) -> str:
    """In words, how the effects are integrated out."""
    most = max(_own_effects(model, own_levels(model, members), len(members)), default=0)
    if most == 0:
        return "none: no level belongs to one of these groups alone"
    if model.has_scale:
        return "exactly"
    return f"quadrature, {NODES[most]} nodes per effect" if most in NODES else f"{SAMPLES} importance draws each"


def _own_effects(model: Model, own: list[np.ndarray], groups: int) -> np.ndarray:
    terms = zip(model.design.groups, own, strict=True)
    counts = [np.bincount(levels[levels >= 0], minlength=groups) * term.Z.shape[1] for term, levels in terms]
    return np.sum(counts, axis=0, dtype=int) if counts else np.zeros(groups, dtype=int)


def _only(codes: np.ndarray, groups: np.ndarray, n_levels: int) -> np.ndarray:
    lowest, highest = np.full(n_levels, np.iinfo(int).max), np.full(n_levels, -1)
    np.minimum.at(lowest, codes, groups)
    np.maximum.at(highest, codes, groups)
    return np.where(lowest == highest, highest, -1)


@dataclass(frozen=True)
class _Part:
    """The rows of one group, and which levels of each term are theirs alone: `size` effects together."""

    model: Model
    seen: Observed
    X: np.ndarray
    offset: np.ndarray
    terms: list[GroupTerm]
    levels: list[np.ndarray]
    size: int

    @property
    def numbers_per_draw(self) -> int:
        n, q = len(self.X), self.size
        points = 1 if self.model.has_scale else NODES[q] ** q if q in NODES else SAMPLES if q else 1
        return (n + q) * (q + points + 1)

    def log_likelihood(self, draws: Parameters, rng: np.random.Generator) -> np.ndarray:
        """(draws,)"""
        eta, A = self.shared(draws), self.directions(draws)
        dispersion = {name: value.reshape(-1, 1) for name, value in draws.dispersion.items()}
        if self.model.has_scale:
            return _normal(self.model, self.seen, eta, A, dispersion["sigma"][:, 0])
        target = _Target(self.model, self.seen, eta, A, dispersion)
        if self.size == 0:
            return target.value(np.zeros((len(eta), 0)))
        return _about_the_mode(target, self.start(draws), rng)

    def shared(self, draws: Parameters) -> np.ndarray:
        """The predictor (draws, n) without the effects that are integrated out."""
        eta = draws.beta[0] @ self.X.T + self.offset
        for j, (term, own) in enumerate(zip(self.terms, self.levels, strict=True)):
            eta += np.where(np.isin(term.codes, own), 0.0, group_contribution(term, draws.b[j][0]))
        return eta

    def directions(self, draws: Parameters) -> np.ndarray:
        """A (draws, n, q): what a unit of each standard normal effect adds to the predictor."""
        A = np.zeros((draws.n_draws, len(self.X), self.size))
        at = 0
        for j, (term, own) in enumerate(zip(self.terms, self.levels, strict=True)):
            scaled, k = term.Z @ draws.factor(j)[0], term.Z.shape[1]
            for level in own:
                A[:, :, at : at + k] = scaled * (term.codes == level)[:, None]
                at += k
        return A

    def start(self, draws: Parameters) -> np.ndarray:
        """The draws' own effects in standard normal coordinates (draws, q): inside the support, and near the mode."""
        parts = []
        for j, own in enumerate(self.levels):
            back = np.linalg.pinv(draws.factor(j)[0])
            parts.append(np.einsum("dij,dlj->dli", back, draws.b[j][0][:, own]).reshape(draws.n_draws, -1))
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class _Target:
    """log f(y | eta + A u) - u'u / 2 of the rows of one group, at u (draws, q)."""

    model: Model
    seen: Observed
    eta: np.ndarray
    A: np.ndarray
    dispersion: dict[str, np.ndarray]

    def value(self, u: np.ndarray) -> np.ndarray:
        """(draws,), -inf outside the support."""
        eta = self.eta + np.einsum("dnq,dq->dn", self.A, u)
        return self._density(eta, self.dispersion, self.seen) - np.sum(u**2, axis=-1) / 2

    def at_points(self, u: np.ndarray) -> np.ndarray:
        """(draws, points) at u (draws, points, q)."""
        eta = self.eta[:, None] + u @ np.swapaxes(self.A, 1, 2)
        dispersion = {name: value[:, None] for name, value in self.dispersion.items()}
        return self._density(eta, dispersion, self.seen) - np.sum(u**2, axis=-1) / 2

    def newton(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (draws, q), and the curvature (draws, q, q), rows that bend the wrong way left out."""
        eta = self.eta + np.einsum("dnq,dq->dn", self.A, u)
        with np.errstate(all="ignore"):
            slopes = self.model.family.derivatives(self.seen, eta, self.dispersion, 2)
        V = np.maximum(np.nan_to_num(np.broadcast_to(slopes.V, eta.shape), posinf=0.0), 0.0)
        g = np.nan_to_num(slopes.g, posinf=0.0, neginf=0.0)
        curvature = np.swapaxes(self.A, 1, 2) @ (V[..., None] * self.A) + np.eye(u.shape[1])
        return np.einsum("dnq,dn->dq", self.A, g) - u, curvature

    def _density(self, eta: np.ndarray, dispersion: dict[str, np.ndarray], seen: Observed) -> np.ndarray:
        low, high = self.model.family.eta_range
        with np.errstate(all="ignore"):
            rows = self.model.family.derivatives(seen, eta, dispersion, 0).kernel + self.model.family.constant(seen)
        inside = (eta > low) & (eta < high) & ~np.isnan(rows)
        return np.sum(np.where(inside, rows, -np.inf), axis=-1)


def _part(model: Model, rows: np.ndarray, levels: list[np.ndarray]) -> _Part:
    mu, groups = model.design.mu, model.design.groups
    terms = [replace(term, codes=term.codes[rows], Z=term.Z[rows]) for term in groups]
    size = sum(len(own) * term.Z.shape[1] for own, term in zip(levels, terms, strict=True))
    return _Part(model, observed(model.design, rows), mu.X[rows], mu.offset[rows], terms, levels, size)


def _normal(model: Model, seen: Observed, eta: np.ndarray, A: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """log N(y; eta, sigma^2 / w + A A') (draws,) by the matrix determinant lemma and Woodbury's identity."""
    weights = np.ones(len(seen.y)) if seen.weights is None else seen.weights
    root = np.sqrt(weights) / sigma[:, None]
    r, scaled = (model.family.normalised(seen.y) - eta) * root, A * root[..., None]
    M = np.swapaxes(scaled, 1, 2) @ scaled + np.eye(A.shape[2])
    L = np.linalg.cholesky(M)
    c = np.linalg.solve(L, np.einsum("dnq,dn->dq", scaled, r)[..., None])[..., 0]
    rest = np.sum(r**2, axis=1) - np.sum(c**2, axis=1)
    logs = np.sum(np.log(np.diagonal(L, axis1=1, axis2=2)), axis=1) - np.sum(np.log(root), axis=1)
    return -0.5 * (rest + len(seen.y) * LOG_2PI) - logs + np.sum(model.family.log_jacobian(seen.y))


def _about_the_mode(target: _Target, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """log of the integral (draws,) by points placed about the mode."""
    u = _mode(target, start)
    L = np.linalg.cholesky(target.newton(u)[1])
    x, log_weights = _points(u.shape[0], u.shape[1], rng)
    spread = np.swapaxes(np.linalg.solve(np.swapaxes(L, 1, 2), np.swapaxes(x, 1, 2)), 1, 2)
    values = target.at_points(u[:, None] + spread)
    logs = np.sum(np.log(np.diagonal(L, axis1=1, axis2=2)), axis=1)
    return logsumexp(values + log_weights, axis=1) - logs


def _mode(target: _Target, u: np.ndarray) -> np.ndarray:
    value, u = target.value(u), u.copy()
    active = np.arange(len(u))
    for _ in range(STEPS):
        gradient, curvature = _of(target, active).newton(u[active])
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        u[active], value[active] = _uphill(_of(target, active).value, u[active], value[active], step)
        active = active[np.sum(step**2, axis=1) > SETTLED]
        if not len(active):
            break
    return u


def _uphill(
    value: Callable[[np.ndarray], np.ndarray], u: np.ndarray, now: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each draw's Newton step, halved until it does not lower its value; where none does, the draw stays."""
    share = np.ones(len(u))
    there = value(u + step)
    for _ in range(12):
        worse = ~(there >= now)
        if not worse.any():
            break
        share[worse] /= 2
        there = np.where(worse, value(u + share[:, None] * step), there)
    better = there >= now
    return np.where(better[:, None], u + share[:, None] * step, u), np.where(better, there, now)


def _of(target: _Target, draws: np.ndarray) -> _Target:
    if len(draws) == len(target.eta):
        return target
    dispersion = {name: value[draws] for name, value in target.dispersion.items()}
    return _Target(target.model, target.seen, target.eta[draws], target.A[draws], dispersion)


def _points(draws: int, q: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """x (draws or 1, points, q) and log weights: the integral of h over u is the mean of h / density there.

    The factor (2 pi)^(-q/2) of the normal distribution of the effects is in the weights.
    """
    if q in NODES:
        z, w = np.polynomial.hermite_e.hermegauss(NODES[q])
        grid = np.stack(np.meshgrid(*[z] * q, indexing="ij"), axis=-1).reshape(1, -1, q)
        weights = np.stack(np.meshgrid(*[np.log(w / np.sqrt(2 * np.pi))] * q, indexing="ij"), axis=-1)
        logs = weights.reshape(1, -1, q).sum(axis=-1)
        return grid, logs + np.sum(grid**2, axis=-1) / 2
    scale = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, size=(draws, SAMPLES, 1)))
    x = rng.standard_normal((draws, SAMPLES, q)) * scale
    log_t = (
        gammaln((FREEDOM + q) / 2)
        - gammaln(FREEDOM / 2)
        - q / 2 * np.log(FREEDOM * np.pi)
        - (FREEDOM + q) / 2 * np.log1p(np.sum(x**2, axis=-1) / FREEDOM)
    )
    return x, -np.log(SAMPLES) - log_t - q / 2 * LOG_2PI
