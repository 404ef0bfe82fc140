"""The wild bootstrap: marginal residuals of each level times one random sign or size.

Modugno & Giannerini (2015), Comput. Stat. Data Anal. 86, 13-25; Webb (2014), six-point weights for few levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...fits.point import PointFit
from ..replicates.nesting import outermost
from ..replicates.redraw import Redraw

FEW = 12  # levels below which two signs give too few different samples
WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))


@dataclass(frozen=True, eq=False)
class Wild(Redraw):
    """`mean` (n,) the fixed part, `residuals` (n,) scaled by their leverage, `codes` (n,) of the outermost factor."""

    mean: np.ndarray
    residuals: np.ndarray
    codes: np.ndarray
    levels: int

    @classmethod
    def of(cls, fit: PointFit) -> Wild:
        """What a fit's replicates are made of.

        Raises
        ------
        FitError
            Without a factor that the others are nested in.
        """
        design, used = fit.model.design, fit.model.design.used
        X = design.mu.X
        mean = X @ fit.beta + design.mu.offset
        Q = np.linalg.qr(X[used])[0]
        room = 1 - np.einsum("ij,ij->i", Q, Q)
        y = np.zeros(design.n_rows) if design.response is None else design.response.y
        residuals = np.full(design.n_rows, np.nan)
        left = (y - mean)[used]
        residuals[used] = np.divide(left, np.sqrt(np.maximum(room, 0.0)), out=left.copy(), where=room > 1e-10)
        factor = outermost(fit.model, "wild")
        return cls(mean, residuals, factor.codes, factor.n_levels)

    def responses(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        return np.array([self.mean + self.residuals * self._weights(rng)[self.codes] for rng in generators])

    def _weights(self, rng: np.random.Generator) -> np.ndarray:
        """One per level: mean 0, variance 1; Rademacher's, of few levels Webb's."""
        signs = rng.integers(2, size=self.levels) * 2.0 - 1.0
        return signs if self.levels >= FEW else signs * WEBB[rng.integers(3, size=self.levels)]
