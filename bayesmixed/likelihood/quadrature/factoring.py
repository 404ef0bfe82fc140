"""Which quadrature a model's grouping factors allow, and for those that allow none what is possible instead."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ...errors import FitError
from ..laplace.approximation import Curved, LaplaceLikelihood
from .adaptive import OneFactor
from .nested import INNER, OUTER, NestedPair
from .placing import Grid

MAX_COLUMNS = 3  # of one factor's effects: a tensor grid of 9 nodes a dimension has 729 there, 6,561 with a fourth
MAX_NODES = 100  # the weights of the outermost are below the smallest number that can be written


class Quadrature(Protocol):
    """The log-likelihood by quadrature at a conditional mode."""

    def loglik(self, x: np.ndarray, curved: Curved) -> float:
        """With every constant."""

    def logs(self, x: np.ndarray, curved: Curved) -> np.ndarray:
        """log of the integral of each level of the factor over which it factors, without the constant."""

    def loglik_and_gradient(self, x: np.ndarray, curved: Curved) -> tuple[float, np.ndarray]:
        """The log-likelihood and its exact gradient in x."""


def quadrature(laplace: LaplaceLikelihood, nodes: int) -> Quadrature:
    """Quadrature with `nodes` a dimension for a model with random effects.

    Raises
    ------
    FitError
        More nodes than their weights allow, or effects over which the integral does not factor into small ones.
    """
    blocks = laplace.rows.blocks
    if nodes > MAX_NODES:
        raise FitError(
            f"quadrature={nodes} is more than the {MAX_NODES} nodes a dimension that have weights. Use 25.",
            topic="quadrature-limits",
        )
    if len(blocks) > 1 and not nested(laplace):
        names = " and ".join(repr(block.factor) for block in blocks)
        raise FitError(
            f"quadrature={nodes}: the integral over crossed effects of {names} does not factor into small ones. "
            "Quadrature takes one grouping factor or one nested in another, e.g. (1 | a/b); here "
            'bm.ML(quadrature=1) is Laplace\'s approximation, and model.fit("nuts", seed=1) integrates by sampling.',
            topic="quadrature-limits",
        )
    for block in blocks:
        if block.k > MAX_COLUMNS:
            raise FitError(
                f"quadrature={nodes}: {block.factor!r} has {block.k} columns of effects, a grid of {nodes}^{block.k} "
                f"nodes for each level; at most {MAX_COLUMNS} are possible. Take terms out, use bm.ML(quadrature=1), "
                'or integrate by sampling, model.fit("nuts", seed=1).',
                topic="quadrature-limits",
            )
    grids = [Grid.of(nodes, block.k) for block in blocks]
    if len(blocks) == 1:
        return OneFactor(laplace, grids[0])
    return NestedPair(laplace, grids[INNER], grids[OUTER])


def nested(laplace: LaplaceLikelihood) -> bool:
    """Whether there are two factors and each level of the larger lies in one level of the other."""
    if len(laplace.rows.blocks) != 2:
        return False
    inner = laplace.rows.pairs[INNER, OUTER].a
    return len(np.unique(inner)) == len(inner)
