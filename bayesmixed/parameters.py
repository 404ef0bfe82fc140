"""Parameter values with leading axes: a point fit is a posterior with one chain and one draw."""

from __future__ import annotations

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
        return Parameters(
            beta=_mean(self.beta),
            b=tuple(_mean(b) for b in self.b),
            sds=tuple(_mean(s) for s in self.sds),
            corrs=tuple(None if c is None else _mean(c) for c in self.corrs),
            dispersion={name: _mean(value) for name, value in self.dispersion.items()},
        )

    def flat(self) -> Parameters:
        """Chains and draws as one axis of draws: (1, chains * draws, ..)."""
        return Parameters(
            beta=_flat(self.beta),
            b=tuple(_flat(b) for b in self.b),
            sds=tuple(_flat(s) for s in self.sds),
            corrs=tuple(None if c is None else _flat(c) for c in self.corrs),
            dispersion={name: _flat(value) for name, value in self.dispersion.items()},
        )

    def take(self, draws: np.ndarray | slice) -> Parameters:
        """Some of the draws (second axis)."""
        return Parameters(
            beta=self.beta[:, draws],
            b=tuple(b[:, draws] for b in self.b),
            sds=tuple(s[:, draws] for s in self.sds),
            corrs=tuple(None if c is None else c[:, draws] for c in self.corrs),
            dispersion={name: value[:, draws] for name, value in self.dispersion.items()},
        )

    def factor(self, term: int) -> np.ndarray:
        """Cholesky factor (.., k, k) of the absolute covariance of a group term; zero sds are allowed."""
        sds, corr = self.sds[term], self.corrs[term]
        k = sds.shape[-1]
        if corr is None or k == 1:
            return sds[..., None] * np.eye(k)
        covariance = sds[..., :, None] * corr * sds[..., None, :]
        values, vectors = np.linalg.eigh(covariance)
        return vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=(0, 1), keepdims=True)


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(1, -1, *values.shape[2:])
