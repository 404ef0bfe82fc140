"""What the covariance parameters of many searches say: theta as fits report it, absolute factors, what is singular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...covariance import lower_triangles
from ...fits.status import SINGULAR
from ...likelihood.working.theta import Theta
from ...parameters.values import compact
from ...priors.default import column_spreads

if TYPE_CHECKING:
    from ...model import Model


@dataclass(frozen=True)
class ManyBlocks:
    """Of B searches: `theta` (B, m), per term the factor as `Parameters` hold it (1, B, ..), `singular` (B,)."""

    theta: np.ndarray
    factors: tuple[np.ndarray, ...]
    singular: np.ndarray

    @property
    def b(self) -> tuple[np.ndarray, ...]:
        """Effects of no level (1, B, 0, k), which stand for those that were not collected."""
        return tuple(np.zeros((1, len(self.theta), 0, factor.shape[2])) for factor in self.factors)


def many_blocks(model: Model, theta: Theta, x: np.ndarray, s: np.ndarray, unit: float = 1.0) -> ManyBlocks:
    """At x (B, .), which begins with the working theta; `s` (B,) is what relative factors are multiplied by.

    `unit` is what they are measured in.
    """
    reported = np.empty((len(x), theta.size))
    factors, singular = [], np.zeros(len(x), dtype=bool)
    for j, (structure, term) in enumerate(zip(model.covariances, model.design.groups, strict=True)):
        k, where = theta.k(j), theta.slices[j]
        elements = np.array([structure.factor(one, k) for one in np.eye(structure.n_theta(k))])
        Lambda = lower_triangles(theta.bases[j] @ np.einsum("mij,bm->bij", elements, x[:, where]))
        reported[:, where] = np.einsum("mij,bij->bm", elements, Lambda)
        sizes = np.abs(np.diagonal(Lambda, axis1=1, axis2=2)) * column_spreads(term.Z) / unit
        singular |= np.any(sizes < SINGULAR, axis=1)
        factors.append(compact(s[:, None, None] * Lambda, structure)[None])
    return ManyBlocks(reported, tuple(factors), singular)
