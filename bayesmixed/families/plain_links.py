"""The links without options: identity, log and powers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .link_base import HIGHEST, Link
from .numeric.arrays import NUMPY


class Identity(Link):
    """eta = mu."""

    name = "identity"
    linear = True

    def forward(self, mu: Any, xp: Any = NUMPY) -> Any:
        return mu

    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        return eta

    def written(self, eta: str) -> str:
        return eta

    def slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return xp.ones_like(mu)

    def mean_slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return xp.ones_like(mu)

    def mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        zero = xp.zeros_like(eta)
        return eta, xp.ones_like(eta), zero, zero


class Log(Link):
    """eta = log mu."""

    name = "log"
    scaled = False
    multiplicative = True
    ratios = "Ratios of {middle}s"
    ratio_of = "{middle}s"
    range = (0.0, np.inf)

    def forward(self, mu: Any, xp: Any = NUMPY) -> Any:
        return xp.log(mu)

    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        return xp.exp(xp.minimum(eta, HIGHEST))

    def written(self, eta: str) -> str:
        return f"jnp.exp({eta})"

    def written_rest(self, eta: str) -> str:
        return f"-jnp.expm1({eta})"

    def written_log_odds(self, eta: str) -> str:
        return f"{eta} - jnp.log({self.written_rest(eta)})"

    def slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return 1 / mu

    def mean_slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return mu

    def mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        mu = self.inverse(eta, xp)
        return mu, mu, mu, mu

    def log_mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        zero = xp.zeros_like(eta)
        return eta, xp.ones_like(eta), zero, zero

    def log_probabilities(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any, Any]:
        zero = xp.zeros_like(eta)
        return eta, xp.log(-xp.expm1(eta)), eta, xp.ones_like(eta), zero


class Sqrt(Link):
    """eta = sqrt(mu), eta > 0."""

    name = "sqrt"
    range = (0.0, np.inf)

    def forward(self, mu: Any, xp: Any = NUMPY) -> Any:
        return xp.sqrt(mu)

    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        return eta**2

    def written(self, eta: str) -> str:
        return f"{eta} ** 2"

    def slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return 0.5 / xp.sqrt(mu)

    def mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        return eta**2, 2 * eta, 2 * xp.ones_like(eta), xp.zeros_like(eta)


@dataclass(frozen=True)
class Power(Link):
    """eta = mu^-k, eta > 0."""

    k: ClassVar[float]
    range = (0.0, np.inf)

    def forward(self, mu: Any, xp: Any = NUMPY) -> Any:
        return xp.asarray(mu, dtype=float) ** -self.k

    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        return xp.asarray(eta, dtype=float) ** (-1 / self.k)

    def written(self, eta: str) -> str:
        return f"{eta} ** {-1 / self.k!r}"

    def slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        return -self.k * xp.asarray(mu, dtype=float) ** (-self.k - 1)

    def mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        a = -1 / self.k
        mu = xp.asarray(eta, dtype=float) ** a
        return mu, a * mu / eta, a * (a - 1) * mu / eta**2, a * (a - 1) * (a - 2) * mu / eta**3


class Inverse(Power):
    """eta = 1 / mu, eta > 0."""

    name = "inverse"
    k = 1.0


class InverseSquare(Power):
    """eta = 1 / mu^2, eta > 0."""

    name = "1/mu^2"
    k = 2.0
