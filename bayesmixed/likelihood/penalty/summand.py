"""One part of a penalty: what every prior answers, and a prior that speaks of other columns than those typed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..working.coordinates import Natural
from .bounds import Bounds


class Summand(ABC):
    """The prior of some parameters; `relative` says that it speaks of relative covariances alone."""

    relative: ClassVar[bool] = False

    @property
    def unbounded(self) -> int | None:
        """The term whose sds the prior pushes up without bound."""
        return None

    @abstractmethod
    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        """-2 log density and its slopes; +inf outside the support."""

    def inside(self, natural: Natural) -> Natural:
        """The parameters, those outside the support moved into it."""
        return natural

    def limits(self, natural: Natural) -> Iterator[Bounds]:
        """The numbers whose priors allow less than the parameter space does."""
        yield from ()

    def opened(self) -> Summand:
        """The same without those limits."""
        return self


@dataclass(frozen=True)
class Elsewhere(Summand):
    """A part that speaks of one term's covariance for other columns than those typed: of A^-1 Sigma A^-T."""

    term: int
    A: np.ndarray
    part: Summand

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        value, slopes = self.part.value_and_slopes(self._stated(natural))
        return value, self._pulled(slopes)

    def inside(self, natural: Natural) -> Natural:
        return self._moved(self.part.inside(self._stated(natural)), self.A)

    def limits(self, natural: Natural) -> Iterator[Bounds]:
        for found in self.part.limits(self._stated(natural)):
            yield replace(found, slopes=self._pulled(found.slopes))

    def opened(self) -> Elsewhere:
        return replace(self, part=self.part.opened())

    def _stated(self, natural: Natural) -> Natural:
        return self._moved(natural, np.linalg.inv(self.A))

    def _pulled(self, slopes: Natural) -> Natural:
        """Slopes in the factor as typed, F = A F_c, from those in F_c."""
        return self._moved(slopes, np.linalg.inv(self.A).T)

    def _moved(self, natural: Natural, by: np.ndarray) -> Natural:
        factors = tuple(by @ F if j == self.term else F for j, F in enumerate(natural.factors))
        return replace(natural, factors=factors)
