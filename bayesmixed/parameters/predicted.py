"""Linear predictors and dispersion of draws and rows: what a family makes means, densities and responses of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..design.design import Design
from ..families import Family
from .values import Parameters


@dataclass(frozen=True)
class Predicted:
    """`eta` (draws, n) of the main predictor; dispersion by name (draws, n), or (draws, 1) where rows share it."""

    eta: np.ndarray
    dispersion: dict[str, np.ndarray]

    def at(self, rows: np.ndarray | slice) -> Predicted:
        """That of some rows, which may recur."""
        each = {name: value if value.shape[1] == 1 else value[:, rows] for name, value in self.dispersion.items()}
        return Predicted(self.eta[:, rows], each)

    def mean(self) -> Predicted:
        """The average over draws, as one draw."""
        each = {name: value.mean(axis=0, keepdims=True) for name, value in self.dispersion.items()}
        return Predicted(self.eta.mean(axis=0, keepdims=True), each)

    def single(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """eta (n,) of the only draw, and its dispersion, (n,) or a number."""
        (eta,) = self.eta
        each = {name: value[0] if value.shape[1] > 1 else value[0, 0] for name, value in self.dispersion.items()}
        return eta, each


def predicted(family: Family, design: Design, parameters: Parameters, terms: Sequence[int] | None = None) -> Predicted:
    """At the rows of a design; `terms` are the positions of the group terms that are included, all if None.

    A parameter whose predictor the design was made without is not among the dispersion.
    """
    every, constant = design.eta(parameters, terms), parameters.dispersion_by_row()
    each = {one.name: one.value(every[one.name]) for one in family.others if one.name in every}
    return Predicted(every["mu"], each | constant)
