"""The deviance of a generalized model by adaptive quadrature as a criterion."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..laplace.approximation import Curved
from ..quadrature.factoring import Quadrature
from .criterion import StandIn
from .laplace_deviance import LaplaceCriterion


@dataclass
class QuadratureCriterion(LaplaceCriterion):
    """The deviance by quadrature, around the modes that Laplace's criterion finds."""

    rule: Quadrature = field(kw_only=True)

    def deviance(self, x: np.ndarray, curved: Curved) -> float:
        """-2 log-likelihood, every constant included."""
        return -2 * self.rule.loglik(x, curved)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The deviance and its exact gradient."""
        loglik, gradient = self.rule.loglik_and_gradient(x, self.at(x))
        return -2 * loglik, -2 * gradient

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        """None: Laplace's optimum, from which the search starts, was looked at."""
        return None
