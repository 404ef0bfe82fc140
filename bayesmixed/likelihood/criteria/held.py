"""A criterion with one coordinate held: its minimum over the others is a point of the profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..working.coordinates import Coordinates
from ..working.theta import Theta
from .criterion import Criterion, StandIn


@dataclass(frozen=True)
class Held:
    """`base` where the coordinate at `position` is `at`, a function of x as before in which that element is ignored.

    Its slope there is zero, and a search does not move it: the boundary of a covariance is looked for with it held.
    `placed` makes any x one of those that it stands for.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> from bayesmixed.likelihood.at import likelihood_of
    >>> from bayesmixed.likelihood.criteria.profiled import ProfiledCriterion
    >>> likelihood = likelihood_of(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")))
    >>> held = Held(ProfiledCriterion(likelihood, reml=False, sigma=None), 0, 0.5)
    >>> bool(held.value([7.0]) == held.base.value([0.5]))
    True
    """

    base: Criterion
    position: int
    at: float

    @cached_property
    def theta(self) -> Theta:
        """The base's, in which the element held is marked."""
        theta = self.base.theta
        return replace(theta, held=(*theta.held, self.position)) if self.position < theta.size else theta

    def placed(self, x: np.ndarray) -> np.ndarray:
        """x with the coordinate where it is held."""
        found = np.array(x, dtype=float)
        found[self.position] = self.at
        return found

    def coordinates(self) -> Coordinates:
        """Those of the base."""
        return self.base.coordinates()

    def value(self, x: np.ndarray) -> float:
        """The base's value."""
        return self.base.value(self.placed(x))

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The base's value and its gradient in the others."""
        value, gradient = self.base.value_and_gradient(self.placed(x))
        gradient = gradient.copy()
        gradient[self.position] = 0.0
        return value, gradient

    def metric(self, x: np.ndarray) -> np.ndarray:
        """The base's guess given the coordinate held: a conditional covariance; one in its own place."""
        full, i = self.base.metric(self.placed(x)), self.position
        found = full - np.outer(full[:, i], full[i]) / full[i, i] if full[i, i] > 0 else full.copy()
        found[i] = found[:, i] = 0.0
        found[i, i] = 1.0
        return found

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        """The base's, of a theta with the element where it is held."""
        known = self.base.stand_in(self.placed(x))
        if known is None or self.position >= self.theta.size:
            return known
        base, searches = known

        def function(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = base(self.placed(theta))
            gradient = gradient.copy()
            gradient[self.position] = 0.0
            return value, gradient

        return function, searches
