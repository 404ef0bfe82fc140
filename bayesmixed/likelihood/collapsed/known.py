"""The response less what is sampled: kept coefficients and, on the partial route, the effects of smaller factors."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from . import sums
from .layout import Layout


def response_column(layout: Layout, data: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Cross-products of y less its known part.

    `C` (k, L) with the largest factor (None without bars), `direct` (s,) with the tail and the free
    coefficients, `own` with itself.
    """
    import jax.numpy as jnp

    free = layout.p - len(layout.kept)
    shift = -(found["kept"] - data["c0"])[jnp.array(layout.kept)] if layout.kept else jnp.zeros(0)
    fold = jnp.concatenate([shift, jnp.ones(1)])
    first = layout.tail + free
    column = {
        "C": jnp.tensordot(fold, data["C"][-len(layout.kept) - 1 :], 1) if layout.blocks else None,
        "direct": data["direct"][:, first:] @ fold,
        "own": fold @ data["known"] @ fold,
    }
    return _less_effects(layout, data, column, fold, found) if layout.held else column


def _less_effects(
    layout: Layout, data: dict[str, Any], column: dict[str, Any], fold: Any, found: dict[str, Any]
) -> dict[str, Any]:
    b = held_effects(layout, data, found)
    free = layout.p - len(layout.kept)
    with_rest = data["tail_w"].T @ b
    met = product()(data["coupling"]["up"], data["coupling"]["down"], b)
    own = product()(data["tail_direct"], data["tail_direct"], b)
    return {
        "C": column["C"] - met.reshape(column["C"].shape),
        "direct": column["direct"] - with_rest[:free],
        "own": column["own"] - 2 * fold @ with_rest[free:] + b @ own,
    }


def held_effects(layout: Layout, data: dict[str, Any], found: dict[str, Any]) -> Any:
    """The sampled effects (q_t,) of all factors but the largest, in the working columns."""
    import jax.numpy as jnp

    parts = [
        jnp.concatenate([found["effects"][j] @ data["inverse_bases"][j].T for j, _, _ in terms], axis=1).ravel()
        for _, _, terms in layout.blocks[1:]
    ]
    return jnp.concatenate(parts)


@lru_cache
def product() -> Any:
    """A x by its plan, differentiated by the plan of A' (the transpose of a gather is a slow scatter)."""
    import jax

    @jax.custom_vjp
    def times(plan: Any, transposed: Any, x: Any) -> Any:
        return sums.apply(plan, x)

    def forward(plan: Any, transposed: Any, x: Any) -> Any:
        return sums.apply(plan, x), transposed

    def backward(transposed: Any, slope: Any) -> Any:
        return None, None, sums.apply(transposed, slope)

    times.defvjp(forward, backward)
    return times
