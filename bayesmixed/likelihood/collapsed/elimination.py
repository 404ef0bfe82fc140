"""The eliminations at given factors: per level of the largest factor, then everything else as one dense system."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import sums
from .layout import Layout
from .triangular import cholesky


def relative_factors(layout: Layout, data: dict[str, Any], found: dict[str, Any]) -> tuple[Any, ...]:
    """Lambda (k, k), relative to sigma, in the working columns, of each block that is integrated out."""
    count = 1 if layout.held else len(layout.blocks)
    return tuple(_block_factor(data, found, k, terms) for _, k, terms in layout.blocks[:count])


def _block_factor(data: dict[str, Any], found: dict[str, Any], k: int, terms: tuple[tuple[int, int, int], ...]) -> Any:
    import jax.numpy as jnp

    parts = [data["inverse_bases"][j] @ found["factors"][j] / found["sigma"] for j, _, _ in terms]
    if len(parts) == 1:
        return parts[0]
    Lambda = jnp.zeros((k, k))
    for (_, first, last), part in zip(terms, parts, strict=True):
        Lambda = Lambda.at[first:last, first:last].set(part)
    return Lambda


def eliminate(
    layout: Layout, data: dict[str, Any], factors: tuple[Any, ...], sigma2: Any, column: dict[str, Any]
) -> dict[str, Any]:
    """`S` (s + 1, s + 1) over (tail | free coefficients | y), its Cholesky factor `half`, and what led to it.

    `W`, `Y` (k, k, L), `log_det` of all M_0, `C` (m, k, L), `T` (s + 1, s + 1).
    """
    import jax.numpy as jnp

    free = layout.p - len(layout.kept)
    s = layout.tail + free
    top = jnp.concatenate([data["direct"][:, :s], column["direct"][:, None]], axis=1)
    T = jnp.concatenate([top, jnp.append(column["direct"], column["own"])[None, :]])
    found: dict[str, Any] = {"log_det": 0.0}
    if layout.blocks:
        found = _largest(data["A"], factors[0])
        C = data["C"][: len(data["C"]) - len(layout.kept) - 1]
        found["C"] = jnp.concatenate([C, column["C"][None]])
        T = _schur(layout, data, T, found)
    S = scale(layout, factors, scale(layout, factors, T, transpose=True).T, transpose=True)
    ridge = jnp.zeros((s + 1, s + 1)).at[layout.tail :, layout.tail :].set(sigma2 * data["E0"])
    S = S + ridge + jnp.diag(jnp.array([1.0] * layout.tail + [0.0] * (free + 1)))
    return found | {"T": T, "S": S, "half": cholesky(S)}


def _largest(A: Any, Lambda: Any) -> dict[str, Any]:
    """Per level: W = Lambda M^-1 Lambda', Y = Lambda M^-1, and the sum of log|M|, for A (k, k, L)."""
    import jax.numpy as jnp

    k = len(Lambda)
    M = along(Lambda.T, across(A, Lambda)) + jnp.eye(k)[:, :, None]
    inverse, log_det = invert(M)
    Y = along(Lambda, inverse)
    return {"W": across(Y, Lambda.T), "Y": Y, "log_det": log_det}


def along(left: Any, stack: Any) -> Any:
    """left (a, b) times each matrix of a stack (b, c, L)."""
    return sum(left[:, b, None, None] * stack[b] for b in range(len(stack)))


def across(stack: Any, right: Any) -> Any:
    """Each matrix of a stack (a, b, L) times right (b, c)."""
    return sum(stack[:, b, None] * right[b][:, None] for b in range(len(right)))


def each(left: Any, right: Any) -> Any:
    """Level by level, left (a, b, L) times right (b, c, L)."""
    return sum(left[:, b, None] * right[b] for b in range(len(right)))


def invert(M: Any) -> tuple[Any, Any]:
    """Inverses of symmetric positive matrices (k, k, L) by sweeping, and the sum of their log-determinants.

    Written over arrays of levels: batched LAPACK calls cost ten times as much for small matrices.
    """
    import jax.numpy as jnp

    k = len(M)
    log_det: Any = 0.0
    for j in range(k):
        pivot = M[j, j]
        log_det = log_det + jnp.sum(jnp.log(pivot))
        scaled = M[j] / pivot
        here = np.arange(k) == j
        row, column = here[:, None, None], here[None, :, None]
        swept = M - M[j][:, None] * scaled[None]
        swept = jnp.where(row, scaled[None], jnp.where(column, scaled[:, None], swept))
        M = jnp.where(row & column, -1 / pivot, swept)
    return -M, log_det


def _schur(layout: Layout, data: dict[str, Any], T: Any, found: dict[str, Any]) -> Any:
    """T less C'WC."""
    import jax.numpy as jnp

    W, C = found["W"], found["C"]
    WC = each(C, W)
    lower = C.reshape(len(C), -1) @ WC.reshape(len(C), -1).T
    if not layout.sparse:
        return T - lower
    sums_ = jnp.append(sums.apply(data["pairs"]["down"], W.ravel()), 0.0)
    corner = sums.apply(data["coupling"]["down"], WC.reshape(len(C), -1).T)
    return T - jnp.block([[sums_[data["pairs"]["lookup"]], corner], [corner.T, lower]])


def scale(layout: Layout, factors: tuple[Any, ...], matrix: Any, *, transpose: bool) -> Any:
    """blockdiag(Lambda_t, I) (or its transpose) times a matrix (s + 1, m)."""
    import jax.numpy as jnp

    parts, first = [], 0
    for (levels, k), factor in zip(layout.tail_blocks, factors[1:], strict=False):
        rows = matrix[first : first + levels * k]
        if k == 1:
            parts.append(factor[0, 0] * rows)
        else:
            stacked = rows.reshape(levels, k, -1)
            factor = factor.T if transpose else factor
            parts.append(jnp.einsum("ac,lcm->lam", factor, stacked).reshape(levels * k, -1))
        first += levels * k
    return jnp.concatenate([*parts, matrix[first:]]) if parts else matrix
