"""What follows from a solution: conditional modes, Z'e, gradients in Lambda, conditional covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..working.gram import Gram
from .pls import Rest, Solution


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
        b_t = rest.solved.apply(right)
        Ze_t = right - rest.solved.product(b_t)
        left = left - (rest.tail.coupling @ b_t).reshape(left.shape)
    b_0 = (solution.largest.W @ left[:, :, None])[:, :, 0]
    Ze_0 = left - (gram.zz[0] @ b_0[:, :, None])[:, :, 0]
    shapes = [zw.shape[:2] for zw in gram.zw[1:]]
    return Modes((b_0, *_split(b_t, shapes)), (Ze_0, *_split(Ze_t, shapes)))


def fixed_products(gram: Gram, solution: Solution) -> list[np.ndarray]:
    """Per block Z'V^-1 X (L, k, p) in the working columns, V = I + Z Lambda Lambda'Z': what `modes` has for X as y."""
    if solution.largest is None:
        return []
    p = gram.p
    left, tail = gram.zw[0][:, :, :p], []
    if solution.rest is not None:
        rest = solution.rest
        F = rest.solved.apply(rest.T_tw[:, :p])
        shapes = [(*z.shape[:2], p) for z in gram.zz[1:]]
        tail = _split(rest.T_tw[:, :p] - rest.solved.product(F), shapes)
        left = left - (rest.tail.coupling @ F).reshape(left.shape)
    return [left - gram.zz[0] @ (solution.largest.W @ left), *tail]


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
        pulled -= rest.pulled(W.shape)
        slopes = [2 * total for total in rest.solved.traces()]
        if residual_X is not None:
            F = rest.solved.apply(rest.T_tw[:, :p])
            residual_X = residual_X - (rest.tail.coupling @ F).reshape(residual_X.shape)
            slopes = [a - b for a, b in zip(slopes, _fixed_slopes(gram, rest, F, solution.U_inverse), strict=True)]
    if residual_X is not None and p:
        pulled -= residual_X @ solution.U_inverse @ residual_X.transpose(0, 2, 1)
    if solution.rest is not None or reml:
        back = pulled @ Q
        slope = slope + (back - A @ (W @ back)).sum(axis=0)
    return [2 * slope, *slopes]


def _fixed_slopes(gram: Gram, rest: Rest, F: np.ndarray, U_inverse: np.ndarray) -> list[np.ndarray]:
    """- d log|U_xx| / d Lambda of the tail's factors; F = K T_tx (q_t, p)."""
    T_tx = rest.T_tw[:, : F.shape[1]]
    E = (T_tx - rest.solved.product(F)) @ U_inverse
    H = rest.solved.spherical(T_tx)
    shapes = [(*z.shape[:2], F.shape[1]) for z in gram.zz[1:]]
    pairs = zip(_split(E, shapes), _split(H, shapes), strict=True)
    return [2 * np.einsum("map,mbp->ab", left, right) for left, right in pairs]


def conditional_covariances(gram: Gram, solution: Solution) -> list[np.ndarray]:
    """Per block (L, k, k): Var(b | y, beta) / sigma^2 = diagonal blocks of Lambda M^-1 Lambda'."""
    if solution.largest is None:
        return []
    W = solution.largest.W
    if solution.rest is None:
        return [W]
    first = W + W @ solution.rest.pulled(W.shape) @ W
    return [first, *solution.rest.solved.level_blocks()]


def _split(flat: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Per factor of the tail what a (q_t,) or (q_t, m) array has for its levels."""
    edges = np.cumsum([0, *(s[0] * s[1] for s in shapes)])
    return [flat[a:b].reshape(s) for a, b, s in zip(edges[:-1], edges[1:], shapes, strict=True)]
