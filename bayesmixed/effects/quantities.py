"""Numbers computed from a fit and how uncertain they are: by the delta method, or by draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ..prediction.quantiles import equal_tailed
from .mean.ambiguity import Ambiguity

if TYPE_CHECKING:
    from ..degrees.reference import Reference

STRAIGHT = 1e-9  # how far a straight line's middle may lie from the mean of its ends
SAME, ROUNDING = 1e-7, 1e-10  # of a standard error and of a number: what two evaluations of one number may differ by

Elementwise = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Scale:
    """How numbers are shown: an elementwise monotone function `show` and its derivative `slope`."""

    show: Elementwise
    slope: Elementwise


AS_IS = Scale(lambda x: x, np.ones_like)
EXPONENTIAL = Scale(np.exp, np.exp)


@dataclass(frozen=True)
class Limits:
    """Where the limits of m numbers are made: `centre` (m,) and `se` (m,) there, how they are shown, and their `ends`.

    `words` say so. At the very ends, where the scale is infinite, limits are the numbers' own, cut off there. `alone`
    (m,) are the numbers that are functions of one linear predictor, whose limits they have.
    """

    centre: np.ndarray
    se: np.ndarray
    show: Elementwise
    ends: tuple[float, float]
    words: str
    alone: np.ndarray

    def table(self, numbers: np.ndarray, half: np.ndarray, critical: np.ndarray | float) -> dict[str, np.ndarray]:
        """lower and upper (m,) of the numbers, whose own limits are as far as `half` (m,)."""
        length = critical * self.se
        there = np.isfinite(self.centre) & np.isfinite(length)
        inner = [self.show(np.where(there, self.centre + sign * length, np.nan)) for sign in (-1, 1)]
        with np.errstate(invalid="ignore"):  # of numbers that are infinite
            outer = [np.clip(numbers + sign * half, *self.ends) for sign in (-1, 1)]
        return {
            "lower": np.where(there, np.minimum(*inner), outer[0]),
            "upper": np.where(there, np.maximum(*inner), outer[1]),
        }


class Quantities(ABC):
    """m numbers with their joint uncertainty; linear and elementwise functions of them carry it along.

    `ambiguity` says which of them the data determine (None: all). Those that they do not are kept, for a difference of
    two may be determined, and shown as NaN.
    """

    ambiguity: Ambiguity | None

    @property
    @abstractmethod
    def values(self) -> np.ndarray:
        """The numbers (m,)."""

    @abstractmethod
    def span(self) -> tuple[float, float]:
        """The least and the largest of all values, of every draw; (inf, -inf) where there is none."""

    @abstractmethod
    def combined(self, weights: np.ndarray) -> Quantities:
        """`weights` (k, m) times the numbers: k others."""

    @abstractmethod
    def mapped(self, scale: Scale) -> Quantities:
        """An elementwise function of the numbers."""

    @abstractmethod
    def minus(self, other: Quantities) -> Quantities:
        """The differences to as many others of the same fit."""

    @abstractmethod
    def followed_by(self, others: Sequence[Quantities]) -> Quantities:
        """These numbers and then others of the same fit."""

    @abstractmethod
    def taken(self, places: np.ndarray) -> Quantities:
        """Those at `places` alone."""

    @abstractmethod
    def alike(self, places: np.ndarray) -> bool:
        """Whether each number is, but for rounding, that at `places` (m,), with the same uncertainty."""

    @abstractmethod
    def covariance(self) -> np.ndarray:
        """(m, m)."""

    @abstractmethod
    def statistic(self) -> np.ndarray | None:
        """Estimate over standard error (m,); None where draws make no test."""

    @property
    @abstractmethod
    def df(self) -> np.ndarray:
        """Degrees of freedom (m,) of tests and limits, infinite for normal ones; NaN of numbers not determined."""

    @property
    def judged_by(self) -> tuple[str, tuple[str, ...]]:
        """What tests and limits are referred to, and what a reader must know of it, in words."""
        return "", ()

    @property
    def limits_made(self) -> str:
        """How limits are made besides at a critical value, in words."""
        return ""

    @abstractmethod
    def table(self, level: float, critical: np.ndarray | float, scale: Scale) -> pd.DataFrame:
        """estimate, se, lower, upper as `scale` shows them; `critical` values belong to normal limits."""


@dataclass(frozen=True)
class Linearised(Quantities):
    """Functions of normal coefficients, with `jacobian` (m, p) nearby; `linear` ones have it everywhere.

    `root` (p, q) is a factor F of the coefficients' covariance F F'. Where columns are far from zero the terms of
    x' F F' x cancel to nothing, those of x' F do not. `reference` says what they are judged by. `limits` say where
    those of numbers with a range are made; they belong to these numbers alone, not to functions of them.
    """

    estimate: np.ndarray
    jacobian: np.ndarray
    root: np.ndarray
    reference: Reference
    linear: bool = False
    ambiguity: Ambiguity | None = None
    limits: Limits | None = None

    @property
    def values(self) -> np.ndarray:
        return _blank(self.estimate, self.ambiguity)

    def span(self) -> tuple[float, float]:
        return _span(self.values)

    def combined(self, weights: np.ndarray) -> Linearised:
        return replace(
            self,
            estimate=_weighted(weights, self.estimate),
            jacobian=_weighted(weights, self.jacobian),
            ambiguity=self.ambiguity and self.ambiguity.combined(weights),
            limits=None,
        )

    def mapped(self, scale: Scale) -> Linearised:
        with np.errstate(all="ignore"):  # of numbers that are not determined, and may be anything
            slope, shown = scale.slope(self.estimate), scale.show(self.estimate)
        return replace(
            self,
            estimate=shown,
            jacobian=slope[:, None] * self.jacobian,
            linear=(self.linear and scale is AS_IS) or self._straightened(scale),
            ambiguity=_mapped(self.ambiguity, scale),
            limits=None,
        )

    def _straightened(self, scale: Scale) -> bool:
        """Whether `scale` makes linear predictors of all numbers again, as the logarithm does of exp."""
        if self.limits is None or not self.limits.alone.all():
            return False
        with np.errstate(all="ignore"):
            low, middle, high = (scale.show(self.limits.show(self.limits.centre + step)) for step in (-1, 0, 1))
        return bool(np.allclose(low + high, 2 * middle, rtol=STRAIGHT, atol=STRAIGHT, equal_nan=True))

    def minus(self, other: Quantities) -> Linearised:
        assert isinstance(other, Linearised)
        return replace(
            self,
            estimate=self.estimate - other.estimate,
            jacobian=self.jacobian - other.jacobian,
            linear=self.linear and other.linear,
            ambiguity=_difference(self.ambiguity, other.ambiguity),
            limits=None,
        )

    def followed_by(self, others: Sequence[Quantities]) -> Linearised:
        every = [self, *(other for other in others if isinstance(other, Linearised))]
        return replace(
            self,
            estimate=np.concatenate([one.estimate for one in every]),
            jacobian=np.concatenate([one.jacobian for one in every]),
            linear=all(one.linear for one in every),
            ambiguity=_joined(self.ambiguity, others),
            limits=None,
        )

    def taken(self, places: np.ndarray) -> Linearised:
        ambiguity = self.ambiguity and self.ambiguity.taken(places)
        return replace(
            self, estimate=self.estimate[places], jacobian=self.jacobian[places], ambiguity=ambiguity, limits=None
        )

    def alike(self, places: np.ndarray) -> bool:
        se, values = self.se(), self.values
        apart = np.linalg.norm((self.jacobian - self.jacobian[places]) @ self.root, axis=1)
        return _all_near(values, values[places], se) and _all_near(apart, np.zeros_like(apart), se)

    def covariance(self) -> np.ndarray:
        half = self.jacobian @ self.root
        return half @ half.T

    def se(self) -> np.ndarray:
        """Standard errors (m,)."""
        with np.errstate(invalid="ignore"):  # of numbers that are infinite
            return np.where(np.isnan(self.values), np.nan, np.linalg.norm(self.jacobian @ self.root, axis=1))

    def statistic(self) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.values / self.se()

    @cached_property
    def df(self) -> np.ndarray:
        found = np.where(np.isnan(self.values), np.nan, self.reference.beyond)
        asked = self._judged_as_linear & ~np.isnan(found) & self.jacobian.any(axis=1)
        if asked.any():
            rows = np.zeros((int(asked.sum()), len(self.reference.root)))
            rows[:, : self.jacobian.shape[1]] = self.jacobian[asked]  # the mean's coefficients come first
            found[asked] = self.reference.df(rows)
        return found

    @property
    def _judged_as_linear(self) -> np.ndarray:
        """Which numbers (m,) are linear functions, or have the limits of one: its derivatives are in proportion."""
        alone = np.zeros(len(self.estimate), bool) if self.limits is None else self.limits.alone
        return (alone | self.linear) & np.isfinite(self.jacobian).all(axis=1)

    @property
    def judged_by(self) -> tuple[str, tuple[str, ...]]:
        linear, missing = self._judged_as_linear, np.isnan(self.values)
        words, beyond = self.reference.words, self.reference.beyond_words
        if not np.all(linear | missing):
            some = words != beyond and np.any(linear & ~missing)
            words = f"{words}, z where df is infinite" if some else beyond
        return words, self.reference.notes

    @property
    def limits_made(self) -> str:
        return "" if self.limits is None else self.limits.words

    def table(self, level: float, critical: np.ndarray | float, scale: Scale) -> pd.DataFrame:
        se, values = self.se(), self.values
        found = {"estimate": scale.show(values), "se": np.abs(scale.slope(values)) * se}
        if scale is AS_IS and self.limits is not None:
            return pd.DataFrame(found | self.limits.table(values, critical * se, critical))
        ends = scale.show(values - critical * se), scale.show(values + critical * se)
        return pd.DataFrame(found | {"lower": np.minimum(*ends), "upper": np.maximum(*ends)})


@dataclass(frozen=True)
class Sampled(Quantities):
    """Draws (D, m) of the numbers.

    Their estimate is the mean. With `robust` it is the median, and the standard error half the distance between the
    quantiles that a normal distribution has one sd from its mean: for ratios, whose mean need not exist.
    """

    draws: np.ndarray
    robust: bool = False
    ambiguity: Ambiguity | None = None

    @property
    def values(self) -> np.ndarray:
        return _blank(np.median(self.draws, axis=0) if self.robust else self.draws.mean(axis=0), self.ambiguity)

    def span(self) -> tuple[float, float]:
        return _span(_blank(self.draws, self.ambiguity))

    def combined(self, weights: np.ndarray) -> Sampled:
        draws = _weighted(weights, self.draws.T).T
        return replace(self, draws=draws, ambiguity=self.ambiguity and self.ambiguity.combined(weights))

    def mapped(self, scale: Scale) -> Sampled:
        with np.errstate(all="ignore"):  # of numbers that are not determined, and may be anything
            return replace(self, draws=scale.show(self.draws), ambiguity=_mapped(self.ambiguity, scale))

    def minus(self, other: Quantities) -> Sampled:
        assert isinstance(other, Sampled)
        ambiguity = _difference(self.ambiguity, other.ambiguity)
        return replace(self, draws=self.draws - other.draws, ambiguity=ambiguity)

    def followed_by(self, others: Sequence[Quantities]) -> Sampled:
        every = [self.draws, *(other.draws for other in others if isinstance(other, Sampled))]
        return replace(self, draws=np.concatenate(every, axis=1), ambiguity=_joined(self.ambiguity, others))

    def taken(self, places: np.ndarray) -> Sampled:
        return replace(self, draws=self.draws[:, places], ambiguity=self.ambiguity and self.ambiguity.taken(places))

    def alike(self, places: np.ndarray) -> bool:
        with np.errstate(invalid="ignore"):  # of draws that are infinite
            sd = self.draws.std(axis=0)
        known = _blank(self.draws, self.ambiguity)
        return all(_all_near(one, one[places], sd) for one in known)

    def covariance(self) -> np.ndarray:
        m = self.draws.shape[1]
        return np.cov(self.draws, rowvar=False).reshape(m, m)

    def statistic(self) -> None:
        return None

    @property
    def df(self) -> np.ndarray:
        return np.where(np.isnan(self.values), np.nan, np.inf)

    def table(self, level: float, critical: np.ndarray | float, scale: Scale) -> pd.DataFrame:
        shown = Sampled(scale.show(_blank(self.draws, self.ambiguity)), self.robust)
        lower, upper = equal_tailed(shown.draws, level)
        return pd.DataFrame({"estimate": shown.values, "se": shown._spread(), "lower": lower, "upper": upper})

    def _spread(self) -> np.ndarray:
        if not self.robust:
            with np.errstate(invalid="ignore"):  # of draws that are infinite
                return self.draws.std(axis=0, ddof=1)
        below, above = np.quantile(self.draws, [ndtr(-1.0), ndtr(1.0)], axis=0)
        return (above - below) / 2


def _all_near(values: np.ndarray, others: np.ndarray, se: np.ndarray) -> bool:
    """Whether numbers differ by no more than rounding does, beside their size or their standard errors."""
    with np.errstate(invalid="ignore"):
        near = np.abs(values - others) <= SAME * se + ROUNDING * np.abs(others)
    return bool(np.all(near | (values == others) | (np.isnan(values) & np.isnan(others))))


def _blank(values: np.ndarray, ambiguity: Ambiguity | None) -> np.ndarray:
    """Values (.., m), NaN where the data do not determine them."""
    return values if ambiguity is None else np.where(ambiguity.missing, np.nan, values)


def _span(values: np.ndarray) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    return float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))


def _mapped(ambiguity: Ambiguity | None, scale: Scale) -> Ambiguity | None:
    if ambiguity is None:
        return None
    with np.errstate(all="ignore"):
        return ambiguity.mapped(scale.show(ambiguity.values), scale.slope(ambiguity.values))


def _difference(first: Ambiguity | None, second: Ambiguity | None) -> Ambiguity | None:
    return None if first is None or second is None else first.minus(second)


def _joined(first: Ambiguity | None, others: Sequence[Quantities]) -> Ambiguity | None:
    return first and first.followed_by([one.ambiguity for one in others if one.ambiguity is not None])


def _weighted(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`weights` (k, m) times values (m, ...), where a missing value that has no weight does not count."""
    missing = np.isnan(values)
    found = weights @ np.where(missing, 0.0, values)
    return np.where((weights != 0).astype(float) @ missing > 0, np.nan, found) if missing.any() else found
