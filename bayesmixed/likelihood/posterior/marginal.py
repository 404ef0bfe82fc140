"""The log marginal likelihood of hyperparameters, and draws of what was integrated out: a linear model's, exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..criteria.with_sigma import SigmaCriterion
from ..criteria.with_sigmas import SigmasCriterion
from ..linear.modes import modes
from ..prediction_errors import draw_errors
from ..working.blocks import Block
from ..working.coordinates import Coordinates
from .normality import Normality
from .standardised import LinearisedPosterior, NormalForm, normal_equations

Drawn = tuple[np.ndarray, tuple[np.ndarray, ...]]  # beta (p,) and effects (L, k) per group term, in the user's columns

Places = tuple[np.ndarray, ...]  # spherical effects (N, L, k) of each block: where searches of modes start


class Marginal(ABC):
    """A marginal likelihood at the coordinates x of a criterion, effects integrated out, and coefficients maybe.

    `words` say what is integrated how; `exact` that the integral is; `has_slopes` that its gradient is known.
    """

    exact: bool = False
    has_slopes: bool = True

    @property
    @abstractmethod
    def words(self) -> str:
        """How the integral is done, in words."""

    @abstractmethod
    def coordinates(self) -> Coordinates:
        """What x means; without coefficients where these are integrated out."""

    @abstractmethod
    def value(self, x: np.ndarray) -> float:
        """log of the marginal likelihood, -inf where it cannot be found."""

    @abstractmethod
    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The same with its gradient in x; LinAlgError where it cannot be found."""

    @abstractmethod
    def draw(self, x: np.ndarray, rng: np.random.Generator) -> Drawn:
        """One draw of coefficients (held at x where they are in it) and effects given the hyperparameters at x."""

    def values(self, x: np.ndarray) -> np.ndarray:
        """`value` at each of x (N, .)."""
        return self.values_and_places(x)[0]

    def values_and_places(self, x: np.ndarray) -> tuple[np.ndarray, Places | None]:
        """`value` at each of x (N, .), and the modes of the effects there; None where there are none or too many."""
        return np.array([self.value(each) for each in x]), None

    def draws(self, x: np.ndarray, rng: np.random.Generator, places: Places | None = None) -> Sequence[Drawn]:
        """One draw at each of x (N, .); `places` are the modes of the effects there, where they are known."""
        return [self.draw(each, rng) for each in x]

    def track(self, points: np.ndarray) -> None:  # noqa: B027  (nothing to learn where there are no modes)
        """Learn how modes move with x from points (N, .), the first in their middle, to start later searches near."""

    def normality(self, x: np.ndarray) -> list[Normality]:
        """How normal effects are given x, per grouping factor; empty where they are exactly."""
        return []

    def linearised(self, x: np.ndarray, form: NormalForm | None) -> LinearisedPosterior | None:
        """The model linearised at x, `form` the priors of its coefficients; None where these are integrated out."""
        return None


@dataclass
class LinearMarginal(Marginal):
    """A linear mixed model's, exact; normal and flat coefficients are integrated out, unless `criterion` has them."""

    criterion: SigmaCriterion | SigmasCriterion
    exact = True

    @property
    def words(self) -> str:
        return (
            "effects integrated out exactly"
            if self.criterion.free
            else "effects and coefficients integrated out exactly"
        )

    def coordinates(self) -> Coordinates:
        return self.criterion.coordinates()

    def value(self, x: np.ndarray) -> float:
        try:
            return -0.5 * self.criterion.value(x)
        except np.linalg.LinAlgError:
            return -np.inf

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.criterion.value_and_gradient(x)
        return -0.5 * value, -0.5 * gradient

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> Drawn:
        likelihood, sigma = self.criterion.at(x), self.criterion.residual_sd(x)
        solution = self.criterion.solution(x)
        shift, errors = draw_errors(likelihood.gram, solution, 1, rng, coefficients=not self.criterion.free)
        at = modes(likelihood.gram, solution)
        b = [mode + sigma * error[..., 0] for mode, error in zip(at.b, errors, strict=True)]
        beta = likelihood.basis.beta(solution.beta + sigma * shift[:, 0]) if likelihood.p else np.zeros(0)
        return beta, by_term(likelihood.blocks, likelihood.theta.bases, b)


@dataclass
class OneSigmaMarginal(LinearMarginal):
    """That of a model with one sigma for all rows."""

    criterion: SigmaCriterion

    def linearised(self, x: np.ndarray, form: NormalForm | None) -> LinearisedPosterior | None:
        likelihood, criterion = self.criterion.likelihood, self.criterion
        if not criterion.free or not likelihood.p:
            return None
        precision, right = normal_equations(form, likelihood.basis.R, likelihood.basis.beta0)

        def factors(x: np.ndarray) -> list[np.ndarray]:
            return likelihood.factors(x[: likelihood.theta.size])

        return LinearisedPosterior(
            likelihood.gram, likelihood.tail, factors, criterion.residual_sd, criterion.unit, precision, right
        )


def by_term(blocks: Sequence[Block], bases: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Effects (L, k) of each group term in the user's columns from those of each block in the working ones."""
    effects = {
        j: part[:, columns] @ bases[j].T
        for block, part in zip(blocks, b, strict=True)
        for j, columns in zip(block.terms, block.slices, strict=True)
    }
    return tuple(effects[j] for j in range(len(effects)))
