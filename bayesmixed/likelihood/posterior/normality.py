"""How normal effects are given the hyperparameters: what quadrature changes in their means, level by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..laplace.approximation import LaplaceLikelihood
from ..laplace.mode import Mode
from ..laplace.rows import BlockRows
from ..quadrature.adaptive import Likelihood, level_sums
from ..quadrature.placing import Grid, Placement

NODES, GRID_COLUMNS = 9, 2  # quadrature up to two columns a level, seeded draws beyond
DRAWS = 256
AT_ONCE = 2**21  # rows x nodes


@dataclass(frozen=True)
class Normality:
    """Of one grouping factor's effects given hyperparameters and all other effects, averaged over its levels.

    `shift`: distance between mean and mode, in conditional sds (root mean square over columns); `spread`: sd over that
    of the normal approximation, averaged; `log_integral`: what Laplace's approximation lacks, summed over levels.
    """

    factor: str
    shift: float
    spread: float
    log_integral: float


def normality(likelihood: LaplaceLikelihood, x: np.ndarray, mode: Mode) -> list[Normality]:
    """Per block, at the conditional mode `mode` for x; every other block's effects stay at their mode."""
    rows, dispersion = likelihood.rows, likelihood.beside(x)[1]
    found = []
    for i, block in enumerate(rows.blocks):
        Lambda, block_rows = likelihood.factors(x)[i], rows.block_rows[i]
        assert mode.derivatives is not None
        M = Lambda.T @ block_rows.products(mode.derivatives.V) @ Lambda + np.eye(block.k)
        density = Likelihood(rows, block_rows, dispersion, (), mode.eta)
        fixed = mode.eta - block_rows.spread(mode.b[i])
        found.append(_judged(block.factor, density, block_rows, Lambda, fixed, Placement.of(mode.u[i], M)))
    return found


def _judged(
    factor: str, density: Likelihood, block: BlockRows, Lambda: np.ndarray, fixed: np.ndarray, placed: Placement
) -> Normality:
    z, log_w = _nodes(block.k)
    log = np.empty((len(z), block.n_levels))
    step = max(1, AT_ONCE // max(len(fixed), 1))
    for first in range(0, len(z), step):
        some = slice(first, first + step)
        u = placed.at(z[some])
        b = u @ Lambda.T
        eta = fixed + sum(block.weighted(j, b[:, block.codes, j]) for j in range(block.k))
        log[some] = density(eta, u, False).log - 0.5 * np.sum(u**2, axis=2)
    # against the normal approximation, whose density at node z is exp(-z'z / 2) up to what is the same for all nodes
    log += log_w[:, None]
    used = level_sums(block, np.ones((1, len(fixed))))[0] > 0
    log = log[:, used]
    top = log.max(axis=0)
    weights = np.exp(log - top)
    total = weights.sum(axis=0)
    at_mode = density(fixed + block.spread(placed.centre @ Lambda.T)[None], placed.centre[None], False).log[0][used]
    at_mode = at_mode - 0.5 * np.sum(placed.centre[used] ** 2, axis=1)
    shares = weights / total
    mean = np.einsum("cl,ca->la", shares, z)
    square = np.einsum("cl,ca->la", shares, z**2)
    return Normality(
        factor,
        float(np.mean(np.sqrt(np.mean(mean**2, axis=1)))),
        float(np.mean(np.sqrt(np.maximum(square - mean**2, 0.0)))),
        float(np.sum(np.log(total) + top - at_mode)),
    )


def _nodes(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal nodes (c, k) and log weights over exp(-z'z / 2)."""
    if k <= GRID_COLUMNS:
        grid = Grid.of(NODES, k)
        return grid.z, grid.log_w
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, k))
    z = np.concatenate([half, -half])
    return z, 0.5 * np.sum(z**2, axis=1) - np.log(len(z))
