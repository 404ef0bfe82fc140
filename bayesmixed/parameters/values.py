"""Parameter values with leading axes: a point fit is a posterior with one chain and one draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Parameters:
    """Draws of everything a model needs to predict, in the design's order and the user's columns.

    Every array starts with (chains, draws): `beta` (.., p) raw coefficients, `b` per group term
    (.., L, k), `sds` per group term (.., k) absolute, `corrs` per group term (.., k, k) or None where
    the structure has no correlations, `dispersion` by name (..), e.g. "sigma".
    """

    beta: np.ndarray
    b: tuple[np.ndarray, ...]
    sds: tuple[np.ndarray, ...]
    corrs: tuple[np.ndarray | None, ...]
    dispersion: dict[str, np.ndarray]

    @property
    def n_draws(self) -> int:
        """Chains times draws."""
        return int(np.prod(self.beta.shape[:2]))

    def mean(self) -> Parameters:
        """The average over chains and draws, as one draw."""
        return self._map(lambda values: values.mean(axis=(0, 1), keepdims=True))

    def flat(self) -> Parameters:
        """Chains and draws as one axis of draws: (1, chains * draws, ..)."""
        return self._map(lambda values: values.reshape(1, values.shape[0] * values.shape[1], *values.shape[2:]))

    def take(self, draws: np.ndarray | slice) -> Parameters:
        """Some of the draws (second axis)."""
        return self._map(lambda values: values[:, draws])

    def covariance(self, term: int) -> np.ndarray:
        """Absolute covariance (.., k, k) of a group term; a correlation with a zero sd counts as zero."""
        sds, corr = self.sds[term], self.corrs[term]
        if corr is None:
            return sds[..., None] ** 2 * np.eye(sds.shape[-1])
        return sds[..., :, None] * np.nan_to_num(corr) * sds[..., None, :]

    def factor(self, term: int) -> np.ndarray:
        """F (.., k, k) with F F' the absolute covariance of a group term; zero sds are allowed."""
        sds = self.sds[term]
        if self.corrs[term] is None or sds.shape[-1] == 1:
            return sds[..., None] * np.eye(sds.shape[-1])
        values, vectors = np.linalg.eigh(self.covariance(term))
        return vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]

    def _map(self, change: Callable[[np.ndarray], np.ndarray]) -> Parameters:
        return Parameters(
            beta=change(self.beta),
            b=tuple(change(b) for b in self.b),
            sds=tuple(change(s) for s in self.sds),
            corrs=tuple(None if c is None else change(c) for c in self.corrs),
            dispersion={name: change(value) for name, value in self.dispersion.items()},
        )
