"""What each cluster adds to the slope of a generalized model's deviance, where no effect is shared between clusters.

The marginal likelihood is then a product over clusters, by Laplace's approximation and by quadrature alike, and the
slope of a cluster's factor is that of a model of its rows alone, at the same parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..laplace.approximation import LaplaceLikelihood
from ..laplace.products import pattern
from ..quadrature.factoring import quadrature


def cluster_scores(
    likelihood: LaplaceLikelihood, x: np.ndarray, members: Sequence[np.ndarray], nodes: int
) -> np.ndarray:
    """d D_g / d x (G, m) of clusters with these rows, D = sum D_g the deviance with `nodes` a dimension.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a cluster's effects have no mode.
    """
    return np.stack([_slope(_part(likelihood, at), x, nodes) for at in members])


def _part(likelihood: LaplaceLikelihood, at: np.ndarray) -> LaplaceLikelihood:
    rows = likelihood.rows.take(at)
    return LaplaceLikelihood(rows, pattern(rows), likelihood.held, 0.0)


def _slope(likelihood: LaplaceLikelihood, x: np.ndarray, nodes: int) -> np.ndarray:
    curved = likelihood.curved(x, likelihood.mode(x))
    if nodes == 1 or not likelihood.rows.blocks:
        return likelihood.gradient(x, curved)
    return -2 * quadrature(likelihood, nodes).loglik_and_gradient(x, curved)[1]
