"""log p(y) with effects and normal coefficients integrated out, and its gradient by hand.

The gradient is that of the eliminations (chain rule through T, S and M_0): with Omega the derivative of the criterion
in T, F_l = C_l Omega C_l' and Y = Lambda_0 M_0^-1 per level l,

    d/dLambda_0 = 2 sum_l [A Y - (I - A W) F Y],   d/dLambda_t = 2 T K Omega_S on the diagonal blocks.

Differentiating the program instead costs twice as many steps, each with its overhead, and twice the compilation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from . import sums
from .elimination import each, eliminate, relative_factors, scale
from .known import response_column
from .layout import Layout
from .triangular import inverse

UNROLLED = 12  # columns up to which a sum of products is written out, so that it fuses into one loop


def log_density(layout: Layout, data: dict[str, Any], found: dict[str, Any]) -> Any:
    """log p(y | sds, correlations, sigma, kept coefficients, held effects).

    Parameters
    ----------
    data
        `arrays`.
    found
        `factors` per term (k, k), absolute; `sigma`; `kept` (p,) centred coefficients, zero where integrated;
        on the partial route `effects` per term (levels, k), None for the terms of the largest factor.
    """
    column = response_column(layout, data, found)
    return -0.5 * _criterion()(layout, data, relative_factors(layout, data, found), found["sigma"] ** 2, column)


@lru_cache
def _criterion() -> Any:
    """-2 log p as a function of relative factors, sigma^2 and the response's cross-products."""
    import jax

    def value(layout: Layout, data: Any, factors: Any, sigma2: Any, column: Any) -> Any:
        return _value(layout, data, sigma2, eliminate(layout, data, factors, sigma2, column))

    def forward(layout: Layout, data: Any, factors: Any, sigma2: Any, column: Any) -> Any:
        pieces = eliminate(layout, data, factors, sigma2, column)
        return _value(layout, data, sigma2, pieces), _slopes(layout, data, factors, sigma2, pieces)

    def backward(layout: Layout, slopes: Any, outer: Any) -> Any:
        return None, *jax.tree_util.tree_map(lambda slope: outer * slope, slopes)

    criterion = jax.custom_vjp(value, nondiff_argnums=(0,))
    criterion.defvjp(forward, backward)
    return criterion


def _value(layout: Layout, data: dict[str, Any], sigma2: Any, pieces: dict[str, Any]) -> Any:
    import jax.numpy as jnp

    diagonal = jnp.diagonal(pieces["half"])
    degrees = data["n"] - (layout.p - len(layout.kept))
    return (
        pieces["log_det"] + 2 * jnp.sum(jnp.log(diagonal[:-1])) + degrees * jnp.log(sigma2)
        + diagonal[-1] ** 2 / sigma2 + data["constant"]
    )  # fmt: skip


def _slopes(layout: Layout, data: dict[str, Any], factors: Any, sigma2: Any, pieces: dict[str, Any]) -> Any:
    """Derivatives in the factors, sigma^2 and the response's column."""
    import jax.numpy as jnp

    inner = inverse(pieces["half"])
    rho = pieces["half"][-1, -1] ** 2
    # last row of the inverse factor: (-w, 1) / sqrt(rho), w the solution of the normal equations
    Omega = inner.T @ inner + (rho / sigma2 - 1) * inner[-1][:, None] * inner[-1][None, :]
    K_Omega = scale(layout, factors, Omega, transpose=False)
    Omega_T = scale(layout, factors, K_Omega.T, transpose=False)
    E0 = data["E0"]
    degrees = data["n"] - (layout.p - len(layout.kept))
    own = jnp.sum(Omega[layout.tail :, layout.tail :] * E0) + (degrees - rho / sigma2) / sigma2
    column = {"C": None, "direct": 2 * Omega_T[:-1, -1], "own": Omega_T[-1, -1]}
    if not layout.blocks:
        return (), own, column
    F, met = _met(layout, data, pieces["C"], Omega_T)
    column["C"] = -2 * sum(pieces["W"][:, b] * met[b] for b in range(len(met)))
    return (_largest_slope(data["A"], pieces, F), *_tail_slopes(layout, pieces["T"], K_Omega)), own, column


def _met(layout: Layout, data: dict[str, Any], C: Any, Omega: Any) -> tuple[Any, Any]:
    """F (k, k, L) = C_l Omega C_l' over all columns, and C_l Omega's column of y (k, L)."""
    import jax.numpy as jnp

    q = layout.tail if layout.sparse else 0
    right = (Omega[q:, q:] @ C.reshape(len(C), -1)).reshape(C.shape)
    F = outer(right, C)
    if not layout.sparse:
        return F, right[-1]
    pairs = data["pairs"]
    within = sums.apply(pairs["up"], pairs["twice"] * Omega[:q, :q].ravel()[pairs["lower"]]).reshape(F.shape)
    between = sums.apply(data["coupling"]["up"], Omega[:q, q:]).T.reshape(C.shape)
    mixed = outer(between, C)
    F = F + 0.5 * (within + jnp.swapaxes(within, 0, 1)) + mixed + jnp.swapaxes(mixed, 0, 1)
    return F, right[-1] + between[-1]


def outer(left: Any, right: Any) -> Any:
    """Sum over the columns of the outer products per level: (m, a, L), (m, b, L) -> (a, b, L)."""
    if len(left) > UNROLLED:
        return (left[:, :, None] * right[:, None]).sum(0)
    return sum(a[:, None] * b for a, b in zip(left, right, strict=True))


def _largest_slope(A: Any, pieces: dict[str, Any], F: Any) -> Any:
    """2 sum over levels of A Y - (I - A W) F Y."""
    FY = each(F, pieces["Y"])
    return 2 * (each(A, pieces["Y"] + each(pieces["W"], FY)) - FY).sum(-1)


def _tail_slopes(layout: Layout, T: Any, K_Omega: Any) -> list[Any]:
    """2 T K Omega summed over the diagonal blocks of each tail factor."""
    import jax.numpy as jnp

    slopes, first = [], 0
    for levels, k in layout.tail_blocks:
        rows = T[first : first + levels * k].reshape(levels, k, -1)
        columns = K_Omega[:, first : first + levels * k].reshape(-1, levels, k)
        slopes.append(2 * jnp.einsum("lam,mlb->ab", rows, columns))
        first += levels * k
    return slopes
