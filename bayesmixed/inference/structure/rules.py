"""When is a smaller model good enough to go on with, and which of several is taken?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import FitError, checked_probability, nearest
from ...fits.point import PointFit
from ...page import probability
from .candidates import Candidate


class Rule(ABC):
    """A way to judge candidates by one number, `score`, the largest the best."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What it is, for a heading."""

    @abstractmethod
    def score(self, candidate: Candidate) -> float:
        """How well a candidate does."""

    @abstractmethod
    def enough(self, candidate: Candidate, larger: PointFit) -> bool:
        """Whether it does well enough against the larger model."""

    @abstractmethod
    def words(self, candidate: Candidate, larger: PointFit) -> str:
        """What was compared, in few words."""

    def best(self, candidates: Sequence[Candidate], larger: PointFit) -> Candidate | None:
        """The best of those that are good enough; None where none is."""
        fitted = [one for one in candidates if not one.obstacle]
        good = [one for one in fitted if self.enough(one, larger)]
        return max(good, key=self.score) if good else None


@dataclass(frozen=True)
class ByRatio(Rule):
    """The likelihood ratio's p above alpha (Matuschek et al. 2017: a large alpha keeps what may matter)."""

    alpha: float

    @property
    def label(self) -> str:
        return f"likelihood ratios (p > {self.alpha:g})"

    def score(self, candidate: Candidate) -> float:
        return candidate.p

    def enough(self, candidate: Candidate, larger: PointFit) -> bool:
        return candidate.p > self.alpha

    def words(self, candidate: Candidate, larger: PointFit) -> str:
        sign = ">" if self.enough(candidate, larger) else "<="
        return f"p = {probability(candidate.p)} {sign} {self.alpha:g}"


@dataclass(frozen=True)
class ByCriterion(Rule):
    """AIC or BIC, `name` as of a fit, no higher than the larger model's."""

    name: str

    @property
    def label(self) -> str:
        return self.name.upper()

    def value(self, fit: PointFit | None) -> float:
        """The criterion of a fit."""
        return float("inf") if fit is None else float(getattr(fit, self.name))

    def score(self, candidate: Candidate) -> float:
        return -self.value(candidate.fit)

    def enough(self, candidate: Candidate, larger: PointFit) -> bool:
        return self.value(candidate.fit) <= self.value(larger)

    def words(self, candidate: Candidate, larger: PointFit) -> str:
        return f"{self.name.upper()} {self.value(candidate.fit) - self.value(larger):+.2f}"


RULES = ("lrt", "aic", "bic")


def rule_of(by: str, alpha: float) -> Rule:
    """The rule of that name.

    Raises
    ------
    FitError
        An unknown name; an alpha outside (0, 1).
    """
    if by not in RULES:
        raise FitError(f"by={by!r} is no rule of simplify. {nearest(str(by), RULES)}", topic="unknown-option")
    level = checked_probability(alpha, "alpha")
    return ByRatio(level) if by == RULES[0] else ByCriterion(by)
