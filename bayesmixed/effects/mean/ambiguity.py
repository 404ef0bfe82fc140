"""Which numbers the data do not determine: those that move with coefficients while every fitted row stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-8  # of the movements that cancel; rounding leaves 1e-15 of them


@dataclass(frozen=True)
class Ambiguity:
    """How m numbers move along a directions of the coefficients that no fitted row feels.

    `values` (m,) are the numbers at coefficients a little way along these directions, where no two movements cancel by
    chance; `slopes` (m, a) how they move there, `sizes` (m,) the movements before any of them cancelled.
    Searle (1971), Linear Models, section 5.4: a linear function is estimable if it does not move.
    """

    values: np.ndarray
    slopes: np.ndarray
    sizes: np.ndarray

    @property
    def missing(self) -> np.ndarray:
        """Which numbers are not determined (m,)."""
        return ~(np.linalg.norm(self.slopes, axis=1) <= TOLERANCE * self.sizes)

    def combined(self, weights: np.ndarray) -> Ambiguity:
        """Of `weights` (k, m) times the numbers."""
        finite = np.isfinite(self.values)
        values, slopes = np.where(finite, self.values, 0.0), np.where(finite[:, None], self.slopes, 0.0)
        return Ambiguity(weights @ values, weights @ slopes, np.abs(weights) @ np.where(finite, self.sizes, 0.0))

    def taken(self, places: np.ndarray) -> Ambiguity:
        """Of the numbers at `places` alone."""
        return Ambiguity(self.values[places], self.slopes[places], self.sizes[places])

    def mapped(self, show: np.ndarray, slope: np.ndarray) -> Ambiguity:
        """Of an elementwise function of the numbers: its values and derivatives at `values`."""
        return Ambiguity(show, slope[:, None] * self.slopes, np.abs(slope) * self.sizes)

    def minus(self, other: Ambiguity) -> Ambiguity:
        """Of differences."""
        return Ambiguity(self.values - other.values, self.slopes - other.slopes, self.sizes + other.sizes)

    def followed_by(self, others: Sequence[Ambiguity]) -> Ambiguity:
        """Of these numbers and then others."""
        every = [self, *others]
        values, slopes, sizes = (
            np.concatenate([getattr(one, name) for one in every]) for name in ("values", "slopes", "sizes")
        )
        return Ambiguity(values, slopes, sizes)
