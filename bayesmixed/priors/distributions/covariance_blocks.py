"""Priors of a whole block of a bar: its correlation matrix, and its sds and correlations together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from ...errors import ModelError
from .base import Distribution, Prior, shown
from .positive import LOG_2, Gamma


@dataclass(frozen=True)
class LKJ(Distribution):
    """Density proportional to det(R)^(`concentration` - 1) on correlation matrices of `dimension` columns.

    Source: Lewandowski, Kurowicka & Joe (2009, J. Multivariate Anal. 100, 1989-2001). NumPyro samples
    the Cholesky factor of R. A `dimension` of None takes that of the block.
    """

    concentration: Any = 2.0
    dimension: int | None = None
    support = "correlation"
    label = "LKJ"
    positive_fields = ("concentration",)
    stacks = False
    static_fields = ("dimension",)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.LKJCholesky(self.dimension, self.concentration)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        """At a correlation matrix `value` (k, k): its constant is equation 16 of the paper."""
        value = np.asarray(value, dtype=float)
        k, eta = len(value), self.concentration
        left = np.arange(k - 1, 0, -1)  # k - 1, ..., 1
        a = eta + (left - 1) / 2
        constant = float(np.sum(left * ((2 * eta - 2 + left) * LOG_2 + scipy.special.betaln(a, a))))
        sign, log_det = np.linalg.slogdet(value)
        if eta == 1 and sign >= 0:
            return np.asarray(-constant), np.zeros((k, k))
        if sign <= 0:
            return np.asarray(-np.inf if eta > 1 else np.inf), np.zeros((k, k))
        return np.asarray((eta - 1) * log_det - constant), (eta - 1) * np.linalg.inv(value)

    def quantile(self, p: Any) -> Any:
        """Of any one correlation: (rho + 1) / 2 is Beta(a, a) with a = concentration + (dimension - 2) / 2."""
        a = self.concentration + (self._columns - 2) / 2
        return 2 * scipy.special.betaincinv(a, a, p) - 1

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Cholesky factors (size, k, k), row by row: a length from a beta, a direction from the sphere.

        Source: the onion method of section 3.2 of the paper.
        """
        k = self._columns
        factor = np.zeros((size, k, k))
        factor[:, 0, 0] = 1.0
        for i in range(1, k):
            squared = rng.beta(i / 2, self.concentration + (k - 1 - i) / 2, size)
            direction = rng.standard_normal((size, i))
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            factor[:, i, :i] = np.sqrt(squared)[:, None] * direction
            factor[:, i, i] = np.sqrt(1 - squared)
        return factor

    @property
    def _columns(self) -> int:
        return 2 if self.dimension is None else self.dimension


@dataclass(frozen=True)
class Dirichlet(Distribution):
    """Shares of a whole, with `concentration` (k,)."""

    concentration: Any
    support = "shares"
    determined = 1
    label = "Dirichlet"
    positive_fields = ("concentration",)
    stacks = False

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Dirichlet(self.concentration)

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        """At shares `value` (k,): with respect to all but one of them, the slopes as if they were free."""
        shares, a = np.asarray(value, dtype=float), np.asarray(self.concentration, dtype=float)
        gammaln = scipy.special.gammaln
        with np.errstate(divide="ignore", invalid="ignore"):
            density = gammaln(a.sum()) - gammaln(a).sum() + scipy.special.xlogy(a - 1, shares).sum()
            slope = np.where(a == 1, 0.0, (a - 1) / shares)
        return density, slope

    def quantile(self, p: Any) -> Any:
        """Of each share (..., k): its marginal is a beta."""
        a = np.asarray(self.concentration, dtype=float)
        return scipy.special.betaincinv(a, a.sum() - a, np.asarray(p)[..., None])

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        return rng.dirichlet(np.asarray(self.concentration, dtype=float), size)


class BlockPrior(Prior, ABC):
    """A prior for the sds and the correlation of one block at once, made of independent parts.

    A program samples the parts and computes the sds from them, so no density is needed beyond theirs.
    """

    support = "covariance"
    stacks = False

    @property
    def fault(self) -> str | None:
        if self.length is not None:
            return "it takes one number for each of its parameters"
        return super().fault

    @abstractmethod
    def parts(self, k: int, correlated: bool) -> dict[str, Distribution]:
        """The independent parts that make the sds of a block of `k` columns, by name."""

    @abstractmethod
    def correlation(self, k: int) -> Distribution:
        """The prior of the correlation matrix of a block that has one."""

    @staticmethod
    @abstractmethod
    def sds(parts: Mapping[str, Any], scale: Any) -> Any:
        """The sds (..., k) that values of the parts give; `scale` (...,) is sigma, or 1 in a model without scale."""

    def written(self, parts: Mapping[str, str], k: int, scale: str) -> str:
        """`sds` as the text of a script, of the names of its parts and of what sds are relative to ("" for 1).

        Raises
        ------
        ModelError
            Where the prior has no such text.
        """
        raise ModelError(
            f"The prior {self.describe()} of a block does not say how a script writes the sds. Give its class a method "
            "written(self, parts, k, scale) that returns their text.",
            topic="not-in-a-script",
        )

    @staticmethod
    @abstractmethod
    def parts_at(sds: np.ndarray, scale: float, correlated: bool) -> dict[str, np.ndarray]:
        """Values of the parts at which the sds are `sds` (k,)."""

    @abstractmethod
    def log_density(self, sds: np.ndarray, scale: float, correlated: bool) -> tuple[float, np.ndarray, float]:
        """log density of the parts at sds (k,) > 0, and its slopes in each sd and in `scale`."""

    @abstractmethod
    def describe_sds(self, k: int, correlated: bool, scale: str) -> str:
        """How an sd comes about, in words; `scale` is the name of what sds are relative to, "" where nothing is."""


@dataclass(frozen=True)
class Decov(BlockPrior):
    """rstanarm's prior for the covariance of a block: a total, how it is shared, and a correlation.

    For k correlated columns sd_j = s tau sqrt(k pi_j), with tau ~ Gamma(`shape`, mean `shape` times `scale`),
    pi ~ Dirichlet(`concentration`), the correlation matrix LKJ(`regularization`), and s the residual standard
    deviation sigma (1 in a model without one): the sds are relative to sigma, and the root of their mean
    square is s tau. Every column of a block without correlations has a tau of its own and sd_j = s tau_j.

    Parameters
    ----------
    regularization
        Concentration of the LKJ; 1 is uniform over correlation matrices.
    concentration
        Of the Dirichlet; 1 is uniform over shares, more makes the sds alike.
    shape, scale
        Of the Gamma; shape 1 is an exponential with mean `scale`.

    References
    ----------
    Goodrich, Gabry, Ali & Brilleman, rstanarm: Bayesian applied regression modeling via Stan, ``?decov``.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> bm.priors.Decov().describe()
    'decov(regularization 1, concentration 1, shape 1, scale 1)'
    """

    regularization: float = 1.0
    concentration: float = 1.0
    shape: float = 1.0
    scale: float = 1.0
    label = "decov"
    positive_fields = ("regularization", "concentration", "shape", "scale")

    def parts(self, k: int, correlated: bool) -> dict[str, Distribution]:
        if not correlated:
            return {"tau": Gamma(np.full(k, float(self.shape)), np.full(k, 1 / self.scale))}
        total = Gamma(np.array([float(self.shape)]), np.array([1 / self.scale]))
        return {"tau": total, "shares": Dirichlet(np.full(k, float(self.concentration)))}

    def correlation(self, k: int) -> Distribution:
        return LKJ(float(self.regularization), k)

    @staticmethod
    def sds(parts: Mapping[str, Any], scale: Any) -> Any:
        relative = parts["tau"]
        if "shares" in parts:
            relative = relative * (parts["shares"].shape[-1] * parts["shares"]) ** 0.5
        return scale * relative

    def written(self, parts: Mapping[str, str], k: int, scale: str) -> str:
        shares = f"jnp.sqrt({k} * {parts['shares']})" if "shares" in parts else ""
        return " * ".join(filter(None, (scale, parts["tau"], shares)))

    @staticmethod
    def parts_at(sds: np.ndarray, scale: float, correlated: bool) -> dict[str, np.ndarray]:
        if not correlated:
            return {"tau": sds / scale}
        squares = sds**2
        return {"tau": np.sqrt(np.mean(squares, keepdims=True)) / scale, "shares": squares / squares.sum()}

    def log_density(self, sds: np.ndarray, scale: float, correlated: bool) -> tuple[float, np.ndarray, float]:
        """Of tau and the shares, whose density is bounded; that of the sds has a pole at zero from two columns on."""
        k, relative, at = len(sds), sds / scale, self.parts_at(sds, scale, correlated)
        parts = self.parts(k, correlated)
        density, slope = parts["tau"].log_density(at["tau"])
        total = float(density.sum())
        if correlated:
            tau, shares = float(at["tau"][0]), at["shares"]
            of_shares, slopes = parts["shares"].log_density(shares)
            total += float(of_shares)
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = slope * relative / (k * tau) + 2 * relative * (slopes - shares @ slopes) / (k * tau**2)
        return total, slope / scale, float(-(slope @ relative) / scale)

    def describe_sds(self, k: int, correlated: bool, scale: str) -> str:
        return " * ".join(word for word in (scale, "tau", f"sqrt({k} * share)" if correlated else "") if word)

    def describe(self) -> str:
        return f"decov({', '.join(f'{name} {shown(value)}' for name, value in self.values.items())})"
