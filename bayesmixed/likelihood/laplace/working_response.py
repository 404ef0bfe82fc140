"""The linear model that a generalized one looks like about a mode: a hundred evaluations for the price of a few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..linear.likelihood import LinearLikelihood
from ..working.basis import FixedBasis
from .approximation import Curved, LaplaceLikelihood
from .mode import FLOOR
from .products import weighted_gram


def working_deviance(likelihood: LaplaceLikelihood, curved: Curved) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The deviance of the working linear model and its gradient as a function of the working theta."""
    working = working_likelihood(likelihood, curved)

    def function(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return working.value_and_gradient(theta, working.solve(theta, invert=True), reml=False, sigma=1.0)

    return function


def working_likelihood(likelihood: LaplaceLikelihood, curved: Curved) -> LinearLikelihood:
    """That of the working response eta + g / V with weights V and sigma 1 (penalised quasi-likelihood).

    Rows whose log-likelihood bends upwards are given little weight. Its theta is the likelihood's working theta.
    """
    rows, found, p = likelihood.rows, curved.derivatives, likelihood.p
    V = np.maximum(found.V, FLOOR * max(float(np.max(np.abs(found.V), initial=0.0)), 1e-300))
    target = V * (curved.mode.eta - rows.offset) + found.g
    weighted = rows.Q * V[:, None]
    ww = np.zeros((p + 1, p + 1))
    ww[:-1, :-1] = rows.Q.T @ weighted
    ww[:-1, -1] = ww[-1, :-1] = rows.Q.T @ target
    ww[-1, -1] = np.sum(target**2 / V)
    gram = weighted_gram(rows, V, np.column_stack([weighted, target]), ww)
    tail = None if likelihood.pattern is None else likelihood.pattern.filled(rows, gram)
    basis = FixedBasis(np.eye(p), np.zeros(p))
    return LinearLikelihood(rows.blocks, gram, tail, basis, rows.theta)
