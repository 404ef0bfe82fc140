"""The estimates of many refits of one model, and what makes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...parameters.values import Parameters

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from ...likelihood.replicated.criterion import ManyCriteria


@dataclass(frozen=True, eq=False)
class Refits:
    """Estimates for B responses: `parameters` with leading axes (1, B) and no effects, NaN where a fit failed.

    `theta` (B, m) as fits report it, `loglik` (B,), whether each `converged` and is `singular` (B,).
    """

    parameters: Parameters
    theta: np.ndarray
    loglik: np.ndarray
    converged: np.ndarray
    singular: np.ndarray

    def __len__(self) -> int:
        return len(self.loglik)

    @classmethod
    def joined(cls, parts: Sequence[Refits]) -> Refits:
        """Those of the parts, one after the other."""
        return cls(
            Parameters.joined([part.parameters for part in parts]),
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("theta", "loglik", "converged", "singular")
            ),
        )

    @classmethod
    def of(cls, fits: Sequence[PointFit | None], template: PointFit) -> Refits:
        """Those of full fits of the `template`'s model; None stands for one that failed."""
        absent = without_effects(template.parameters, np.nan)
        values = [absent if fit is None else without_effects(fit.parameters) for fit in fits]
        return cls(
            Parameters.joined(values),
            np.array([np.full_like(template.theta, np.nan) if fit is None else fit.theta for fit in fits]),
            np.array([np.nan if fit is None else fit.loglik for fit in fits]),
            np.array([fit is not None and fit.status.converged for fit in fits], dtype=bool),
            np.array([fit is not None and fit.status.singular_scaled for fit in fits], dtype=bool),
        )

    def replaced(self, members: np.ndarray, others: Refits) -> Refits:
        """The same with other estimates for some of them."""
        order = np.arange(len(self))
        order[members] = len(self) + np.arange(len(members))
        return Refits.joined([self, others]).take(order)

    @classmethod
    def failed(cls, count: int, template: PointFit) -> Refits:
        """Failures of the `template`'s model alone."""
        return cls.of([None], template).take(np.zeros(count, dtype=int))

    def among(self, some: np.ndarray, template: PointFit) -> Refits:
        """These in the places of `some` (B,) bool, and failures of the `template`'s model in the others."""
        if some.all():
            return self
        failed = Refits.failed(int(np.sum(~some)), template)
        order = np.empty(len(some), dtype=int)
        order[some], order[~some] = np.arange(len(self)), len(self) + np.arange(len(failed))
        return Refits.joined([self, failed]).take(order)

    def take(self, members: np.ndarray) -> Refits:
        """Some of them."""
        return Refits(
            self.parameters.take(members),
            self.theta[members],
            self.loglik[members],
            self.converged[members],
            self.singular[members],
        )


def without_effects(parameters: Parameters, factor: float = 1.0) -> Parameters:
    """The same without levels, every number times a factor: NaN makes a place for what is missing."""
    flat = parameters.flat()
    return replace(
        flat,
        coefficients={name: factor * value for name, value in flat.coefficients.items()},
        factors=tuple(factor * value for value in flat.factors),
        b=tuple(b[:, :, :0] for b in flat.b),
        dispersion={name: factor * value for name, value in flat.dispersion.items()},
    )


class Refitter(ABC):
    """Fits one model by one method to other responses of its rows."""

    together = False  # whether many responses cost little more than a few
    curved = False  # whether it knows covariances of coefficients without full fits

    @abstractmethod
    def refits(self, y: np.ndarray) -> Refits:
        """The estimates for responses y (B, rows), as the model's left side has them."""

    def resampled(self, counts: np.ndarray) -> Refits | None:
        """The estimates where the levels of the only grouping factor are there as often as `counts` (B, L) say.

        None where they can only be had by fits to other rows.
        """
        return None

    @abstractmethod
    def fits(self, y: np.ndarray) -> Iterator[PointFit | None]:
        """A full fit for each response, None where it failed."""

    def criteria(self, y: np.ndarray) -> ManyCriteria | None:
        """The criteria of responses y (B, rows), of a linear model whose criteria can be evaluated together."""
        return None

    def covariances(self, y: np.ndarray, refits: Refits) -> np.ndarray | None:
        """Covariances (B, p, p) of the coefficients of refits of y (B, rows); None unless `curved`."""
        return None
