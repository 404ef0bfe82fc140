"""What the priors of one term's covariance add to a criterion: of its sds, alone or together, and of its shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...covariance import CORRELATION, Covariance, Free, Values
from ...parameters.names import TermNames
from ...priors.distributions import BlockPrior, Distribution
from ...priors.priors import Priors
from ...priors.shapes import shape_prior
from ..working.coordinates import Natural
from .bounds import Bounds, Opened, limited, worded
from .summand import Summand


def term_parts(j: int, structure: Covariance, named: TermNames, priors: Priors, scale: str | None) -> list[Summand]:
    """What the priors of the sds and shapes of the term at `j` add; nothing for those without a prior."""
    parts: list[Summand] = []
    if named.covariance in priors:
        parts.append(BlockPenalty(j, structure, priors.block(named.covariance), bool(named.shapes), scale))
    sds = tuple(priors.distribution(name) if name in priors else None for name in named.sds)
    if any(prior is not None for prior in sds):
        parts.append(Sds(j, structure, named.sds, sds, scale))
    for place, name in enumerate(named.shapes):
        prior = shape_prior(priors, named, place)
        if prior is not None:
            parts.append(ShapePenalty(j, structure, place, name, prior))
    return parts


@dataclass(frozen=True)
class BoundaryAvoiding(Summand):
    """Of one term: each structure's own penalty of a relative covariance near its boundary."""

    term: int
    structure: Covariance
    relative = True

    @property
    def unbounded(self) -> int:
        return self.term

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        value, slope = self.structure.boundary_penalty(natural.factors[self.term])
        return value, _in_factor(natural, self.term, slope)


@dataclass(frozen=True)
class Sds(Summand):
    """Priors of the sds of one term, None where one has none; `scale` names what the factors are relative to."""

    term: int
    structure: Covariance
    names: tuple[str, ...]
    priors: tuple[Distribution | None, ...]
    scale: str | None

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        sds, s = self.structure.values(natural.factors[self.term]).sds, _scale(natural, self.scale)
        total, slopes = 0.0, np.zeros(len(sds))
        for i, prior in enumerate(self.priors):
            if prior is not None:
                density, slope = prior.log_density(s * sds[i])
                total, slopes[i] = total - 2 * float(density), -2 * float(slope)
        return total, self._pulled(natural, slopes, float(slopes @ sds))

    def inside(self, natural: Natural) -> Natural:
        s, values = _scale(natural, self.scale), self.structure.values(natural.factors[self.term])
        sds = values.sds.copy()
        for i, prior in enumerate(self.priors):
            if prior is not None and prior.proper:
                sds[i] = float(prior.inside(s * sds[i])) / s
        return _with_values(natural, self.term, self.structure, values._replace(sds=sds))

    def limits(self, natural: Natural) -> Iterator[Bounds]:
        s, sds = _scale(natural, self.scale), self.structure.values(natural.factors[self.term]).sds
        for i, (name, prior) in enumerate(zip(self.names, self.priors, strict=True)):
            if prior is not None and limited(prior, least=0.0):
                slopes = self._pulled(natural, np.eye(len(sds))[i], float(sds[i]))
                yield Bounds.of(worded(name, prior), prior, s * float(sds[i]), slopes)

    def _pulled(self, natural: Natural, slopes: np.ndarray, of_scale: float) -> Natural:
        return _of_sds(natural, self.term, self.structure, self.scale, slopes, of_scale)

    def opened(self) -> Sds:
        priors = (Opened(p) if p is not None and limited(p, least=0.0) else p for p in self.priors)
        return replace(self, priors=tuple(priors))


@dataclass(frozen=True)
class BlockPenalty(Summand):
    """A prior of all sds of one term together."""

    term: int
    structure: Covariance
    prior: BlockPrior
    correlated: bool
    scale: str | None

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        s = _scale(natural, self.scale)
        sds = self.structure.values(natural.factors[self.term]).sds
        if not np.all(sds > 0):
            return np.inf, natural.zeros()
        density, slopes, of_scale = self.prior.log_density(s * sds, s, self.correlated)
        total = -2 * (of_scale + slopes @ sds)
        return -2 * density, _of_sds(natural, self.term, self.structure, self.scale, -2 * slopes, total)


@dataclass(frozen=True)
class ShapePenalty(Summand):
    """The prior of one shape of one term's covariance; a column with an sd of zero counts as uncorrelated."""

    term: int
    structure: Covariance
    place: int
    name: str
    prior: Distribution
    relative = True

    def value_and_slopes(self, natural: Natural) -> tuple[float, Natural]:
        density, slope = self.prior.log_density(self._value(natural))
        return -2 * float(density), self._pulled(natural, -2 * slope)

    def inside(self, natural: Natural) -> Natural:
        if self._matrix or not self.prior.proper:
            return natural
        values = self.structure.values(natural.factors[self.term])
        shapes = list(values.shapes)
        shapes[self.place] = self.prior.inside(shapes[self.place])
        return _with_values(natural, self.term, self.structure, values._replace(shapes=tuple(shapes)))

    def limits(self, natural: Natural) -> Iterator[Bounds]:
        low, high = self._free(natural).shapes[self.place].ends
        if not self._matrix and (self.prior.bounds[0] > low or self.prior.bounds[1] < high):
            slopes = self._pulled(natural, np.ones(()))
            yield Bounds.of(worded(self.name, self.prior), self.prior, float(self._value(natural)), slopes)

    def opened(self) -> ShapePenalty:
        return self if self._matrix else replace(self, prior=Opened(self.prior))

    @property
    def _matrix(self) -> bool:
        return self.prior.support == CORRELATION

    def _free(self, natural: Natural) -> Free:
        return self.structure.parameters(len(natural.factors[self.term]))

    def _value(self, natural: Natural) -> np.ndarray:
        value = self.structure.values(natural.factors[self.term]).shapes[self.place]
        return self._free(natural).shapes[self.place].stated(value)

    def _pulled(self, natural: Natural, slope: np.ndarray) -> Natural:
        """Slopes in the factor from the slope in what the prior speaks of."""
        F = natural.factors[self.term]
        free, values = self._free(natural), self.structure.values(F)
        none = [np.zeros_like(s.stated(v)) for s, v in zip(free.shapes, values.shapes, strict=True)]
        none[self.place] = slope
        pulled = self.structure.pulled(F, Values(np.zeros(len(free.sds)), tuple(none)))
        return _in_factor(natural, self.term, pulled)


def _scale(natural: Natural, name: str | None) -> float:
    return 1.0 if name is None else natural.dispersion[name]


def _in_factor(natural: Natural, term: int, slope: np.ndarray) -> Natural:
    zeros = natural.zeros()
    factors = tuple(slope if j == term else zero for j, zero in enumerate(zeros.factors))
    return replace(zeros, factors=factors)


def _with_values(natural: Natural, term: int, structure: Covariance, values: Values) -> Natural:
    k = len(natural.factors[term])
    factor = structure.factor_from(values, k, np)
    if structure.parameters(k).by_column:  # a row without length has no direction to grow in
        empty = ~factor.any(axis=1)
        factor[empty, empty] = values.sds[empty]
    return replace(natural, factors=tuple(factor if j == term else F for j, F in enumerate(natural.factors)))


def _of_sds(
    natural: Natural, term: int, structure: Covariance, scale: str | None, slopes: np.ndarray, of_scale: float
) -> Natural:
    """Slopes in the factor and in what it is relative to, from those in the absolute sds, s times relative ones."""
    F, s = natural.factors[term], _scale(natural, scale)
    shapes = structure.parameters(len(F)).shapes
    none = tuple(np.zeros_like(s.stated(v)) for s, v in zip(shapes, structure.values(F).shapes, strict=True))
    found = _in_factor(natural, term, structure.pulled(F, Values(s * slopes, none)))
    if scale is None:
        return found
    return replace(found, dispersion=found.dispersion | {scale: of_scale})
