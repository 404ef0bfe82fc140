"""What is maximised beside a parameter that is held: of each kind of model its own criterion, in the right columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...covariance.pins import Pin
from ...likelihood.criteria.criterion import Criterion
from ...likelihood.working.theta import Theta
from .charts import Chart

if TYPE_CHECKING:
    from ...fits.point import PointFit

# x -> coefficients (P,), absolute roots (k, k) of each bar's covariance, dispersion by name
Point = Callable[[np.ndarray], tuple[np.ndarray, list[np.ndarray], dict[str, float]]]


@dataclass(frozen=True, eq=False)
class Held:
    """A criterion, where the parameter is in it, the estimates `x` of the fit, and what any x says of the model.

    `signed` are positions behind the parameter, which comes first, of what must not be negative.
    """

    criterion: Criterion
    chart: Chart
    x: np.ndarray
    point: Point
    signed: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Ground(ABC):
    """The log-likelihood of a maximum likelihood fit, seen from each of its parameters."""

    fit: PointFit

    @property
    @abstractmethod
    def layout(self) -> Theta:
        """That of the fit's own theta."""

    @property
    def point(self) -> Point | None:
        """What the coordinates of the fit's curvature say of the model; None where such a fit has no curvature."""
        return None

    @abstractmethod
    def block(self, j: int, pin: Pin) -> Held:
        """An sd or correlation of the bar at j."""

    @abstractmethod
    def coefficient(self, i: int) -> Held:
        """The coefficient at i of those of all predictors."""

    @abstractmethod
    def dispersion(self, name: str) -> Held:
        """A dispersion parameter that is estimated."""
