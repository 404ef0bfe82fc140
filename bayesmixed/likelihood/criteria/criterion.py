"""What a search must know of the function that it minimises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..working.coordinates import Coordinates
from ..working.theta import Theta

StandIn = Callable[[np.ndarray], tuple[float, np.ndarray]]  # theta -> value, gradient


class Criterion(Protocol):
    """A function of x = (working theta, whatever else is estimated), smooth inside the parameter space.

    Its unit is that of a deviance: a rise of 1 is a standard error. Some remember the last points, so that what is
    asked of a point that was evaluated costs nothing; no answer but its last digits depends on it.
    """

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""

    def coordinates(self) -> Coordinates:
        """What an accepted x means: the parameters that it says, where what was profiled out is not among them."""

    def value(self, x: np.ndarray) -> float:
        """The criterion alone."""

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The criterion and its gradient.

        Raises
        ------
        numpy.linalg.LinAlgError
            Where it cannot be evaluated.
        """

    def metric(self, x: np.ndarray) -> np.ndarray:
        """A guess of the inverse Hessian."""

    def stand_in(self, x: np.ndarray) -> tuple[StandIn, int] | None:
        """A cheap function of theta that is like the criterion about x, and how many searches of it are cheap enough.

        None where there is no such function.
        """
