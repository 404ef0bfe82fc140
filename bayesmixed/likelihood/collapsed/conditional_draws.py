"""Exact draws of what the collapsed density integrates out: coefficients, tail effects, then the largest factor's."""

from __future__ import annotations

from typing import Any

from . import sums
from .elimination import eliminate, relative_factors, scale
from .known import held_effects, response_column
from .layout import Layout
from .triangular import solve_transposed


def draw(layout: Layout, data: dict[str, Any], found: dict[str, Any], key: Any) -> tuple[Any, tuple[Any, ...]]:
    """One draw of (beta (p,), effects per term (levels, k)) given the rest; arguments as `log_density`."""
    import jax
    import jax.numpy as jnp

    rest, level = jax.random.split(key)
    factors, sigma = relative_factors(layout, data, found), found["sigma"]
    pieces = eliminate(layout, data, factors, sigma**2, response_column(layout, data, found))
    half = pieces["half"]
    noise = sigma * jax.random.normal(rest, (len(half) - 1,))
    solution = solve_transposed(half[:-1, :-1], half[-1, :-1] + noise)
    beta = _coefficients(layout, data, found, solution[layout.tail :])
    if not layout.blocks:
        return beta, ()
    contrast = jnp.append(-scale(layout, factors, solution[:, None], transpose=False)[:, 0], 1.0)
    blocks = [_largest(layout, data, pieces, factors[0], contrast, (sigma, level))]
    others = held_effects(layout, data, found) if layout.held else -contrast[: layout.tail]
    return beta, _by_term(layout, data, [*blocks, *_split(layout, others)])


def _coefficients(layout: Layout, data: dict[str, Any], found: dict[str, Any], solution: Any) -> Any:
    """The user's coefficients from those of the orthonormal basis and the kept ones."""
    import jax.numpy as jnp

    delta = jnp.zeros(layout.p)
    if layout.free:
        delta = delta.at[jnp.array(layout.free)].set(data["R_inverse"] @ solution)
    if layout.kept:
        kept = jnp.array(layout.kept)
        delta = delta.at[kept].set((found["kept"] - data["c0"])[kept])
    return data["uncentring"] @ (data["c0"] + delta)


def _largest(
    layout: Layout, data: dict[str, Any], pieces: dict[str, Any], Lambda: Any, contrast: Any, noise: tuple[Any, Any]
) -> Any:
    """b_0 (k, L) ~ Normal(W C contrast, sigma^2 W); `noise` is (sigma, key)."""
    import jax
    import jax.numpy as jnp

    q = layout.tail if layout.sparse else 0
    right = jnp.tensordot(contrast[q:], pieces["C"], 1)
    if q:
        right = right + sums.apply(data["coupling"]["up"], contrast[:q]).reshape(right.shape)
    half = _cholesky(jnp.einsum("ca,cdl,db->abl", Lambda, data["A"], Lambda))
    sigma, key = noise
    drawn = sigma * jax.random.normal(key, right.shape)
    return Lambda @ _solve_upper(half, _solve_lower(half, Lambda.T @ right) + drawn)


def _split(layout: Layout, others: Any) -> list[Any]:
    """Effects (k, levels) of each block but the largest."""
    parts, first = [], 0
    for levels, k, _ in layout.blocks[1:]:
        parts.append(others[first : first + levels * k].reshape(levels, k).T)
        first += levels * k
    return parts


def _by_term(layout: Layout, data: dict[str, Any], blocks: list[Any]) -> tuple[Any, ...]:
    """Effects (levels, k) of each term in the user's columns from blocks (k, levels) in the working ones."""
    effects = {
        j: (data["bases"][j] @ block[first:last]).T
        for (_, _, terms), block in zip(layout.blocks, blocks, strict=True)
        for j, first, last in terms
    }
    return tuple(effects[j] for j in range(len(effects)))


def _cholesky(stack: Any) -> list[list[Any]]:
    """The factors of I + each matrix of a stack (k, k, L), written out as (L,) arrays."""
    import jax.numpy as jnp

    k = len(stack)
    half: list[list[Any]] = [[None] * k for _ in range(k)]
    for j in range(k):
        for i in range(j, k):
            entry = stack[i, j] + (1.0 if i == j else 0.0) - sum(half[i][s] * half[j][s] for s in range(j))
            half[i][j] = jnp.sqrt(entry) if i == j else entry / half[j][j]
    return half


def _solve_lower(half: list[list[Any]], right: Any) -> Any:
    """L^-1 right for (k, L)."""
    import jax.numpy as jnp

    solved: list[Any] = []
    for i, row in enumerate(half):
        solved.append((right[i] - sum((row[s] * solved[s] for s in range(i)), start=0.0)) / row[i])
    return jnp.stack(solved)


def _solve_upper(half: list[list[Any]], right: Any) -> Any:
    """L^-T right for (k, L)."""
    import jax.numpy as jnp

    k = len(half)
    u: list[Any] = [None] * k
    for i in reversed(range(k)):
        u[i] = (right[i] - sum(half[s][i] * u[s] for s in range(i + 1, k))) / half[i][i]
    return jnp.stack(u)
