"""The estimates without each set of rows by fitting the others, from the estimates of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import ModelError
from ...fits.point import PointFit
from ..bootstrap.case import refitted_on
from ..bootstrap.parameters import estimates
from ..replicates.rows import RowSet, renumbered
from .left_rows import LeftRows
from .without import Without


@dataclass(frozen=True, eq=False)
class Deletions:
    """The task: the fit's model without some of the sets, one by one."""

    fit: PointFit
    left: LeftRows

    together = False

    @property
    def rows(self) -> int:
        """Rows of a refit."""
        return self.fit.model.design.n_rows

    def __call__(self, numbers: range) -> tuple[range, Without]:
        names, width = list(estimates(self.fit).index), len(self.fit.coefficient_covariance)
        values, se = np.full((len(numbers), len(names)), np.nan), np.full((len(numbers), width), np.nan)
        fall, reasons = np.full(len(numbers), np.nan), {}
        for place, number in enumerate(numbers):
            found = refitted_on(self.fit, remaining(self.fit, self.left.members[number]))
            if found is None or not found.status.converged:
                reasons[place] = "the fit did not converge" if found else "the others determine no fit"
                continue
            values[place] = estimates(found)
            se[place] = np.sqrt(np.diag(found.coefficient_covariance))
            fall[place] = self.fit.loglik - loglik_of_all(self.fit, found)
        return numbers, Without(pd.DataFrame(values, columns=names), se, fall, reasons)


def remaining(fit: PointFit, at: np.ndarray) -> RowSet:
    """All rows but those at some positions, levels without any left out."""
    design = fit.model.design
    rows = np.setdiff1d(np.arange(design.n_rows), at)
    return RowSet(rows, {term.factor: renumbered(term.codes[rows]) for term in design.groups})


def loglik_of_all(fit: PointFit, found: PointFit) -> float:
    """The log-likelihood of the rows of `fit`, its REML criterion where it has one, at the estimates `found`."""
    restricted = fit.engine.restricted
    try:
        return fit.model.loglik_at(
            theta=found.theta,
            beta=None if restricted else found.beta,
            dispersion=found.dispersion,
            quadrature=fit.engine.quadrature,
            reml=restricted,
        )
    except ModelError:  # of models with several predictors
        return np.nan
