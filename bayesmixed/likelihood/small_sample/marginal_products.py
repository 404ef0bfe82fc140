"""Products of Z and X with the inverse of the marginal covariance, and traces of what they make.

V = I + Z Sigma Z' relative to sigma^2 in the conditioned rows of a linear mixed model, S = Z'V^-1 Z, and ways in which
the covariance moves, V + sum_r gamma_r G_r with G_r = Z (I kron E_r) Z'. The first factor is eliminated as in `pls`:
per level N = (I + A Sigma_0)^-1 and D = N A, and what the other factors add is in `tail_products`. Nothing is larger
than the tail's components, and with one factor nothing larger than a level. Columns are turned so that effects are
uncorrelated: then what is large and what is small can be told apart, and neither is lost beside the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..elimination.choice import component_sizes, dense_storage, meetings_of
from ..elimination.tail import tail_in
from ..linear.likelihood import LinearLikelihood
from ..working.blocks import Block
from ..working.gram import Gram
from .tail_products import HELD, Direction, TailProducts, shrunk

EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class MarginalProducts:
    """The products at one Sigma, by block, the eliminated one first.

    `D`, `N` (L, k, k) of its levels; `X` Z'V^-1 Q (L, k, p) of every block, Q with p columns; `tail` what the other
    blocks add, None where there are none; `lost` about the relative error that cancellation leaves, from the rounding
    of Z'Z beside the inverse of Sigma.
    """

    D: np.ndarray
    N: np.ndarray
    X: tuple[np.ndarray, ...]
    p: int
    tail: TailProducts | None
    lost: float

    def slopes(self, directions: Sequence[Direction]) -> np.ndarray:
        """P_r = -Q'V^-1 G_r V^-1 Q (R, p, p)."""
        found = [-np.einsum("lip,liq->pq", self.X[i], E @ self.X[i], optimize=True) for i, E in directions]
        return np.array(found).reshape(len(directions), self.p, self.p)

    def curvatures(self, directions: Sequence[Direction]) -> np.ndarray:
        """Q_rs = Q'V^-1 G_r V^-1 G_s V^-1 Q (R, R, p, p): through S, G_r V^-1 Q having coordinates in Z."""
        p, count = self.p, len(directions)
        moved = [E @ self.X[i] for i, E in directions]
        first = [r for r, way in enumerate(directions) if way.block == 0]
        found = np.zeros((count, p, count, p))
        for r in first:
            for s in first:
                found[r, :, s] = np.einsum("lip,liq->pq", moved[r], self.D @ moved[s], optimize=True)
        if self.tail is not None:
            through, own = (np.zeros((self.tail.tail.n_columns, count, p)) for _ in range(2))
            edges = np.cumsum([0, 0, *(x.shape[0] * x.shape[1] for x in self.X[1:])])
            for r, (i, _) in enumerate(directions):
                if i == 0:
                    back = self.N.transpose(0, 2, 1) @ moved[r]
                    through[:, r] = self.tail.tail.coupling_t @ back.reshape(-1, p)
                else:
                    own[edges[i] : edges[i + 1], r] = moved[r].reshape(-1, p)
            flat = (len(own), count * p)
            found += self.tail.quadratic(through.reshape(flat), own.reshape(flat)).reshape(found.shape)
        return found.transpose(0, 2, 1, 3)

    def first_traces(self, directions: Sequence[Direction]) -> np.ndarray:
        """tr(V^-1 G_r) (R,)."""
        sums = {0: self.D.sum(axis=0)}
        if self.tail is not None:
            sums = {0: (self.D - self.tail.absorbed(self.N)).sum(axis=0), **self.tail.sums()}
        return np.array([np.sum(sums[i] * E) for i, E in directions])

    def traces(self, directions: Sequence[Direction]) -> np.ndarray:
        """tr(V^-1 G_r V^-1 G_s) (R, R)."""
        found = np.zeros((len(directions), len(directions)))
        absorbed = np.zeros_like(self.D)
        if self.tail is not None:
            found, absorbed = self.tail.traces(directions, self.N), self.tail.absorbed(self.N)
        turned = {r: E @ self.D for r, (i, E) in enumerate(directions) if i == 0}
        within = {r: E @ absorbed for r, (i, E) in enumerate(directions) if i == 0}
        for r, left in turned.items():
            for s, right in turned.items():
                found[r, s] += np.sum(left * right.transpose(0, 2, 1)) - 2 * np.sum(left * within[s].transpose(0, 2, 1))
        return found


def marginal_products(blocks: Sequence[Block], gram: Gram, sds: Sequence[np.ndarray]) -> MarginalProducts:
    """The products at uncorrelated effects of standard deviations `sds` (k,) in each block, the first eliminated.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a matrix is not positive definite in floating point (absurdly large sds).
    """
    p = gram.p
    if not blocks:
        return MarginalProducts(np.zeros((0, 0, 0)), np.zeros((0, 0, 0)), (), p, None, EPSILON)
    zx, first = [zw[:, :, :p] for zw in gram.zw], sds[0]
    half = np.linalg.inv(np.linalg.cholesky(np.eye(len(first)) + gram.zz[0] * np.outer(first, first)))
    inverse = half.transpose(0, 2, 1) @ half  # not from the matrix: see `invert_factor`
    J, D = shrunk(gram.zz[0], inverse, first)
    N, W = J.transpose(0, 2, 1), inverse * np.outer(first, first)
    weighted = W @ zx[0]
    lost = EPSILON * (1 + max(float(np.max(np.einsum("lii,i->l", A, s**2))) for A, s in zip(gram.zz, sds, strict=True)))
    if len(blocks) == 1:
        return MarginalProducts(D, N, (N @ zx[0],), p, None, lost)
    starts = np.cumsum([0, *(b.n_levels * b.k for b in blocks[1:])])
    storage = dense_storage(blocks, gram, starts)
    structure = tail_in(blocks, gram, starts, storage)
    T_tx = np.concatenate([x.reshape(-1, p) for x in zx[1:]]) - structure.coupling_t @ weighted.reshape(-1, p)
    solved = storage.solve(structure.schur(W), T_tx, [np.diag(s) for s in sds], invert=True)
    tail = TailProducts(structure, storage, solved, tuple(sds))
    left = zx[0] - (structure.coupling @ solved.apply(T_tx)).reshape(zx[0].shape)
    X_t = tail.turned(T_tx)
    rest = [X_t[a:b].reshape(x.shape) for a, b, x in zip(starts[:-1], starts[1:], zx[1:], strict=True)]
    return MarginalProducts(D, N, (N @ left, *rest), p, tail, lost)


def uncorrelated(gram: Gram, turns: Sequence[np.ndarray]) -> Gram:
    """The cross-products with the columns Z of each block turned to Z `turn` (k, k)."""
    return replace(
        gram,
        zz=tuple(t.T @ z @ t for z, t in zip(gram.zz, turns, strict=True)),
        zw=tuple(t.T @ z for z, t in zip(gram.zw, turns, strict=True)),
        cross={(i, j): replace(c, values=turns[i].T @ c.values @ turns[j]) for (i, j), c in gram.cross.items()},
    )


def smallest_tail(likelihood: LinearLikelihood) -> tuple[tuple[Block, ...], Gram]:
    """Blocks and cross-products with the block first whose elimination leaves the smallest dense components."""
    if not likelihood.blocks:
        return (), likelihood.gram
    best, fewest = 0, np.inf
    for i in range(len(likelihood.blocks)):
        blocks, gram = _turned(likelihood, i)
        entries = float(np.sum(component_sizes(blocks, meetings_of(gram)).astype(float) ** 2))
        if entries < fewest:
            best, fewest = i, entries
    return _turned(likelihood, best)


def held_numbers(blocks: Sequence[Block], gram: Gram, directions: Sequence[Direction]) -> tuple[int, float]:
    """How many effects are left in the tail, and how many numbers its dense matrices hold at once."""
    sizes = component_sizes(blocks, meetings_of(gram)).astype(float)
    matrices = HELD + 2 * sum(way.block == 0 for way in directions)
    return int(sizes.sum()), matrices * float(np.sum(sizes**2))


def _turned(likelihood: LinearLikelihood, first: int) -> tuple[tuple[Block, ...], Gram]:
    order = [first, *(i for i in range(len(likelihood.blocks)) if i != first)]
    return tuple(likelihood.blocks[i] for i in order), likelihood.gram.reordered(order)
