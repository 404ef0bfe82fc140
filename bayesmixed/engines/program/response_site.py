"""What NumPyro sees of the response: one site with the family's density, and its derivatives by the family too."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ...families import Family, Observed
from ...families.numeric.arrays import jax_arrays


def sample_response(family: Family, eta: Any, dispersion: dict[str, Any], data: dict[str, Any]) -> None:
    """Inside a program: the site "y" given the predictor eta (n,).

    ``data`` has `y`, where there are any `weights` (precisions or frequencies, as the family says) and `trials`, and
    `constant`, the sum of the terms of log f(y) that hold no parameter.
    """
    import numpyro

    conditional = _distribution()(family, eta, dispersion, data.get("weights"), data.get("trials"), data["constant"])
    numpyro.sample("y", conditional, obs=data["y"])


@cache
def _distribution() -> Any:
    """The class of the site's distribution; NumPyro is imported when it is first asked for."""
    import numpyro.distributions as dist

    class Conditional(dist.Distribution):  # type: ignore[misc]  # NumPyro has no types
        """All rows given eta: the density by the family's kernel, samples by the family's NumPyro distribution.

        `constant` is that of the response it was built for; other responses take a model of their own
        (`Model.with_response`).
        """

        def __init__(self, family: Family, eta: Any, dispersion: Any, weights: Any, trials: Any, constant: Any) -> None:
            self.family, self.eta, self.dispersion = family, eta, dispersion
            self.weights, self.trials, self.constant = weights, trials, constant
            super().__init__(event_shape=np.shape(eta))

        @property
        def rows(self) -> Any:
            """The same without the derivatives, NumPyro's own."""
            mu = self.family.link.inverse(self.eta, jax_arrays())
            return self.family.distribution(mu, self.dispersion, self.weights, self.trials).to_event(1)

        @property
        def support(self) -> Any:
            return self.rows.support

        def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
            return self.rows.sample(key, sample_shape)

        def log_prob(self, value: Any) -> Any:
            seen = Observed(value, self.weights, self.trials)
            return _kernel()(self.family, seen, self.eta, self.dispersion) + self.constant

    return Conditional


@cache
def _kernel() -> Any:
    """The summed kernel as a function whose derivative is the family's: half the cost of differentiating it."""
    import jax
    import jax.numpy as jnp

    def kernel(family: Family, seen: Observed, eta: Any, dispersion: dict[str, Any]) -> Any:
        return _inside(family, eta, jnp.sum(family.derivatives(seen, eta, dispersion, 0, jax_arrays()).kernel))

    def slope(family: Family, primals: Any, tangents: Any) -> Any:
        seen, eta, dispersion = primals
        _, moved, changed = tangents
        found = family.derivatives(seen, eta, dispersion, 1, jax_arrays())
        total = jnp.sum(found.g * moved)
        for name in family.dispersion:
            total = total + jnp.sum(found.slope(name) * changed[name])
        return _inside(family, eta, jnp.sum(found.kernel)), total

    known = jax.custom_jvp(kernel, nondiff_argnums=(0,))
    known.defjvp(slope)
    return known


def _inside(family: Family, eta: Any, value: Any) -> Any:
    """-inf where a predictor leaves the domain of the link or the means of the family."""
    import jax.numpy as jnp

    low, high = family.eta_range
    if low > -np.inf:
        value = jnp.where(jnp.min(eta) > low, value, -jnp.inf)
    return jnp.where(jnp.max(eta) < high, value, -jnp.inf) if high < np.inf else value


def level_rows(codes: np.ndarray, n_levels: int) -> dict[str, np.ndarray]:
    """The rows of each level as a table, so that sums over levels are gathers: `rows` (m, w), short ones filled with n.

    Levels with more than w rows take several lines, whose levels are `owner` (m,); without it line l is level l. XLA
    adds at scattered places one after the other on a CPU, several times slower.
    """
    counts = np.bincount(codes, minlength=n_levels)
    even = n_levels * counts.max(initial=1) <= 1.5 * len(codes)
    width = int(counts.max(initial=1)) if even else max(1, -(-len(codes) // n_levels))
    lines = np.maximum(-(-counts // width), 1)
    order = np.argsort(codes, kind="stable")
    within = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = np.cumsum(lines) - lines
    rows = np.full((int(lines.sum()), width), len(codes), dtype=np.int32)
    rows[first[codes[order]] + within // width, within % width] = order
    return {"rows": rows} if even else {"rows": rows, "owner": np.repeat(np.arange(n_levels, dtype=np.int32), lines)}


@cache
def _gather() -> Any:
    """b (levels,), codes (n,), level rows -> b[codes], transposed by gathers too."""
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def gather(b: Any, codes: Any, table: dict[str, Any]) -> Any:
        return jnp.asarray(b).at[codes].get(mode="promise_in_bounds")

    def forward(b: Any, codes: Any, table: dict[str, Any]) -> Any:
        return gather(b, codes, table), (jnp.zeros_like(b), table)

    def backward(kept: Any, g: Any) -> Any:
        like, table = kept
        full = table["rows"].size == g.size  # no line is short
        sums = g.at[table["rows"]].get(mode="promise_in_bounds" if full else "fill", fill_value=0.0).sum(axis=1)
        return (like.at[table["owner"]].add(sums) if "owner" in table else sums), None, None

    gather.defvjp(forward, backward)
    return gather


def spread(effects: Any, codes: Any, table: dict[str, Any], columns: Any, constant: tuple[bool, ...]) -> Any:
    """Z b (n,) of effects (levels, k): `columns` (m, n) are those of Z that are not `constant` (all ones)."""
    total, varying = None, iter(range(len(columns)))
    for j, ones in enumerate(constant):
        part = _gather()(effects[:, j], codes, table)
        part = part if ones else columns[next(varying)] * part
        total = part if total is None else total + part
    return total
