"""What follows from a solution: conditional modes, Z'e, gradients in Lambda, conditional covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .components import times
from .gram import Gram
from .pls import Rest, Solution, scale_columns
from .tail import Batch, mirror


@dataclass(frozen=True)
class Modes:
    """Per block: `b` (L, k) conditional modes and `Ze` (L, k) = Z'(y - X beta - Z b)."""

    b: tuple[np.ndarray, ...]
    Ze: tuple[np.ndarray, ...]


def modes(gram: Gram, solution: Solution) -> Modes:
    """Conditional modes b = Lambda u by back-substitution (Bates et al. 2015, eq. 36)."""
    if solution.largest is None:
        return Modes((), ())
    contrast = np.append(-solution.beta, 1.0)
    left = gram.zw[0] @ contrast
    b_t, Ze_t = np.zeros(0), np.zeros(0)
    if solution.rest is not None:
        rest = solution.rest
        right = rest.T_tw @ contrast
        b_t = rest.multiply(rest.K, right)
        Ze_t = right - rest.multiply(rest.T, b_t)
        left = left - (rest.tail.coupling @ b_t).reshape(left.shape)
    b_0 = (solution.largest.W @ left[:, :, None])[:, :, 0]
    Ze_0 = left - (gram.zz[0] @ b_0[:, :, None])[:, :, 0]
    shapes = [zw.shape[:2] for zw in gram.zw[1:]]
    return Modes((b_0, *_split(b_t, shapes)), (Ze_0, *_split(Ze_t, shapes)))


def log_det_slopes(gram: Gram, solution: Solution, reml: bool) -> list[np.ndarray]:
    """Per block d log|M| / d Lambda (k, k); with `reml` of log|M| + log|U_xx|.

    Differentiates the elimination itself: for the tail 2 sum_m (T Lambda S^-1)_mm, and what the tail
    says about the eliminated blocks' weights W is pulled back through `Tail.pull`.
    """
    if solution.largest is None:
        return []
    p = gram.p
    A, W, Q = gram.zz[0], solution.largest.W, solution.largest.Q
    slope = (A @ Q).sum(axis=0)
    pulled = np.zeros_like(W)
    residual_X = gram.zw[0][:, :, :p] if reml else None
    slopes: list[np.ndarray] = []
    if solution.rest is not None:
        rest = solution.rest
        pulled -= rest.tail.pull(rest.K, W.shape)
        slopes = _rest_slopes(gram, rest)
        if residual_X is not None:
            F = rest.multiply(rest.K, rest.T_tw[:, :p])
            residual_X = residual_X - (rest.tail.coupling @ F).reshape(residual_X.shape)
            slopes = [a - b for a, b in zip(slopes, _fixed_slopes(gram, rest, F, solution.U_inverse), strict=True)]
    if residual_X is not None and p:
        pulled -= residual_X @ solution.U_inverse @ residual_X.transpose(0, 2, 1)
    if solution.rest is not None or reml:
        back = pulled @ Q
        slope = slope + (back - A @ (W @ back)).sum(axis=0)
    return [2 * slope, *slopes]


def _rest_slopes(gram: Gram, rest: Rest) -> list[np.ndarray]:
    """d log|S| / d Lambda of the tail's factors."""
    slopes = [np.zeros((z.shape[1], z.shape[1])) for z in gram.zz[1:]]
    for batch in rest.tail.batches:
        for (block, _, _), total in zip(batch.parts, _traces(rest, batch), strict=True):
            slopes[block - 1] += 2 * total
    return slopes


def _fixed_slopes(gram: Gram, rest: Rest, F: np.ndarray, U_inverse: np.ndarray) -> list[np.ndarray]:
    """- d log|U_xx| / d Lambda of the tail's factors; F = K T_tx (q_t, p)."""
    slopes = [np.zeros((z.shape[1], z.shape[1])) for z in gram.zz[1:]]
    T_tx = rest.T_tw[:, : F.shape[1]]
    E = (T_tx - rest.multiply(rest.T, F)) @ U_inverse
    H = rest.multiply(rest.S_inverse, rest.scale_rows(T_tx))
    for batch in rest.tail.batches:
        for block, columns, k in batch.parts:
            members = batch.members[:, columns].reshape(-1, k)
            slopes[block - 1] += 2 * np.einsum("map,mbp->ab", E[members], H[members])
    return slopes


def _traces(rest: Rest, batch: Batch) -> list[np.ndarray]:
    """Per part of a batch the sum over levels of the diagonal blocks (k, k) of T Lambda S^-1."""
    T, inverse = batch.view(rest.T), batch.view(rest.S_inverse)
    if batch.dense and batch.scalar:
        # both are symmetric, so the diagonal of the product is a row sum of the elementwise one
        scale = np.concatenate([np.full(c.stop - c.start, rest.factors[b][0, 0]) for b, c, _ in batch.parts])
        sums = times(batch, T * inverse, scale[None, :, None])[0, :, 0]
        return [np.array([[sums[columns].sum()]]) for _, columns, _ in batch.parts]
    if batch.dense:
        T, inverse = mirror(T.copy()), mirror(inverse.copy())
    left = scale_columns(batch, T, rest.factors)
    traces = []
    for _, columns, k in batch.parts:
        rows = left[:, columns].reshape(batch.count, -1, k, batch.size)
        right = inverse[:, columns].reshape(batch.count, -1, k, batch.size)
        traces.append(np.array([[np.sum(rows[:, :, a] * right[:, :, b]) for b in range(k)] for a in range(k)]))
    return traces


def conditional_covariances(gram: Gram, solution: Solution) -> list[np.ndarray]:
    """Per block (L, k, k): Var(b | y, beta) / sigma^2 = diagonal blocks of Lambda M^-1 Lambda'."""
    if solution.largest is None:
        return []
    W = solution.largest.W
    if solution.rest is None:
        return [W]
    tail = solution.rest.tail
    first = W + W @ tail.pull(solution.rest.K, W.shape) @ W
    others = [np.empty(z.shape) for z in gram.zz[1:]]
    starts = np.cumsum([0, *(z.shape[0] * z.shape[1] for z in gram.zz[1:])])
    for batch in tail.batches:
        K = batch.view(solution.rest.K)
        for block, columns, k in batch.parts:
            inside = np.arange(columns.start, columns.stop).reshape(-1, k)
            levels = (batch.members[:, inside[:, 0]] - starts[block - 1]) // k
            others[block - 1][levels] = K[:, inside[:, :, None], inside[:, None, :]]
    return [first, *others]


def _split(flat: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    edges = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
    return [flat[a:b].reshape(s) for a, b, s in zip(edges[:-1], edges[1:], shapes, strict=True)]
