"""The residual bootstrap: effects and residuals of the fit, reflated to the estimated variances, drawn anew.

Carpenter, Goldstein & Rasbash (2003), J. R. Stat. Soc. C 52, 431-443.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...design.design import GroupTerm
from ...fits.point import PointFit
from ..replicates.redraw import Redraw

NOTHING = 1e-10  # of the largest eigenvalue: a direction in which effects do not vary


@dataclass(frozen=True, eq=False)
class Reflated(Redraw):
    """`mean` (n,) the fixed part; per factor its terms and effects (L, k); `errors` (m,) scaled by root weights.

    `root_weights` (n,), zero where a row does not count.
    """

    mean: np.ndarray
    terms: tuple[tuple[GroupTerm, ...], ...]
    effects: tuple[np.ndarray, ...]
    errors: np.ndarray
    root_weights: np.ndarray

    @classmethod
    def of(cls, fit: PointFit) -> Reflated:
        """The pool that a fit's replicates are drawn from."""
        design, used = fit.model.design, fit.model.design.used
        mean = design.mu.X @ fit.beta + design.mu.offset
        weights = np.ones(design.n_rows) if design.weights is None else design.weights
        y = np.zeros(design.n_rows) if design.response is None else design.response.y
        left = np.where(used, np.sqrt(weights) * (y - fit.fitted().to_numpy()), 0.0)[used]
        left = left - left.mean()
        size = float(np.sqrt(np.mean(left**2)))
        by_factor: dict[str, list[int]] = {}
        for j, term in enumerate(design.groups):
            by_factor.setdefault(term.factor, []).append(j)
        return cls(
            mean,
            tuple(tuple(design.groups[j] for j in own) for own in by_factor.values()),
            tuple(_reflated(fit, own) for own in by_factor.values()),
            left * (fit.sigma / size if size > 0 else 0.0),
            np.sqrt(np.maximum(weights, 0.0)),
        )

    def responses(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        return np.array([self._one(rng) for rng in generators])

    def _one(self, rng: np.random.Generator) -> np.ndarray:
        y = self.mean.copy()
        for terms, effects in zip(self.terms, self.effects, strict=True):
            drawn, first = effects[rng.integers(len(effects), size=len(effects))], 0
            for term in terms:
                k = term.Z.shape[1]
                y += term.contribution(drawn[None, :, first : first + k])[0]
                first += k
        errors = self.errors[rng.integers(len(self.errors), size=len(y))]
        return y + np.divide(errors, self.root_weights, out=np.full(len(y), np.nan), where=self.root_weights > 0)


def _reflated(fit: PointFit, own: Sequence[int]) -> np.ndarray:
    """Centred effects (L, k) of one factor's terms whose covariance over the levels is the estimated one."""
    effects = np.column_stack([fit.b[j] for j in own])
    centred = effects - effects.mean(axis=0)
    S = centred.T @ centred / len(centred)
    Sigma = np.zeros_like(S)
    first = 0
    for j in own:
        part = fit.parameters.covariance(j)[0, 0]
        Sigma[first : first + len(part), first : first + len(part)] = part
        first += len(part)
    sds = np.sqrt(np.diag(Sigma))
    unit = np.where(sds > 0, sds, 1.0)  # roots of columns of very different units would lose the smaller
    scaled = centred / unit @ symmetric_power(S / np.outer(unit, unit), -0.5)
    return scaled @ symmetric_power(Sigma / np.outer(unit, unit), 0.5) * unit


def symmetric_power(matrix: np.ndarray, power: float) -> np.ndarray:
    """The symmetric power of a positive semi-definite matrix on its range; zero beside it."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > NOTHING * max(float(np.max(values, initial=0.0)), 1e-300)
    return (vectors[:, kept] * values[kept] ** power) @ vectors[:, kept].T
