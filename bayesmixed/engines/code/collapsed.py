"""The script with the effects of a linear model integrated out: a normal response with a covariance of low rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...families import observed
from ...interop.naming import safe
from .assemble import Body, Written
from .bars import Bar
from .scope import comment, quoted

if TYPE_CHECKING:
    from ...model import Model

MOST = 20_000_000  # elements of rows x effects, a dense array (160 MB) at every step

SPREAD = '''
from jax.scipy.linalg import cho_solve, solve_triangular


def spread(codes, levels, columns):
    """The columns (n, k) of each row in the place of its level: (n, levels * k), zero elsewhere."""
    here = codes[:, None] == jnp.arange(levels)
    return (here[:, :, None] * columns[:, None, :]).reshape(len(codes), -1)
'''
EFFECTS = '''
def effects(key, draw, data):
    """Effects for one draw of everything else: from their normal distribution given it and the data."""
    mu, sd, F, {roots} = numpyro.handlers.substitute(model, data=draw)(data)
    scaled, off = F / sd[:, None], ({normal} - mu) / sd
    root = jnp.linalg.cholesky(jnp.eye(F.shape[1]) + scaled.T @ scaled)
    u = cho_solve((root, True), scaled.T @ off)
    u = u + solve_triangular(root.T, jax.random.normal(key, u.shape))
{lines}
    return {{{named}}}


def with_effects(draws, data, seed=1):
    """The draws (chain, draw, ...) with effects drawn for each."""
    chains, each = next(iter(draws.values())).shape[:2]
    flat = {{name: values.reshape(chains * each, *values.shape[2:]) for name, values in draws.items()}}
    keys = jax.random.split(jax.random.PRNGKey(seed), chains * each)
    drawn = jax.lax.map(lambda one: effects(*one, data), (keys, flat))
    return draws | {{name: values.reshape(chains, each, *values.shape[1:]) for name, values in drawn.items()}}
'''


def collapsed_lines(parts: Body) -> Written:
    """Coefficients, sds, correlations and sigma are sampled; the effects are drawn afterwards."""
    _refuse(parts.model)
    lines = list(parts.population)
    for bar in parts.bars:
        lines += ["", *bar.block.lines]
    lines += ["", *parts.linear(sampled=False), *_likelihood(parts)]
    return Written(lines, SPREAD, _effects(parts), "with_effects(mcmc.get_samples(group_by_chain=True), data)")


def _refuse(model: Model) -> None:
    """What cannot be collapsed, and what to ask for instead."""
    if not model.linear:
        raise ModelError(
            "collapsed=True is not possible here: effects integrate out exactly only under a normal response, or a "
            f"normal logarithm of it, with an identity link, and this is {model.family.name} with a "
            f"{model.family.link.name} link. model.code() samples the effects.",
            topic="not-in-a-script",
        )
    if not model.design.groups:
        raise ModelError(
            "collapsed=True has nothing to integrate out: the model has no random effects. Leave it out.",
            topic="not-in-a-script",
        )
    rows = int(np.sum(model.design.used))
    effects = sum(group.n_levels * len(group.columns) for group in model.design.groups)
    if rows * effects > MOST:
        raise ModelError(
            f"collapsed=True would hold {rows:,} rows x {effects:,} effects densely at every step "
            f"({8e-9 * rows * effects:.1f} GB). model.code() samples the effects; model.fit('nuts') integrates out "
            "sparsely.",
            topic="not-in-a-script",
        )


def _likelihood(parts: Body) -> list[str]:
    model, scope = parts.model, parts.scope
    y, weights = _y(parts), _weights(parts)
    normal = model.family.written_normal(weights)
    rows = int(np.sum(model.design.used))
    blocks = [f"    {line}" for bar in parts.bars for line in (*comment(bar.text), f"{_spread(bar, rows)},")]
    response = normal.response.format(normal="dist.LowRankMultivariateNormal(mu, F, sd**2)")
    roots = ", ".join(bar.block.root for bar in parts.bars)
    assert model.design.response is not None  # as in `_y`
    return [
        f"mu, sd = jnp.broadcast_to(mu, ({rows},)), jnp.broadcast_to({normal.sd}, ({rows},))",
        "# effects are F u with independent standard normal u: integrated out they add F F' to the covariance",
        "F = jnp.concatenate([",
        *blocks,
        "], axis=1)",
        f"numpyro.sample({quoted(scope.site(safe(model.design.response.name)))}, {response}, obs={y})",
        f"return mu, sd, F, ({roots},)",
    ]


def _y(parts: Body) -> str:
    response = parts.model.design.response
    seen = observed(parts.model.design, parts.model.design.used)
    assert response is not None  # `observed` has asked
    return parts.scope.array(response.name, seen.y, "the response")


def _weights(parts: Body) -> str:
    seen = observed(parts.model.design, parts.model.design.used)
    return "" if seen.weights is None else parts.scope.array("weights", seen.weights, "the weights of the rows")


def _spread(bar: Bar, rows: int) -> str:
    ones = f"jnp.ones({rows})"
    if bar.single:
        columns = f"({bar.columns[0] or ones} * {bar.block.root})[:, None]"
    else:
        together = bar.wide or f"jnp.stack([{', '.join(column or ones for column in bar.columns)}], axis=1)"
        columns = f"{together} * {bar.block.root}" if bar.block.flat else f"{together} @ {bar.block.root}"
    return f"spread({bar.codes}, {bar.n_levels}, {columns})"


def _effects(parts: Body) -> str:
    lines, first = [], 0
    for bar in parts.bars:
        k = len(bar.names.effects)
        last = first + bar.n_levels * k
        shape = "" if bar.single else f".reshape({bar.n_levels}, {k})"
        lines += [f"{bar.u} = u[{first}:{last}]{shape}", bar.scaled]
        first = last
    named = {name: text for bar in parts.bars for name, text in bar.each.items()}
    return EFFECTS.format(
        roots=f"({', '.join(bar.block.root for bar in parts.bars)},)",
        normal=parts.model.family.written_normal(_weights(parts)).of.format(y=_y(parts)),
        lines="\n".join(f"    {line}" for line in lines),
        named=", ".join(f"{quoted(name)}: {text}" for name, text in named.items()),
    )
