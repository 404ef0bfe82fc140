"""What all families of counts share: their support, what is refused, the constant, and draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base import Family, Observed
from ..links import Link, Log
from .arrays import NUMPY
from .gammas import spread_of_gamma
from .support import whole


@dataclass(frozen=True)
class Counts(Family):
    """Whole numbers from 0 on with a positive mean; weights are frequencies."""

    link: Link = Log()

    links = ("log", "identity", "sqrt")
    discrete = True
    support = "whole numbers from 0 on"
    mean_range = (0.0, np.inf)

    @property
    def ratios(self) -> str:
        return "Rate ratios" if self.link.multiplicative else super().ratios

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        advice = 'For rates, model counts with offset(log(exposure)); measured amounts take family="gamma".'
        yield ~whole(observed.y) | (observed.y < 0), advice

    def says_nothing(self, observed: Observed, offset: np.ndarray) -> bool:
        return not np.any(observed.y)

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        """The Poisson log density at mu = y (n,), times frequency weights.

        Kernels are relative to it: relative to -log y! they are sums of terms of size y log y, and rounding of that.
        """
        some = xp.maximum(observed.y, 1.0)
        constant = xp.where(observed.y > 0, spread_of_gamma(some, xp) - xp.log(some), 0.0)
        return constant if observed.weights is None else observed.weights * constant


def poisson_draws(rng: np.random.Generator, mu: np.ndarray) -> np.ndarray:
    """Counts of these means, also of means that NumPy refuses (above 2^63), where a draw is its mean to all digits."""
    return np.where(mu < 1e15, rng.poisson(np.minimum(mu, 1e15)), mu).astype(float)
