"""What a link g(mu) = eta is: forward, inverse, derivatives of the inverse, and of log-probabilities in the tails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError
from .numeric.arrays import NUMPY

HIGHEST = 700.0  # exp of more overflows


@dataclass(frozen=True)
class Link(ABC):
    """A link and its inverse; `xp` are array functions, so that one definition serves NumPy and JAX.

    `range` is the open interval of mu that the inverse reaches; `scaled`: eta's unit goes with mu's; `linear`: eta is
    mu itself; `multiplicative`: what is added to eta multiplies mu. `ratios` says what exp of a coefficient is the
    ratio of, as a heading (empty: of nothing), `ratio_of` what exp of a difference of marginal means is that of. Of
    links whose inverse is a distribution function, `latent` is its variance, where finite, with the formula (successes
    are > 0), and `steepest`, where it is symmetric too, its largest slope.
    """

    name: ClassVar[str]
    scaled: ClassVar[bool] = True
    linear: ClassVar[bool] = False
    multiplicative: ClassVar[bool] = False
    ratios: ClassVar[str] = ""
    ratio_of: ClassVar[str] = ""
    steepest: ClassVar[float] = np.nan

    @property
    def words(self) -> str:
        """The name, with asymptotes where there are any."""
        return self.name

    range: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    latent: ClassVar[tuple[float, str] | None] = None

    @abstractmethod
    def forward(self, mu: Any, xp: Any = NUMPY) -> Any:
        """eta = g(mu), elementwise."""

    @abstractmethod
    def inverse(self, eta: Any, xp: Any = NUMPY) -> Any:
        """mu = g^-1(eta), elementwise."""

    def written(self, eta: str) -> str:
        """`inverse` as the text of a script, of the text `eta`.

        Raises
        ------
        ModelError
            Where the link has no such text.
        """
        raise ModelError(
            f"The link {self.name!r} does not say how a script writes its inverse. Give its class a method "
            "written(self, eta) that returns the text of mu, such as f'jnp.exp({eta})'.",
            topic="not-in-a-script",
        )

    def written_rest(self, eta: str) -> str:
        """The text of 1 - mu, for means in (0, 1): a term of a sum that keeps its digits where mu is nearly 1."""
        return f"1.0 - {self.written(eta)}"

    def written_log_odds(self, eta: str) -> str:
        """The text of log(mu / (1 - mu)), exact in both tails, for means in (0, 1); else empty."""
        return ""

    @abstractmethod
    def slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        """g'(mu), elementwise."""

    def mean_slope(self, mu: Any, xp: Any = NUMPY) -> Any:
        """d mu / d eta at mu, elementwise."""
        return 1 / self.slope(mu, xp)

    @abstractmethod
    def mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        """mu and its first three derivatives in eta."""

    def log_mean_steps(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any]:
        """log mu and its first three derivatives in eta, for positive means."""
        mu, m1, m2, m3 = self.mean_steps(eta, xp)
        t1 = m1 / mu
        t2 = m2 / mu - t1**2
        return xp.log(mu), t1, t2, m3 / mu - 3 * t1 * t2 - t1**3

    def log_probabilities(self, eta: Any, xp: Any = NUMPY) -> tuple[Any, Any, Any, Any, Any]:
        """log mu, log(1 - mu), log mu', and the first two derivatives of log mu', for means in (0, 1)."""
        mu, m1, m2, m3 = self.mean_steps(eta, xp)
        score = m2 / m1
        return xp.log(mu), xp.log1p(-mu), xp.log(m1), score, m3 / m1 - score**2

    def binomial(self, y: Any, m: Any, eta: Any, order: int, xp: Any = NUMPY) -> tuple[Any, ...]:
        """y log mu + (m - y) log(1 - mu), then g, V and dV as in `families.base.Derivatives`, up to `order`."""
        successes, failures = self.log_steps(eta, order, xp)
        signs = (1.0, 1.0, -1.0, -1.0)
        both = zip(signs, successes, failures, strict=False)
        return tuple(sign * (_times(y, up, xp) + _times(m - y, down, xp)) for sign, up, down in both)

    def log_steps(self, eta: Any, order: int, xp: Any = NUMPY) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """log mu and log(1 - mu), each with its derivatives in eta up to `order`, for means in (0, 1).

        With r = mu' / mu and s = (log mu')', r' = r (s - r), and the same for 1 - mu with r = -mu' / (1 - mu).
        """
        log_p, log_q, log_f, s, ds = self.log_probabilities(eta, xp)
        found = []
        for log_mean, sign in ((log_p, 1.0), (log_q, -1.0)):
            steps = [log_mean]
            if order > 0:
                r = sign * xp.exp(xp.minimum(log_f - log_mean, HIGHEST))
                steps.append(r)
            if order > 1:
                r1 = r * (s - r)
                steps.append(r1)
            if order > 2:
                steps.append(r1 * (s - r) + r * (ds - r1))
            found.append(tuple(steps))
        return found[0], found[1]


def _times(count: Any, value: Any, xp: Any) -> Any:
    """count * value where the count is not zero: nothing observed says nothing, even of a probability of zero."""
    return xp.where(count > 0, count * value, 0.0)
