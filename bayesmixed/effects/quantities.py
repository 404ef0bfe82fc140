"""Numbers computed from a fit and how uncertain they are: by the delta method, or by draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

Elementwise = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Scale:
    """How numbers are shown: an elementwise monotone function `show` and its derivative `slope`."""

    show: Elementwise
    slope: Elementwise


AS_IS = Scale(lambda x: x, np.ones_like)
EXPONENTIAL = Scale(np.exp, np.exp)


class Quantities(ABC):
    """m numbers with their joint uncertainty; linear and elementwise functions of them carry it along."""

    @property
    @abstractmethod
    def values(self) -> np.ndarray:
        """The numbers (m,)."""

    @abstractmethod
    def combined(self, weights: np.ndarray) -> Quantities:
        """`weights` (k, m) times the numbers: k others."""

    @abstractmethod
    def mapped(self, scale: Scale) -> Quantities:
        """An elementwise function of the numbers."""

    @abstractmethod
    def minus(self, other: Quantities) -> Quantities:
        """The differences to as many others of the same fit."""

    @abstractmethod
    def followed_by(self, others: Sequence[Quantities]) -> Quantities:
        """These numbers and then others of the same fit."""

    @abstractmethod
    def covariance(self) -> np.ndarray:
        """(m, m)."""

    @abstractmethod
    def statistic(self) -> np.ndarray | None:
        """Estimate over standard error (m,); None where draws make no test."""

    @abstractmethod
    def table(self, level: float, critical: np.ndarray | float, scale: Scale) -> pd.DataFrame:
        """estimate, se, lower, upper as `scale` shows them; `critical` values belong to normal limits."""


@dataclass(frozen=True)
class Linearised(Quantities):
    """Functions of normal coefficients, linear with `jacobian` (m, p) nearby.

    `root` (p, q) is a factor F of the coefficients' covariance F F'. Where columns are far from zero the terms of
    x' F F' x cancel to nothing, those of x' F do not.
    """

    estimate: np.ndarray
    jacobian: np.ndarray
    root: np.ndarray

    @property
    def values(self) -> np.ndarray:
        return self.estimate

    def combined(self, weights: np.ndarray) -> Linearised:
        return replace(self, estimate=_weighted(weights, self.estimate), jacobian=weights @ self.jacobian)

    def mapped(self, scale: Scale) -> Linearised:
        slope = scale.slope(self.estimate)
        return replace(self, estimate=scale.show(self.estimate), jacobian=slope[:, None] * self.jacobian)

    def minus(self, other: Quantities) -> Linearised:
        assert isinstance(other, Linearised)
        return replace(self, estimate=self.estimate - other.estimate, jacobian=self.jacobian - other.jacobian)

    def followed_by(self, others: Sequence[Quantities]) -> Linearised:
        every = [self, *(other for other in others if isinstance(other, Linearised))]
        estimate = np.concatenate([one.estimate for one in every])
        return replace(self, estimate=estimate, jacobian=np.concatenate([one.jacobian for one in every]))

    def covariance(self) -> np.ndarray:
        half = self.jacobian @ self.root
        return half @ half.T

    def se(self) -> np.ndarray:
        """Standard errors (m,)."""
        return np.where(np.isnan(self.estimate), np.nan, np.linalg.norm(self.jacobian @ self.root, axis=1))

    def statistic(self) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.estimate / self.se()

    def table(self, level: float, critical: np.ndarray | float, scale: Scale) -> pd.DataFrame:
        se = self.se()
        ends = scale.show(self.estimate - critical * se), scale.show(self.estimate + critical * se)
        found = {
            "estimate": scale.show(self.estimate),
            "se": np.abs(scale.slope(self.estimate)) * se,
            "lower": np.minimum(*ends),
            "upper": np.maximum(*ends),
        }
        return pd.DataFrame(found)


@dataclass(frozen=True)
class Sampled(Quantities):
    """Draws (D, m) of the numbers.

    Their estimate is the mean. With `robust` it is the median, and the standard error half the distance between the
    quantiles that a normal distribution has one sd from its mean: for ratios, whose mean need not exist.
    """

    draws: np.ndarray
    robust: bool = False

    @property
    def values(self) -> np.ndarray:
        return np.median(self.draws, axis=0) if self.robust else self.draws.mean(axis=0)

    def combined(self, weights: np.ndarray) -> Sampled:
        return replace(self, draws=_weighted(weights, self.draws.T).T)

    def mapped(self, scale: Scale) -> Sampled:
        return replace(self, draws=scale.show(self.draws))

    def minus(self, other: Quantities) -> Sampled:
        assert isinstance(other, Sampled)
        return replace(self, draws=self.draws - other.draws)

    def followed_by(self, others: Sequence[Quantities]) -> Sampled:
        every = [self.draws, *(other.draws for other in others if isinstance(other, Sampled))]
        return replace(self, draws=np.concatenate(every, axis=1))

    def covariance(self) -> np.ndarray:
        m = self.draws.shape[1]
        return np.cov(self.draws, rowvar=False).reshape(m, m)

    def statistic(self) -> None:
        return None

    def table(self, level: float, critical: np.ndarray | float, scale: Scale) -> pd.DataFrame:
        shown = self.mapped(scale)
        lower, upper = np.quantile(shown.draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return pd.DataFrame({"estimate": shown.values, "se": shown._spread(), "lower": lower, "upper": upper})

    def _spread(self) -> np.ndarray:
        if not self.robust:
            return self.draws.std(axis=0, ddof=1)
        below, above = np.quantile(self.draws, [ndtr(-1.0), ndtr(1.0)], axis=0)
        return (above - below) / 2


def _weighted(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`weights` (k, m) times values (m, ...), where a missing value that has no weight does not count."""
    missing = np.isnan(values)
    found = weights @ np.where(missing, 0.0, values)
    return np.where((weights != 0).astype(float) @ missing > 0, np.nan, found) if missing.any() else found
