"""Likelihood ratios of two nested models under the smaller one: both are fitted to responses that it drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...engines.refits.alone import fitted
from ...engines.refits.refits import Refitter
from ...fits.point import PointFit
from ..lrt.law import ZERO
from ..lrt.nested import Nesting
from ..lrt.refits import engine_without_start, from_smaller
from ..replicates.redraw import Redraw
from ..replicates.run import children


@dataclass(frozen=True, eq=False)
class Ratios:
    """Of some replicates: twice the difference of log-likelihoods, NaN where a fit failed.

    `boundary` says whether the larger fit is on its boundary, which under the smaller model it often is.
    """

    values: np.ndarray
    boundary: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Ratios]) -> Ratios:
        """Those of the parts, one after the other."""
        return cls(np.concatenate([p.values for p in parts]), np.concatenate([p.boundary for p in parts]))


@dataclass(frozen=True, eq=False)
class RatioReplicates:
    """The task: responses of the `small` fit's model, fitted by both; `places` are where its rows are in the other."""

    small: PointFit
    large: PointFit
    redraw: Redraw
    refitters: tuple[Refitter, Refitter]
    nesting: Nesting
    places: tuple[np.ndarray, np.ndarray]
    seed: int

    @property
    def together(self) -> bool:
        """Whether many replicates cost little more than a few."""
        return all(refitter.together for refitter in self.refitters)

    @property
    def rows(self) -> int:
        """Rows of a replicate."""
        return 2 * self.small.model.design.n_rows

    def __call__(self, numbers: range) -> Ratios:
        y = self.redraw.responses(children(self.seed, numbers))
        other = self._in_large(y)
        small, large = self.refitters[0].refits(y), self.refitters[1].refits(other)
        values = 2 * (large.loglik - small.loglik)
        values[~(small.converged & large.converged)] = np.nan
        for i in np.flatnonzero(values < -ZERO):
            values[i] = self._from_smaller(y[i], other[i])
        return Ratios(np.where(np.abs(values) < ZERO, 0.0, values), large.singular)

    def _in_large(self, y: np.ndarray) -> np.ndarray:
        """Responses (B, rows) in the order of the larger model's rows."""
        own, there = self.places
        other = np.full((len(y), self.large.model.design.n_rows), np.nan)
        other[:, there] = y[:, own]
        return other

    def _from_smaller(self, y: np.ndarray, other: np.ndarray) -> float:
        """The ratio with the larger model fitted again from the smaller's optimum; NaN where it stays below."""
        small = fitted(self.small.model, y, engine_without_start(self.small.engine))
        large = fitted(self.large.model, other, engine_without_start(self.large.engine))
        if small is None or large is None:
            return np.nan
        best = max(from_smaller(small, large, self.nesting).loglik, large.loglik)
        ratio = 2 * (best - small.loglik)
        return float(ratio) if ratio > -ZERO else np.nan
