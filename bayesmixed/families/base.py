"""What the rest of the program must know of a response distribution: traits as fields, densities as methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .links import Link


@dataclass(frozen=True)
class Family(ABC):
    """A response distribution with mean mu = g^-1(eta) and named dispersion parameters.

    Traits: `dispersion` names the parameters besides mu; `links` the link names it allows, the
    default first; `weights` is "precision" (Var = sigma^2 / w) or "frequency" (the log-likelihood
    contribution is multiplied by w); `discrete`; `support`, in words, for error messages;
    `normal_conditional` says that y given the effects is normal with a constant sigma, so that
    with an identity link the marginal likelihood is exact and u is scaled by sigma.
    """

    link: Link

    name: ClassVar[str]
    dispersion: ClassVar[tuple[str, ...]]
    links: ClassVar[tuple[str, ...]]
    weights: ClassVar[str]
    discrete: ClassVar[bool]
    support: ClassVar[str]
    normal_conditional: ClassVar[bool]

    @abstractmethod
    def check(self, y: np.ndarray, name: str) -> None:
        """Raise a DataError that names the first row outside the support; `y` is (n,)."""

    @abstractmethod
    def log_density(
        self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: np.ndarray | None
    ) -> np.ndarray:
        """log f(y | mu, dispersion) per row, every constant included, weights as the trait says; shape of y."""

    @abstractmethod
    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: np.ndarray | None) -> np.ndarray:
        """Standard deviation of y given mu per row (the scale of Pearson residuals)."""

    @abstractmethod
    def deviance_residuals(self, y: np.ndarray, mu: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """Signed square roots of each row's contribution to the deviance (lme4's, unscaled by dispersion)."""

    @abstractmethod
    def quantile_residuals(
        self,
        y: np.ndarray,
        mu: np.ndarray,
        dispersion: dict[str, Any],
        weights: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Normal scores of F(y | mu), randomised inside the jump of a discrete F (Dunn & Smyth 1996)."""

    @abstractmethod
    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: np.ndarray | None
    ) -> np.ndarray:
        """New responses, shape of mu."""

    @abstractmethod
    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any) -> Any:
        """The NumPyro distribution of y given mu (JAX arrays), precision weights applied."""
