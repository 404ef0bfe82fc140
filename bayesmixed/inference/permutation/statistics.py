"""What is computed from each arrangement of the labels: a statistic that is large where the term matters, and its p."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from ...degrees.methods import reference
from ...degrees.reference import wald
from ...engines.refits.alone import fit_quietly, warm
from ...errors import FitError, nearest
from ...fits.point import PointFit
from ...model import Model
from ..lrt.law import ZERO
from ..lrt.refits import by_ml
from .relabelled import Labelled, without

NOTHING = (np.nan, np.nan)


@dataclass(frozen=True, eq=False)
class Statistic(ABC):
    """A statistic of the `fit` with its labels exchanged, and the p-value that is usually read from it."""

    fit: PointFit
    labelled: Labelled

    @classmethod
    def of(cls, fit: PointFit, labelled: Labelled) -> Statistic:
        """That of a fit."""
        return cls(fit, labelled)

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called."""

    def observed(self) -> tuple[float, float]:
        """Statistic and p of the labels as they are."""
        return self._of_fit(self.fit)

    def at(self, labels: np.ndarray) -> tuple[float, float]:
        """Statistic and p of other labels; NaN where the fit failed."""
        model = self.labelled.relabelled(labels)
        found = None if model is None else self._fitted(model)
        return NOTHING if found is None or not found.status.converged else self._of_fit(found)

    def _fitted(self, model: Model, theta: np.ndarray | None = None) -> PointFit | None:
        start = None if self.fit.status.singular_scaled else self.fit.theta
        return fit_quietly(model, warm(self.fit.engine, start if theta is None else theta))

    @abstractmethod
    def _of_fit(self, fit: PointFit) -> tuple[float, float]:
        """Statistic and p of a fit."""


class WaldF(Statistic):
    """F of all coefficients that the variable is part of, with the covariance of the fit."""

    name = "F"

    def _of_fit(self, fit: PointFit) -> tuple[float, float]:
        rows = np.eye(len(fit.coefficient_covariance))[list(self.labelled.tested)]
        values = fit.beta[list(self.labelled.tested)]
        statistic, rank = wald(rows @ fit.coefficient_root, values)
        return statistic / rank, reference(fit).test(rows, values).p


@dataclass(frozen=True, eq=False)
class OneCoefficient(Statistic):
    """|t| of one coefficient."""

    position: int

    @property
    def name(self) -> str:
        return f"|t| of {self.fit.model.coefficients[self.position]}"

    def _of_fit(self, fit: PointFit) -> tuple[float, float]:
        row = np.eye(len(fit.coefficient_covariance))[[self.position]]
        found = reference(fit).test(row, fit.beta[[self.position]])
        return float(np.sqrt(found.statistic)), found.p


@dataclass(frozen=True, eq=False)
class Ratio(Statistic):
    """Likelihood ratio against the model without the variable: `null`, its fit, where labels do not move that."""

    name = "likelihood ratio"
    null: PointFit | None = None

    @classmethod
    def of(cls, fit: PointFit, labelled: Labelled) -> Statistic:
        if fit.engine.regularised:
            raise FitError(
                f'statistic="lrt" compares maximised likelihoods, and {fit.label} adds a penalty: use statistic="F", '
                'or fit by model.fit("ml").',
                topic="needs-a-maximum",
            )
        full = by_ml(fit)
        made = cls(full, labelled)
        if not labelled.bars and labelled.alone:
            made = replace(made, null=made._without(full.model))
        return made

    def _without(self, model: Model) -> PointFit | None:
        found = self._fitted(without(model, self.labelled.tested))
        return found if found is not None and found.status.converged else None

    def _of_fit(self, fit: PointFit) -> tuple[float, float]:
        null = self.null or self._without(fit.model)
        if null is None:
            return NOTHING
        ratio = 2 * (fit.loglik - null.loglik)
        if ratio < -ZERO:
            again = self._fitted(fit.model, null.theta)
            ratio = -np.inf if again is None else 2 * (again.loglik - null.loglik)
        if ratio < -ZERO:
            return NOTHING
        ratio = max(ratio, 0.0)
        return ratio, float(stats.chi2.sf(ratio, len(self.labelled.tested)))


KINDS: dict[str, type[Statistic]] = {"lrt": Ratio, "F": WaldF}


def statistic_of(fit: PointFit, labelled: Labelled, asked: Any) -> Statistic:
    """The statistic that was asked for: "lrt", "F" or the name of a coefficient of the term.

    Raises
    ------
    FitError
        For another name, or a coefficient that the term is no part of.
    """
    if asked in KINDS:
        return KINDS[asked].of(fit, labelled)
    names = fit.model.coefficients
    own = [names[j] for j in labelled.tested]
    if asked not in own:
        raise FitError(
            f"statistic={asked!r} is not an option. {nearest(str(asked), [*KINDS, *own])}", topic="unknown-option"
        )
    return OneCoefficient(fit, labelled, names.index(asked))
