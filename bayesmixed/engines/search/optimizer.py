"""What an optimizer is: a value that goes from a start to a minimum of a smooth function, by its own stopping rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

HUGE = 1e100  # stands for +inf, which line searches cannot interpolate

ValueAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Optimum:
    """Where the search ended: `x`, `value`, `gradient` there, the predicted remaining `decrease`, `evaluations`."""

    x: np.ndarray
    value: float
    gradient: np.ndarray
    decrease: float
    evaluations: int
    message: str

    @property
    def converged(self) -> bool:
        """Whether the predicted remaining decrease is negligible: 1e-6 in the criterion."""
        return bool(np.isfinite(self.value) and self.decrease < 1e-6 and self.value < HUGE)


@dataclass(frozen=True)
class Optimizer(ABC):
    """A way to minimise a smooth function of a vector.

    Parameters
    ----------
    maxiter
        Limit of iterations; the method's own if None. Where it is given, the search is shown as it ended there, and
        not taken further.
    """

    maxiter: int | None = None

    name: ClassVar[str]

    @property
    def limited(self) -> bool:
        """Whether the user limited its iterations."""
        return self.maxiter is not None

    @abstractmethod
    def minimise(self, function: ValueAndGradient, start: np.ndarray, metric: np.ndarray | None = None) -> Optimum:
        """Where a search from `start` ends.

        Parameters
        ----------
        function
            x -> (value, gradient); may raise LinAlgError outside its domain.
        start
            First x (m,); it may have no element.
        metric
            A guess of the inverse Hessian (m, m) at `start`, if any.
        """
