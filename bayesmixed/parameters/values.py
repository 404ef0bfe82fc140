"""Parameter values with leading axes: a point fit is a posterior with one chain and one draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..covariance import Covariance, Values


@dataclass(frozen=True, eq=False)
class Parameters:
    """One point or many draws of everything a model needs to predict, in the design's order and the user's columns.

    Every array starts with (chains, draws). `coefficients` (.., p) by predictor are those of the columns as typed; per
    group term `factors` has a root F (.., k, k) of the absolute covariance F F', or where the structure has no
    correlations its diagonal alone, (.., k); `b` are the effects (.., L, k); `dispersion` (..) by name is what the
    family has besides, e.g. "sigma". Standard deviations and correlations are derived from the factors.
    """

    coefficients: Mapping[str, np.ndarray]
    factors: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    dispersion: Mapping[str, np.ndarray]

    @classmethod
    def point(
        cls,
        coefficients: Mapping[str, np.ndarray],
        factors: Sequence[np.ndarray],
        b: Sequence[np.ndarray],
        dispersion: Mapping[str, float],
    ) -> Parameters:
        """One point, from values without leading axes."""
        return cls(
            {name: np.asarray(beta, dtype=float)[None, None] for name, beta in coefficients.items()},
            tuple(factor[None, None] for factor in factors),
            tuple(effects[None, None] for effects in b),
            {name: np.array([[float(value)]]) for name, value in dispersion.items()},
        )

    @classmethod
    def joined(cls, parts: Sequence[Parameters]) -> Parameters:
        """The draws of the parts, one after the other."""

        def along(arrays: Sequence[np.ndarray]) -> np.ndarray:
            return np.concatenate(arrays, axis=1)

        first = parts[0]
        return cls(
            {name: along([part.coefficients[name] for part in parts]) for name in first.coefficients},
            tuple(map(along, zip(*(part.factors for part in parts), strict=True))),
            tuple(map(along, zip(*(part.b for part in parts), strict=True))),
            {name: along([part.dispersion[name] for part in parts]) for name in first.dispersion},
        )

    @property
    def beta(self) -> np.ndarray:
        """Coefficients (.., p) of the main predictor."""
        return self.coefficients["mu"]

    @property
    def stacked(self) -> np.ndarray:
        """Coefficients (.., P) of all predictors, one after the other."""
        return np.concatenate(list(self.coefficients.values()), axis=-1)

    @property
    def n_draws(self) -> int:
        """Chains times draws."""
        return int(np.prod(self.beta.shape[:2]))

    @cached_property
    def sds(self) -> tuple[np.ndarray, ...]:
        """Absolute standard deviations (.., k) per group term."""
        return tuple(
            np.abs(F) if self._is_diagonal(j) else np.linalg.norm(F, axis=-1) for j, F in enumerate(self.factors)
        )

    @cached_property
    def corrs(self) -> tuple[np.ndarray | None, ...]:
        """Correlations (.., k, k) per group term, NaN beside a zero sd; None where the structure has none."""
        return tuple(None if self._is_diagonal(j) else correlations(F) for j, F in enumerate(self.factors))

    def factor(self, term: int) -> np.ndarray:
        """A root (.., k, k) of the absolute covariance of a group term."""
        F = self.factors[term]
        return F[..., None] * np.eye(F.shape[-1]) if self._is_diagonal(term) else F

    def covariance(self, term: int) -> np.ndarray:
        """Absolute covariance (.., k, k) of a group term."""
        F = self.factors[term]
        return F[..., None] ** 2 * np.eye(F.shape[-1]) if self._is_diagonal(term) else F @ np.swapaxes(F, -1, -2)

    def principal_root(self, term: int) -> np.ndarray:
        """The root (.., k, k) along principal axes, whichever root is held: draws of a seed do not depend on that."""
        return self.factor(term) if self._is_diagonal(term) else principal_root(self.covariance(term))

    def dispersion_by_row(self) -> dict[str, np.ndarray]:
        """Dispersion parameters without a predictor (draws, 1), which broadcast against predictors (draws, rows)."""
        return {name: value.reshape(-1, 1) for name, value in self.dispersion.items()}

    def mean_dispersion(self) -> dict[str, float]:
        """Dispersion parameters averaged over chains and draws."""
        return {name: float(np.mean(value)) for name, value in self.dispersion.items()}

    def mean(self) -> Parameters:
        """The average over chains and draws, as one draw: of sds and correlations, which covariances are made of."""
        if self.n_draws == 1:
            return self
        averaged = self._map(lambda values: values.mean(axis=(0, 1), keepdims=True))
        factors = [averaged.factors[j] if self._is_diagonal(j) else self._mean_factor(j) for j in range(len(self.b))]
        return Parameters(averaged.coefficients, tuple(factors), averaged.b, averaged.dispersion)

    def flat(self) -> Parameters:
        """Chains and draws as one axis of draws: (1, chains * draws, ..)."""
        return self._map(lambda values: values.reshape(1, values.shape[0] * values.shape[1], *values.shape[2:]))

    def take(self, draws: np.ndarray | slice) -> Parameters:
        """Some of the draws (second axis)."""
        return self._map(lambda values: values[:, draws])

    def read_only(self) -> Parameters:
        """These values, no longer writeable."""
        for values in (*self.coefficients.values(), *self.factors, *self.b, *self.dispersion.values()):
            values.setflags(write=False)
        return self

    def block(self, term: int, structure: Covariance) -> Values:
        """The parameters of a group term's block as its structure has them."""
        return structure.values(self.factor(term))

    def _is_diagonal(self, term: int) -> bool:
        return self.factors[term].ndim < self.b[term].ndim

    def _mean_factor(self, term: int) -> np.ndarray:
        known = np.nan_to_num(correlations(self.factors[term])).mean(axis=(0, 1), keepdims=True)
        return factor_of(self.sds[term].mean(axis=(0, 1), keepdims=True), known)

    def _map(self, change: Callable[[np.ndarray], np.ndarray]) -> Parameters:
        return Parameters(
            {name: change(beta) for name, beta in self.coefficients.items()},
            tuple(change(factor) for factor in self.factors),
            tuple(change(b) for b in self.b),
            {name: change(value) for name, value in self.dispersion.items()},
        )


def compact(factor: Any, structure: Covariance) -> Any:
    """A root (.., k, k) as `Parameters` hold it: of a structure without correlations, and of one column, its diagonal.

    An array of NumPy or of JAX. Factors of many draws then take no more room than sds.
    """
    correlated = structure.correlated and factor.shape[-1] > 1
    return factor if correlated else factor.diagonal(axis1=-2, axis2=-1)


def factor_of(sds: np.ndarray, corr: np.ndarray) -> np.ndarray:
    """A root (.., k, k) of the covariance with sds (.., k) and correlations (.., k, k), which may be singular."""
    return sds[..., None] * principal_root(corr)


def principal_root(matrix: np.ndarray) -> np.ndarray:
    """F (.., k, k) with F F' = `matrix`, symmetric without negative eigenvalues but for rounding."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]


def correlations(factors: np.ndarray) -> np.ndarray:
    """Correlations (.., k, k) of covariances with roots (.., k, k); NaN beside a zero sd, as lme4 prints."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = factors / np.linalg.norm(factors, axis=-1, keepdims=True)
    found = rows @ np.swapaxes(rows, -1, -2)
    # A diagonal of 1 +- 1e-16 is no constant to ArviZ, whose density plots then fail for lack of a range.
    found[..., *np.diag_indices(found.shape[-1])] = 1.0
    return found
