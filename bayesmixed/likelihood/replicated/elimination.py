"""Penalised least squares of many responses at as many theta: the equations of `linear.pls`, with a leading axis.

What the responses share, products of the columns of Z and X over the levels of the eliminated factor, is formed once;
at given weights W (k, k, B, L) of its levels the reduced equations are then one dense product per pair of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..linear.likelihood import LinearLikelihood
from ..working.blocks import Block
from .responses import Responses
from .small import applied, lower_inverse, lower_root, product, transposed

MOST_SHARED = 4_000_000  # numbers of the shared products, 32 MB
MOST_TAIL = 60  # columns of the dense tail of every response


@dataclass(frozen=True)
class SharedProducts:
    """Of the eliminated factor `A` (k, k, L), and `C` (k, L, r) its products with the tail's columns and X's.

    `pairs[a, b]`, a <= b, (L, r r): the symmetric products of rows a and b of C; `base` (r, r) the products of tail and
    X themselves; `tails` per block of the tail its columns.
    """

    A: np.ndarray
    C: np.ndarray
    pairs: dict[tuple[int, int], np.ndarray]
    base: np.ndarray
    tails: tuple[slice, ...]

    @property
    def q(self) -> int:
        """Columns of the tail."""
        return self.tails[-1].stop if self.tails else 0


@dataclass(frozen=True)
class ManySolutions:
    """Solutions for B responses: names as in `pls.Solution`, with B first (last but one with levels)."""

    rss: np.ndarray
    beta: np.ndarray
    U_inverse: np.ndarray
    log_det_U: np.ndarray
    log_det_M: np.ndarray
    W: np.ndarray
    Q: np.ndarray
    reduced: np.ndarray
    reduced_y: np.ndarray
    S_inverse: np.ndarray
    K: np.ndarray
    tail_factor: np.ndarray


def eliminates(likelihood: LinearLikelihood) -> bool:
    """Whether the shared products are small enough: one factor or none, or a small tail beside it."""
    blocks = likelihood.blocks
    if not blocks:
        return True
    k, q = blocks[0].k, sum(block.n_levels * block.k for block in blocks[1:])
    r = q + likelihood.p
    return q <= MOST_TAIL and blocks[0].n_levels * k * (k + 1) / 2 * r * r <= MOST_SHARED


def shared_products(likelihood: LinearLikelihood) -> SharedProducts:
    """The products that every response of the design shares."""
    gram, blocks, p = likelihood.gram, likelihood.blocks, likelihood.p
    if not blocks:
        return SharedProducts(np.zeros((0, 0, 0)), np.zeros((0, 0, p)), {}, gram.ww[:p, :p], ())
    edges = np.cumsum([0, *(block.n_levels * block.k for block in blocks[1:])])
    tails = tuple(slice(int(a), int(b)) for a, b in pairwise(edges))
    C = np.concatenate([_coupling(likelihood, int(edges[-1])), gram.zw[0][:, :, :p]], axis=2).transpose(1, 0, 2)
    pairs = {}
    for a in range(len(C)):
        for b in range(a, len(C)):
            both = C[a][:, :, None] * C[b][:, None, :]
            both = both if a == b else both + both.transpose(0, 2, 1)
            pairs[a, b] = both.reshape(len(both), -1)
    A = np.ascontiguousarray(gram.zz[0].transpose(1, 2, 0))
    return SharedProducts(A, np.ascontiguousarray(C), pairs, _base(likelihood, tails), tails)


def _coupling(likelihood: LinearLikelihood, q: int) -> np.ndarray:
    """Z_0'Z of the eliminated factor with the tail (L, k, q), dense."""
    first = likelihood.blocks[0]
    if likelihood.tail is None:
        return np.zeros((first.n_levels, first.k, 0))
    return likelihood.tail.coupling.toarray().reshape(first.n_levels, first.k, q)


def _base(likelihood: LinearLikelihood, tails: Sequence[slice]) -> np.ndarray:
    """[Z, X]'[Z, X] of the tail's columns and X's (r, r)."""
    gram, p = likelihood.gram, likelihood.p
    q = tails[-1].stop if tails else 0
    base = np.zeros((q + p, q + p))
    base[q:, q:] = gram.ww[:p, :p]
    for i, columns in enumerate(tails, 1):
        zx = gram.zw[i][:, :, :p].reshape(-1, p)
        base[columns, q:], base[q:, columns] = zx, zx.T
        levels = len(gram.zz[i])
        own = base[columns, columns].reshape(levels, -1, levels, gram.zz[i].shape[1])
        own[np.arange(levels), :, np.arange(levels), :] = gram.zz[i]
        for j, others in enumerate(tails[i:], i + 1):
            cross = gram.cross[i, j]
            part = np.zeros((levels, gram.zz[i].shape[1], len(gram.zz[j]), gram.zz[j].shape[1]))
            part[cross.rows, :, cross.columns, :] = cross.values
            flat = part.reshape(columns.stop - columns.start, -1)
            base[columns, others], base[others, columns] = flat, flat.T
    return base


def solve_many(shared: SharedProducts, given: Responses, factors: Sequence[np.ndarray]) -> ManySolutions:
    """Solve the penalised least-squares problems at `factors`, per block Lambda (k, k, B).

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a matrix of any of them is not positive definite.
    """
    size = len(shared.base)
    base = shared.base[None] if given.levels is None else given.levels.base
    reduced = np.array(np.broadcast_to(base.reshape(len(base), size**2), (len(given), size**2)))
    if not factors:
        nothing = np.zeros(len(given)), np.zeros((0, 0, len(given), 0)), np.zeros((0, 0, len(given), 0))
        return _reduced(shared, factors, reduced.reshape(len(given), size, size), given.wy, (given.yy, *nothing))
    Lambda, zy = factors[0][..., None], given.zy[0]
    M = product(transposed(Lambda), product(shared.A[:, :, None], Lambda))
    M[np.arange(len(M)), np.arange(len(M))] += 1.0
    root = lower_root(M)
    half = lower_inverse(root)
    left = product(half, np.broadcast_to(transposed(Lambda), (*Lambda.shape[:2], *zy.shape[1:])))
    W, Q = product(transposed(left), left), product(transposed(left), half)
    log_det = 2 * given.counted(sum(np.log(root[i, i]) for i in range(len(M)))).sum(axis=-1)
    for (a, b), both in shared.pairs.items():
        reduced -= given.counted(W[a, b]) @ both
    h = given.counted(applied(W, zy))
    tail_y = [np.moveaxis(zy_t, 0, -1).reshape(len(given), -1) for zy_t in given.zy[1:]]
    reduced_y = np.concatenate([*tail_y, given.wy], axis=1) - sum(h[a] @ shared.C[a] for a in range(len(h)))
    yy = given.yy - sum((h[a] * zy[a]).sum(axis=-1) for a in range(len(h)))
    return _reduced(shared, factors, reduced.reshape(len(given), size, size), reduced_y, (yy, log_det, W, Q))


def _reduced(
    shared: SharedProducts,
    factors: Sequence[np.ndarray],
    T: np.ndarray,
    T_y: np.ndarray,
    eliminated: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> ManySolutions:
    """Solve for the tail and X in turn, after the eliminated factor."""
    q = shared.q
    yy, log_det, W, Q = eliminated
    xx, xy = T[:, q:, q:], T_y[:, q:]
    S_inverse = K = tail_factor = np.zeros((len(T), 0, 0))
    if q:
        tail_factor = _tail_factor(shared, factors)
        S = tail_factor.transpose(0, 2, 1) @ T[:, :q, :q] @ tail_factor + np.eye(q)
        triangle = np.linalg.cholesky(S)
        log_det = log_det + 2 * np.log(np.diagonal(triangle, axis1=1, axis2=2)).sum(axis=1)
        S_inverse = np.linalg.inv(S)
        K = tail_factor @ S_inverse @ tail_factor.transpose(0, 2, 1)
        KT = K @ T[:, :q, q:]
        Ky = (K @ T_y[:, :q, None])[:, :, 0]
        xx = xx - T[:, q:, :q] @ KT
        xy = xy - np.einsum("bij,bi->bj", KT, T_y[:, :q])
        yy = yy - np.einsum("bi,bi->b", Ky, T_y[:, :q])
    triangle = np.linalg.cholesky(xx)
    half = np.linalg.inv(triangle)
    c = (half @ xy[:, :, None])[:, :, 0]
    return ManySolutions(
        rss=yy - np.einsum("bi,bi->b", c, c),
        beta=np.einsum("bij,bi->bj", half, c),
        U_inverse=half.transpose(0, 2, 1) @ half,
        log_det_U=2 * np.log(np.diagonal(triangle, axis1=1, axis2=2)).sum(axis=1),
        log_det_M=log_det,
        W=W,
        Q=Q,
        reduced=T,
        reduced_y=T_y,
        S_inverse=S_inverse,
        K=K,
        tail_factor=tail_factor,
    )


def _tail_factor(shared: SharedProducts, factors: Sequence[np.ndarray]) -> np.ndarray:
    """blockdiag(Lambda) (B, q, q) over the levels of the tail's factors."""
    full = np.zeros((factors[0].shape[-1], shared.q, shared.q))
    for columns, Lambda in zip(shared.tails, factors[1:], strict=True):
        k = len(Lambda)
        for first in range(columns.start, columns.stop, k):
            full[:, first : first + k, first : first + k] = np.moveaxis(Lambda, -1, 0)
    return full


def level_widths(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    """Levels and columns of each block of the tail."""
    return [(block.n_levels, block.k) for block in blocks[1:]]
