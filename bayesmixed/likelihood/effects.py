"""What follows from a solution: conditional modes, Z'e, gradients in Lambda, conditional covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .gram import Gram
from .pls import Solution, scale_columns
from .tail import Tail


@dataclass(frozen=True)
class Modes:
    """Per block: `b` (L, k) conditional modes and `Ze` (L, k) = Z'(y - X beta - Z b)."""

    b: tuple[np.ndarray, ...]
    Ze: tuple[np.ndarray, ...]


def modes(gram: Gram, tail: Tail | None, solution: Solution) -> Modes:
    """Conditional modes b = Lambda u by back-substitution (Bates et al. 2015, eq. 36)."""
    if solution.W is None:
        return Modes((), ())
    contrast = np.append(-solution.beta, 1.0)
    rest = gram.zw[0] @ contrast
    b_t, Ze_t = np.zeros(0), np.zeros(0)
    if tail is not None and solution.T_tw is not None:
        right = solution.T_tw @ contrast
        b_t = multiply(tail, solution.K, right)
        Ze_t = right - multiply(tail, solution.T, b_t)
        rest = rest - (tail.coupling @ b_t).reshape(rest.shape)
    b_0 = (solution.W @ rest[:, :, None])[:, :, 0]
    Ze_0 = rest - (gram.zz[0] @ b_0[:, :, None])[:, :, 0]
    shapes = [zw.shape[:2] for zw in gram.zw[1:]]
    return Modes((b_0, *_split(b_t, shapes)), (Ze_0, *_split(Ze_t, shapes)))


def log_det_slopes(
    gram: Gram, tail: Tail | None, solution: Solution, factors: Sequence[np.ndarray], reml: bool
) -> list[np.ndarray]:
    """Per block d log|M| / d Lambda (k, k); with `reml` of log|M| + log|U_xx|.

    Differentiates the elimination itself: for the tail 2 sum_m (T Lambda S^-1)_mm, and what the tail
    says about the eliminated blocks' weights W is pulled back through `Tail.pull`.
    """
    if solution.W is None or solution.Q is None:
        return []
    p = gram.p
    A, W, Q = gram.zz[0], solution.W, solution.Q
    slope = (A @ Q).sum(axis=0)
    pulled = np.zeros_like(W)
    residual_X = gram.zw[0][:, :, :p] if reml else None
    slopes: list[np.ndarray] = []
    if tail is not None and solution.K is not None:
        pulled -= tail.pull(solution.K, W.shape)
        slopes, F = _tail_slopes(gram, tail, solution, factors, reml)
        if residual_X is not None:
            residual_X = residual_X - (tail.coupling @ F).reshape(residual_X.shape)
    if residual_X is not None and p:
        pulled -= residual_X @ solution.U_inverse @ residual_X.transpose(0, 2, 1)
    if tail is not None or reml:
        back = pulled @ Q
        slope = slope + (back - A @ (W @ back)).sum(axis=0)
    return [2 * slope, *slopes]


def _tail_slopes(
    gram: Gram, tail: Tail, solution: Solution, factors: Sequence[np.ndarray], reml: bool
) -> tuple[list[np.ndarray], np.ndarray]:
    """Slopes of the tail's factors, and F = K T_tx (q_t, p)."""
    p = gram.p
    T_tx = solution.T_tw[:, :p]
    F = multiply(tail, solution.K, T_tx)
    slopes = [np.zeros((z.shape[1], z.shape[1])) for z in gram.zz[1:]]
    E = H = None
    if reml and p:
        E = (T_tx - multiply(tail, solution.T, F)) @ solution.U_inverse
        H = multiply(tail, solution.R, T_tx, transpose=True)
    for batch in tail.batches:
        T, R = batch.view(solution.T), batch.view(solution.R)
        for block, columns, k in batch.parts:
            rows = T[:, columns].reshape(batch.count, -1, k, batch.size)
            right = R[:, :, columns].transpose(0, 2, 1).reshape(batch.count, -1, k, batch.size)
            total = np.array([[np.vdot(rows[:, :, a], right[:, :, b]) for b in range(k)] for a in range(k)])
            if E is not None and H is not None:
                members = batch.members[:, columns].reshape(-1, k)
                total -= np.einsum("map,mbp->ab", E[members], H[members])
            slopes[block - 1] += 2 * total
    return slopes, F


def conditional_covariances(gram: Gram, tail: Tail | None, solution: Solution) -> list[np.ndarray]:
    """Per block (L, k, k): Var(b | y, beta) / sigma^2 = diagonal blocks of Lambda M^-1 Lambda'."""
    if solution.W is None:
        return []
    W = solution.W
    if tail is None or solution.K is None:
        return [W]
    first = W + W @ tail.pull(solution.K, W.shape) @ W
    rest = [np.empty(z.shape) for z in gram.zz[1:]]
    starts = np.cumsum([0, *(z.shape[0] * z.shape[1] for z in gram.zz[1:])])
    for batch in tail.batches:
        K = batch.view(solution.K)
        for block, columns, k in batch.parts:
            inside = np.arange(columns.start, columns.stop).reshape(-1, k)
            levels = (batch.members[:, inside[:, 0]] - starts[block - 1]) // k
            rest[block - 1][levels] = K[:, inside[:, :, None], inside[:, None, :]]
    return [first, *rest]


def multiply(tail: Tail, flat: np.ndarray, right: np.ndarray, transpose: bool = False) -> np.ndarray:
    """A block-diagonal flat matrix times (q_t,) or (q_t, m)."""
    columns = right if right.ndim == 2 else right[:, None]
    product = np.empty_like(columns)
    for batch in tail.batches:
        matrix = batch.view(flat)
        product[batch.members] = (matrix.transpose(0, 2, 1) if transpose else matrix) @ columns[batch.members]
    return product if right.ndim == 2 else product[:, 0]


def _split(flat: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    edges = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
    return [flat[a:b].reshape(s) for a, b, s in zip(edges[:-1], edges[1:], shapes, strict=True)]
