"""What the rest of the program must know of a random-effect covariance structure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np


class Covariance(ABC):
    """A structure for the relative covariance Lambda Lambda' of a block of k columns.

    Its maximum-likelihood side (theta -> Lambda and back) and its Bayesian side (sampling the factor
    from priors on sds and correlations) live in one class, so that a new structure is one file.
    `invariance` says which changes of basis of the columns the structure survives: "linear" (any
    invertible map), "scaling" (each column by its own constant) or "none" (one constant for all).
    """

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.__dict__.items()))))

    name: ClassVar[str]
    invariance: ClassVar[str]
    has_correlation: ClassVar[bool]

    @abstractmethod
    def n_theta(self, k: int) -> int:
        """Number of free parameters of a block of k columns."""

    @abstractmethod
    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        """Lambda (k, k), lower triangular, at theta (n_theta,)."""

    @abstractmethod
    def theta(self, factor: np.ndarray) -> np.ndarray:
        """The theta (n_theta,) whose Lambda Lambda' equals that of `factor` (k, m), diagonal >= 0."""

    @abstractmethod
    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        """d f / d theta (n_theta,) from `slope` = d f / d Lambda (k, k)."""

    def boundary_penalty(self, factor: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus twice a log density that is zero on the boundary, and its slope in `factor`.

        `factor` (k, k) is any root F of the covariance F F'. Where every sd is free it is -3 log|det F|, a
        Wishart(k + 2.5, infinite scale) on F F' (Chung et al. 2013, Psychometrika 78, 685-709); a structure with fewer
        sds has a penalty of its own. +inf, with slope 0, where F is singular.
        """
        sign, log_det = np.linalg.slogdet(factor)
        if sign == 0:
            return np.inf, np.zeros_like(factor)
        return -3 * float(log_det), -3 * np.linalg.inv(factor).T

    @abstractmethod
    def start(self, sds: np.ndarray) -> np.ndarray:
        """A theta (n_theta,) with relative standard deviations `sds` (k,) and no correlation."""

    @abstractmethod
    def theta_columns(self, k: int) -> list[list[int]]:
        """Positions of theta that make up each column of Lambda, its diagonal element first.

        Where an exact zero is worth trying: of a diagonal element, or of a whole column.
        """

    @abstractmethod
    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        """Groups of directions (k, m) in which the relative covariance is zero.

        Directions of one group may be mixed (the structure can grow along any combination); each
        group is tested on its own.
        """

    @abstractmethod
    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        """The theta of Lambda Lambda' + v v' for a `direction` v (k,) that `null_directions` offered."""

    def leading(self, theta: np.ndarray, k: int) -> np.ndarray:
        """The same Lambda Lambda' with its rank in the leading columns of Lambda; theta itself where that is one way.

        A zero row of Lambda = [[0, 0], [0, c]] gets a covariance with the other by [[a, 0], [c, 0]] only: from there
        the gradient in a sees it, from the former no gradient does.
        """
        return theta

    @abstractmethod
    def sample(self, sds: Any, k: int, site: str, correlation_prior: Any) -> Any:
        """Inside a NumPyro program: the Cholesky factor (k, k) of the covariance with sds (k,) as a JAX array."""


def echelon(factor: np.ndarray) -> np.ndarray:
    """E (k, k) with E E' = factor factor', row by row its rank in the leading columns: lower-triangular."""
    turned, rank = np.array(factor, dtype=float), 0
    for row in range(len(turned)):
        rest = turned[row, rank:]
        length = float(np.linalg.norm(rest))
        if length <= 1e-10 * max(float(np.linalg.norm(turned[row])), 1e-300):
            turned[row, rank:] = 0.0
            continue
        mirror = rest.copy()
        mirror[0] += length if rest[0] >= 0 else -length
        turned[row:, rank:] -= np.outer(turned[row:, rank:] @ mirror, mirror) * (2 / (mirror @ mirror))
        turned[row, rank + 1 :] = 0.0
        rank += 1
    return turned


def retriangularise(factor: np.ndarray) -> np.ndarray:
    """Lower-triangular L (k, k), diagonal >= 0, with L L' = factor factor' for a factor (k, m).

    Diagonal elements below 1e-10 of their row's norm are rounding of an exact zero and set to it.
    """
    upper: np.ndarray = np.linalg.qr(np.asarray(factor).T, mode="r")  # type: ignore[assignment]
    k = factor.shape[0]
    lower = np.zeros((k, k))
    lower[:, : upper.shape[0]] = upper.T
    lower *= np.where(np.diag(lower) < 0, -1.0, 1.0)
    lower = np.tril(lower)
    scale = np.linalg.norm(lower, axis=1)
    tiny = np.abs(np.diag(lower)) <= 1e-10 * scale
    lower[np.arange(k)[tiny], np.arange(k)[tiny]] = 0.0
    return lower
