"""How likely all rows of a group are together per draw, with the random effects that only they speak of integrated out.

Given a draw of the parameters and of the effects that other groups' rows share, the rows of one group are independent
of all others, so that leaving the group out needs log p(y_g | draw) = log of the integral of
prod f(y_i | eta_i + z_i'b) N(b; 0, Sigma) over its own effects b alone. Of normal responses it has a closed form;
else see `integral`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...design.design import Design
from ...families import Observed, observed
from ...parameters.predicted import Predicted, predicted
from ...parameters.values import Parameters
from ...prediction.new_rows import take_rows
from ...prediction.seeds import generator
from .integral import CHUNK, NODES, PAIRS, RowsIntegrand, log_integral, mode

if TYPE_CHECKING:
    from ...model import Model

KEPT = 2**21  # numbers of the result that are held at once (16 MiB)
SOME = 32  # draws whose average is the middle of all, near which their modes are searched
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
    draws, rng = _Draws.of(parameters.flat(), len(model.design.groups)), generator(seed)
    own = own_levels(model, members)
    step = max(1, KEPT // parameters.n_draws)
    for first in range(0, len(members), step):
        some = range(first, min(first + step, len(members)))
        parts = (_part(model, members[g], [np.flatnonzero(levels == g) for levels in own]) for g in some)
        found = np.stack([_of_group(part, draws, rng) for part in parts], axis=-1)
        yield found.reshape(*parameters.beta.shape[:2], len(some))


def _of_group(part: _Part, draws: _Draws, rng: np.random.Generator) -> np.ndarray:
    step, n_draws = max(1, CHUNK // part.numbers_per_draw), draws.n
    blocks = (draws.take(slice(first, first + step)) for first in range(0, n_draws, step))
    if part.model.linear:
        return np.concatenate([part.normal(block) for block in blocks])
    middle = part.middle(draws.take(np.unique(np.linspace(0, n_draws - 1, SOME).astype(int))))
    return np.concatenate([log_integral(part.integrand(block), part.start(block, middle), rng) for block in blocks])


@dataclass(frozen=True)
class _Draws:
    """Draws (1, d) and per term the factors F (d, k, k) of the covariances of its effects, with F^+."""

    values: Parameters
    factors: list[np.ndarray]
    inverses: list[np.ndarray]

    @classmethod
    def of(cls, values: Parameters, terms: int) -> _Draws:
        factors = [values.principal_root(j)[0] for j in range(terms)]
        return cls(values, factors, [np.linalg.pinv(factor) for factor in factors])

    @property
    def n(self) -> int:
        return self.values.n_draws

    def take(self, draws: np.ndarray | slice) -> _Draws:
        """Some of the draws."""
        return _Draws(self.values.take(draws), [F[draws] for F in self.factors], [F[draws] for F in self.inverses])


def own_levels(model: Model, members: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Per term, the group (L,) that alone has rows of each level; -1 where several have, or none."""
    groups = np.full(model.design.n_rows, -1)
    for g, rows in enumerate(members):
        groups[rows] = g
    used = groups >= 0
    return [_only(term.codes[used], groups[used], term.n_levels) for term in model.design.mu.groups]


def how_integrated(model: Model, members: Sequence[np.ndarray]) -> str:
    """In words, how the effects are integrated out."""
    most = max(_own_effects(model, own_levels(model, members), len(members)), default=0)
    if most == 0:
        return "none: no level belongs to one of these groups alone"
    if model.linear:
        return "exactly"
    if most in NODES:
        return f"adaptive quadrature, {NODES[most][0]} to {NODES[most][-1]} nodes per effect"
    return f"{2 * PAIRS[0]} to {2 * sum(PAIRS)} importance draws each"


def _own_effects(model: Model, own: list[np.ndarray], groups: int) -> np.ndarray:
    terms = zip(model.design.mu.groups, own, strict=True)
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
    rows: Design
    levels: list[np.ndarray]
    size: int

    @property
    def numbers_per_draw(self) -> int:
        return (self.rows.n_rows + self.size) * (self.size + 1)

    @cached_property
    def without(self) -> Design:
        """The rows without the levels that are theirs alone."""
        pairs = zip(self.rows.mu.groups, self.levels, strict=True)
        groups = tuple(replace(term, codes=np.where(np.isin(term.codes, own), -1, term.codes)) for term, own in pairs)
        return self.rows.with_predictor(replace(self.rows.mu, groups=groups))

    def integrand(self, draws: _Draws) -> RowsIntegrand:
        """The density of the rows given effects F u, u (d, size) standard normal."""
        family = self.model.family
        constant = float(np.sum(family.constant(self.seen)))
        shared, F = self.shared(draws), self.blocks(draws.factors, draws.n)
        return RowsIntegrand(family, self.seen, shared.eta, self.columns(), F, shared.dispersion, constant)

    def normal(self, draws: _Draws) -> np.ndarray:
        """(draws,), of normal responses."""
        shared, A = self.shared(draws), self.columns() @ self.blocks(draws.factors, draws.n)
        return _normal(self.model, self.seen, shared.eta, A, shared.dispersion["sigma"])

    def shared(self, draws: _Draws) -> Predicted:
        """What is predicted (draws, n) without the effects that are integrated out."""
        return predicted(self.model.family, self.without, draws.values)

    def columns(self) -> np.ndarray:
        """Z (n, size): what a unit of each effect adds to the predictor."""
        pairs = zip(self.rows.mu.groups, self.levels, strict=True)
        parts = [term.Z * (term.codes == level)[:, None] for term, own in pairs for level in own]
        return np.concatenate([np.zeros((self.rows.n_rows, 0)), *parts], axis=1)

    def blocks(self, matrices: list[np.ndarray], n_draws: int) -> np.ndarray:
        """Matrices (draws, k, k) per term along the diagonal of one (draws, size, size) for all effects."""
        whole, at = np.zeros((n_draws, self.size, self.size)), 0
        for matrix, own in zip(matrices, self.levels, strict=True):
            k = matrix.shape[1]
            for _ in own:
                whole[:, at : at + k, at : at + k] = matrix
                at += k
        return whole

    def effects(self, draws: _Draws) -> np.ndarray:
        """b (draws, size) as drawn."""
        parts = [draws.values.b[j][0][:, own] for j, own in enumerate(self.levels)]
        flat = [part.reshape(draws.n, -1) for part in parts]
        return np.concatenate([np.zeros((draws.n, 0)), *flat], axis=1)

    def middle(self, draws: _Draws) -> np.ndarray:
        """The modes b (size,) of the effects, averaged over some draws."""
        own = (self.blocks(draws.inverses, draws.n) @ self.effects(draws)[..., None])[..., 0]
        integrand = self.integrand(draws)
        u = mode(integrand, own).u
        return np.mean((integrand.F @ u[..., None])[..., 0], axis=0)

    def start(self, draws: _Draws, middle: np.ndarray) -> np.ndarray:
        """u (draws, size) near each draw's mode: at `middle`, or where that is outside the support its own effects."""
        back, integrand = self.blocks(draws.inverses, draws.n), self.integrand(draws)
        u = back @ middle
        lost = np.flatnonzero(~np.isfinite(integrand.at_points(u[:, None])[:, 0]))
        if len(lost):
            u[lost] = (back[lost] @ self.effects(draws)[lost][..., None])[..., 0]
        return u


def _part(model: Model, rows: np.ndarray, levels: list[np.ndarray]) -> _Part:
    design = take_rows(model.design, rows)
    size = sum(len(own) * term.Z.shape[1] for own, term in zip(levels, design.mu.groups, strict=True))
    return _Part(model, observed(model.design, rows), design, levels, size)


def _normal(model: Model, seen: Observed, eta: np.ndarray, A: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """log N(y; eta, sigma^2 / w + A A') (draws,) by the matrix determinant lemma and Woodbury's identity.

    `sigma` is (draws, n), or (draws, 1).
    """
    weights = np.ones(len(seen.y)) if seen.weights is None else seen.weights
    root = np.sqrt(weights) / sigma
    r, scaled = (model.family.normalised(seen.y) - eta) * root, A * root[..., None]
    M = np.swapaxes(scaled, 1, 2) @ scaled + np.eye(A.shape[2])
    L = np.linalg.cholesky(M)
    c = np.linalg.solve(L, np.einsum("dnq,dn->dq", scaled, r)[..., None])[..., 0]
    rest = np.sum(r**2, axis=1) - np.sum(c**2, axis=1)
    logs = np.sum(np.log(np.diagonal(L, axis1=1, axis2=2)), axis=1) - np.sum(np.log(root), axis=1)
    return -0.5 * (rest + len(seen.y) * LOG_2PI) - logs + np.sum(model.family.log_jacobian(seen.y))
