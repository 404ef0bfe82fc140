"""What all families of counts share: their support, what is refused, the constant log y!, and draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import NUMPY
from .base import Family, Observed
from .checks import whole
from .links import Link, Log


@dataclass(frozen=True)
class Counts(Family):
    """Whole numbers from 0 on with a positive mean; weights are frequencies."""

    link: Link = Log()

    links = ("log", "identity", "sqrt")
    discrete = True
    support = "whole numbers from 0 on"
    mean_range = (0.0, np.inf)

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        advice = 'For rates, model counts with offset(log(exposure)); measured amounts take family="gamma".'
        yield ~whole(observed.y) | (observed.y < 0), advice

    def says_nothing(self, observed: Observed, offset: np.ndarray) -> bool:
        return not np.any(observed.y)

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        """-log y! (n,), times frequency weights."""
        constant = -xp.gammaln(observed.y + 1.0)
        return constant if observed.weights is None else observed.weights * constant


def poisson_draws(rng: np.random.Generator, mu: np.ndarray) -> np.ndarray:
    """Counts of these means, also of means that NumPy refuses (above 2^63), where a draw is its mean to all digits."""
    return np.where(mu < 1e15, rng.poisson(np.minimum(mu, 1e15)), mu).astype(float)
