"""Cholesky factors and triangular solves of one small matrix, written out where that beats a LAPACK call.

A call costs about a microsecond whatever the size. And in batches, as `vmap` makes them, LAPACK calls of two threads
can wait for each other for ever (jaxlib 0.10): programs that are batched use written-out factors or map over draws.
"""

from __future__ import annotations

from typing import Any

WRITTEN_OUT = 4  # rows: beyond it the scalars take longer to compile than a call takes to run


def cholesky(S: Any) -> Any:
    """The lower factor L (m, m) of S = L L'."""
    import jax.numpy as jnp

    m = len(S)
    if m > WRITTEN_OUT:
        return jnp.linalg.cholesky(S)
    L: list[list[Any]] = [[jnp.zeros(()) for _ in range(m)] for _ in range(m)]
    for j in range(m):
        for i in range(j, m):
            entry = S[i, j] - sum(L[i][s] * L[j][s] for s in range(j))
            L[i][j] = jnp.sqrt(entry) if i == j else entry / L[j][j]
    return jnp.stack([jnp.stack(row) for row in L])


def inverse(L: Any) -> Any:
    """L^-1 of a lower factor (m, m)."""
    import jax.numpy as jnp
    from jax.scipy.linalg import solve_triangular

    m = len(L)
    if m > WRITTEN_OUT:
        return solve_triangular(L, jnp.eye(m), lower=True)
    rows: list[Any] = []
    for i in range(m):
        unit = jnp.eye(m)[i]
        rows.append((unit - sum((L[i, s] * rows[s] for s in range(i)), start=jnp.zeros(m))) / L[i, i])
    return jnp.stack(rows)


def solve_transposed(L: Any, right: Any) -> Any:
    """L^-T right for right (m,)."""
    import jax.numpy as jnp
    from jax.scipy.linalg import solve_triangular

    m = len(L)
    if m > WRITTEN_OUT:
        return solve_triangular(L.T, right, lower=False)
    x: list[Any] = [None] * m
    for i in reversed(range(m)):
        x[i] = (right[i] - sum((L[s, i] * x[s] for s in range(i + 1, m)), start=jnp.zeros(()))) / L[i, i]
    return jnp.stack(x) if m else jnp.zeros(0)
