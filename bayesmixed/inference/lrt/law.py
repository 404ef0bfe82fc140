"""What the likelihood ratio of two nested models follows when the smaller one is true."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from scipy.stats import chi2

from ...messages import Told

ZERO = 1e-6  # a likelihood ratio below it is what is left of none where a search ends


@dataclass(frozen=True)
class Law(ABC):
    """A law with `df` parameters in all; `exact` to first order, else its p-values are upper bounds."""

    df: int
    exact = True

    @abstractmethod
    def p(self, ratio: float) -> float:
        """P(T >= ratio)."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it is, as a sentence; empty for the plain chi-squared."""

    def naive(self, ratio: float) -> float:
        """P of the chi-squared with all parameters, which no boundary has touched."""
        return float(chi2.sf(max(ratio, 0.0), self.df))


@dataclass(frozen=True)
class ChiSquared(Law):
    """All parameters inside their space."""

    def p(self, ratio: float) -> float:
        return self.naive(ratio)

    @property
    def words(self) -> str:
        return ""


@dataclass(frozen=True)
class Mixture(Law):
    """One sd is zero, `df - 1` covariances with it: half chi-squared of df - 1, half of df (Self & Liang 1987).

    >>> round(Mixture(1).p(2.705543), 6), round(Mixture(1).naive(2.705543), 6), Mixture(1).p(0.0)
    (0.05, 0.1, 1.0)
    """

    def p(self, ratio: float) -> float:
        if ratio < ZERO:
            return 1.0
        point = 0.0 if self.df == 1 else float(chi2.sf(ratio, self.df - 1))
        return 0.5 * point + 0.5 * self.naive(ratio)

    @property
    def words(self) -> str:
        return Told(
            "law-of-the-ratio",
            f"p is of the even mixture of chi2({self.df - 1}) and chi2({self.df}), because the smaller model is "
            "at the bound of one parameter (for an sd: zero); Self & Liang (1987)",
        )


@dataclass(frozen=True)
class UpperBound(Law):
    """Several sds, or an sd and other parameters at once: no closed weights."""

    exact = False

    def p(self, ratio: float) -> float:
        return 1.0 if ratio < ZERO else self.naive(ratio)

    @property
    def words(self) -> str:
        return Told(
            "law-of-the-ratio",
            f"p is of chi2({self.df}) and an upper bound: more is at a bound in the smaller model than one sd, or with "
            "it other parameters, and the true law has smaller values",
        )
