"""A criterion in which one parameter of the model is a coordinate of its own, which the points of a profile hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...likelihood.criteria.criterion import Criterion, StandIn
from ...likelihood.working.coordinates import Coordinates
from ...likelihood.working.theta import Theta
from .charts import Chart

Estimates = Callable[[np.ndarray], np.ndarray]  # x -> every parameter of the model, in the order of its tables


@dataclass(frozen=True, eq=False)
class Pinned:
    """`base` as a function of y = (w, z), w the coordinate of the parameter `label`, by a `chart` of x.

    `x` are the estimates, `ends` between which the parameter lies, `signed` positions in y of what must not be
    negative; `simpler` says of a value whether the model is a simpler one there, whose likelihood changes no more;
    `estimates` says what x is in the parameters of the model, of which this is the one at `place`; `unit` is what
    theta is measured in.
    """

    label: str
    place: int
    base: Criterion
    chart: Chart
    x: np.ndarray
    ends: tuple[float, float]
    estimates: Estimates
    signed: tuple[int, ...] = ()
    simpler: Callable[[float], bool] = lambda value: False
    unit: float = 1.0

    @property
    def limits(self) -> tuple[float, float]:
        """What w is at the ends of the parameter."""
        with np.errstate(divide="ignore"):  # the logarithm of zero is the end of its line
            return self.chart.at(self.ends[0]), self.chart.at(self.ends[1])

    @property
    def y(self) -> np.ndarray:
        """The estimates (m,)."""
        return self.chart.y(self.x)

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""
        return self.base.theta

    def coordinates(self) -> Coordinates:
        """Those of the base."""
        return self.base.coordinates()

    def value(self, y: np.ndarray) -> float:
        """The base's value."""
        return self.base.value(self.chart.x(y))

    def value_and_gradient(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The base's value and its gradient in y."""
        value, gradient = self.base.value_and_gradient(self.chart.x(y))
        return value, self.chart.pulled(y, gradient)

    def metric(self, y: np.ndarray) -> np.ndarray:
        """The base's guess, in y."""
        into = np.linalg.inv(self.chart.slopes(y))
        found = into @ self.base.metric(self.chart.x(y)) @ into.T
        return 0.5 * (found + found.T)

    def stand_in(self, y: np.ndarray) -> tuple[StandIn, int] | None:
        """None: the way leads from one optimum to the next."""
        return None
