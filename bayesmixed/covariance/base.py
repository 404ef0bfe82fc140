"""What the rest of the program must know of a random-effect covariance structure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import ModelError
from .parameters import Free, Values
from .pins import Pin

SMALL = 1e-30  # of the imaginary step that gives a derivative without rounding
SPREAD = (0.3, 1.7)  # times a start: theta far enough from each other to tell a bent set of covariances from a flat one
ROUNDED = 1e-10  # of the largest singular value: what is left of a direction that covariances do not have


@dataclass(frozen=True)
class Edge:
    """A boundary of a block's parameter space near some theta: where elements at `positions` have `values`.

    `distance` is how far theta is from it, in what a diagonal element of Lambda is measured in.
    """

    positions: tuple[int, ...]
    values: tuple[float, ...]
    distance: float

    def after(self, first: int) -> Edge:
        """The same in a vector in which theta begins at `first`."""
        return replace(self, positions=tuple(first + i for i in self.positions))

    def at(self, theta: np.ndarray) -> np.ndarray:
        """theta moved to it."""
        moved = theta.copy()
        moved[list(self.positions)] = self.values
        return moved


class Covariance(ABC):
    """A structure for the covariance Sigma = Lambda Lambda' of a block of k columns: a frozen dataclass of its options.

    Its maximum-likelihood side (theta -> Lambda and back) and its Bayesian side (which parameters have priors, and the
    factor that they give) live in one class, so that a new structure is one file.
    `invariance` says which changes of basis of the columns the structure survives: "linear" (any
    invertible map), "scaling" (each column by its own constant) or "none" (one constant for all). `correlated` says
    whether columns may be correlated at all, `absorbing` whether a block with as many effects as rows takes up all that
    a residual could, `unrestricted` whether every covariance matrix is one of its, `linear` whether Lambda is linear in
    theta.
    """

    name: str
    invariance: str
    correlated: bool
    absorbing = False
    unrestricted = False
    linear = False

    @abstractmethod
    def parameters(self, k: int) -> Free:
        """The free parameters of a block of k columns, as priors, tables and programs speak of them."""

    @abstractmethod
    def factor_from(self, values: Values, k: int, xp: Any) -> Any:
        """A root (..., k, k) of the covariance with these parameters, by `xp`, NumPy or jax.numpy: lower-triangular.

        Sds times a constant are the root times it.
        """

    def written(self, k: int, sds: str, shapes: tuple[str, ...]) -> str:
        """`factor_from` of several columns as the text of a script: what `Model.code` writes.

        Parameters
        ----------
        k
            Number of columns.
        sds
            The name of the vector (m,) of sds, in the order of `parameters`.
        shapes
            Names of the others; a correlation matrix is its Cholesky factor.

        Raises
        ------
        ModelError
            Where the structure has no such text.
        """
        raise ModelError(
            f"The covariance structure {self.name!r} does not say how a script writes it. Give its class a method "
            "written(self, k, sds, shapes) that returns the text of a lower-triangular root of the covariance, such "
            "as f'{sds}[:, None] * {shapes[0]}'.",
            topic="not-in-a-script",
        )

    @abstractmethod
    def values(self, factor: np.ndarray) -> Values:
        """The parameters of Sigma = F F' from any root F (..., k, k) of it: the inverse of `factor_from`.

        Where an sd is zero, what Sigma does not tell counts as no correlation. Closed forms that are analytic in F,
        without absolute values and conjugates, so that F may be complex.
        """

    def pulled(self, factor: np.ndarray, slopes: Values) -> np.ndarray:
        """d f / d F (k, k) at one root F, from `slopes` of f in the sds (m,) and in the shapes as stated."""
        k = len(factor)
        steps = SMALL * 1j * np.eye(k * k).reshape(k * k, k, k)
        moved = self.values(factor + steps)
        total = moved.sds.imag @ slopes.sds
        for shape, value, slope in zip(self.parameters(k).shapes, moved.shapes, slopes.shapes, strict=True):
            total = total + np.sum((shape.stated(value).imag * slope).reshape(k * k, -1), axis=1)
        return total.reshape(k, k) / SMALL

    @abstractmethod
    def n_theta(self, k: int) -> int:
        """Number of free parameters of a block of k columns."""

    @abstractmethod
    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        """Lambda (k, k), lower triangular, at theta (n_theta,)."""

    @abstractmethod
    def theta(self, factor: np.ndarray) -> np.ndarray:
        """The theta (n_theta,) whose Lambda Lambda' equals that of `factor` (k, m), diagonal >= 0.

        A theta near it where the structure has none that does.
        """

    @abstractmethod
    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        """d f / d theta (n_theta,) from `slope` = d f / d Lambda (k, k)."""

    def pins(self, k: int) -> tuple[Pin, ...]:
        """How each free parameter of a block of k columns, sds first, is held while the others move.

        In the order in which tables list them; none where they cannot be, and the block has no profile.
        """
        return ()

    def boundary_penalty(self, factor: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus twice a log density that is zero on the boundary, and its slope in `factor`.

        `factor` (k, k) is any root F of the covariance F F'. -3 log of every sd and the penalties of the shapes, which
        for an unstructured covariance is a Wishart(k + 2.5, infinite scale) on F F' (Chung et al. 2013, Psychometrika
        78, 685-709). +inf, with slope 0, where F is singular.
        """
        values, free = self.values(factor), self.parameters(len(factor))
        found = [shape.penalty(value) for shape, value in zip(free.shapes, values.shapes, strict=True)]
        if not np.all(values.sds > 0) or any(np.isinf(value) for value, _ in found):
            return np.inf, np.zeros_like(factor)
        total = -3 * float(np.sum(np.log(values.sds))) + sum(value for value, _ in found)
        return total, self.pulled(factor, Values(-3 / values.sds, tuple(slope for _, slope in found)))

    def tangents(self, k: int, sds: np.ndarray | None = None) -> list[np.ndarray]:
        """d Sigma / d theta (k, k) for each element of theta, at `start(sds)`, with sds of 1 if None."""
        theta = self.start(np.ones(k) if sds is None else sds)
        factor, elements = self.factor(theta, k), np.eye(k * k).reshape(k, k, k, k)
        moved = np.array([[self.pullback(theta, k, one) for one in row] for row in elements])  # d Lambda_ab / d theta_i
        return [d @ factor.T + factor @ d.T for d in np.moveaxis(moved, 2, 0)]

    def span(self, k: int) -> np.ndarray | None:
        """Matrices E (m, k, k) of which every Sigma is a sum gamma_r E_r, m = n_theta; None where none are.

        Found from covariances at as many theta as no fewer matrices could give: those of a structure that is not linear
        in any parameters (a correlation to the power of a lag) span more than it has parameters.
        """
        theta, draws = self.start(np.ones(k)), np.random.default_rng(0)
        centre = np.where(theta == 0, 0.5, theta)
        points = centre * draws.uniform(*SPREAD, (k * (k + 1) + len(theta), len(theta)))
        factors = np.stack([self.factor(point, k) for point in points])
        sigmas = (factors @ factors.transpose(0, 2, 1)).reshape(len(points), -1)
        _, sizes, directions = np.linalg.svd(sigmas / np.linalg.norm(sigmas, axis=1, keepdims=True))
        rank = int(np.sum(sizes > ROUNDED * sizes[0]))
        return directions[:rank].reshape(rank, k, k) if rank == len(theta) else None

    @abstractmethod
    def start(self, sds: np.ndarray) -> np.ndarray:
        """A theta (n_theta,) with relative standard deviations `sds` (k,) or near them, and little correlation."""

    def reported(self, theta: np.ndarray, k: int) -> np.ndarray:
        """The parameters as `fit.theta` lists them; by default theta itself, in which a search moves."""
        return theta

    def of_reported(self, reported: np.ndarray, k: int) -> np.ndarray:
        """The inverse of `reported`; NaN outside the parameter space."""
        return reported

    @abstractmethod
    def edges(self, theta: np.ndarray, k: int) -> list[tuple[Edge, ...]]:
        """Boundaries that are worth trying exactly: groups of alternatives, the farthest-reaching first.

        An edge at distance 0 says which elements of theta are on their bound.
        """

    @abstractmethod
    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        """Groups of directions (k, m) in which a boundary of the structure can be left.

        Most often the relative covariance is zero in them. Directions of one group may be mixed (the structure can grow
        along any combination); each group is tested on its own.
        """

    @abstractmethod
    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        """The theta of Lambda Lambda' + v v' for a `direction` v (k,) that `null_directions` offered.

        Where the structure cannot grow in v alone, one whose variance in v has grown as much.
        """

    def holds(self, other: Covariance) -> bool:
        """Whether every covariance of `other`, of the same columns, is one of its own, most of them off its bounds."""
        return self.unrestricted or other == self

    def simplifies(self, other: Covariance, k: int, levels: bool) -> bool:
        """Whether a search for a simpler model may put it in the place of `other`, of the same k columns.

        Where it has their sds and fewer parameters for their correlations; `levels` says that the columns are the
        levels of one factor, which have no order in which an origin or a contrast is the first.
        """
        return False

    def leading(self, theta: np.ndarray, k: int) -> np.ndarray:
        """The same Lambda Lambda' with its rank in the leading columns of Lambda; theta itself where that is one way.

        A zero row of Lambda = [[0, 0], [0, c]] gets a covariance with the other by [[a, 0], [c, 0]] only: from there
        the gradient in a sees it, from the former no gradient does.
        """
        return theta


def of_lengths(factor: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """d f / d F (k, k) from slopes (k,) in the lengths of F's rows; 0 of a row of length 0."""
    norms = np.linalg.norm(factor, axis=1)
    return np.divide(slopes, norms, out=np.zeros_like(norms), where=norms > 0)[:, None] * factor


def log_det_penalty(factor: np.ndarray) -> tuple[float, np.ndarray]:
    """-3 log|det F|, what the boundary penalty is where all sds and correlations, or all sds alone, are free."""
    sign, log_det = np.linalg.slogdet(factor)
    if sign == 0:
        return np.inf, np.zeros_like(factor)
    return -3 * float(log_det), -3 * np.linalg.inv(factor).T


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
    return lower_triangles(np.asarray(factor)[None])[0]


def lower_triangles(factors: np.ndarray) -> np.ndarray:
    """`retriangularise` of many factors (B, k, m)."""
    upper: np.ndarray = np.linalg.qr(factors.swapaxes(1, 2), mode="r")  # type: ignore[assignment]
    count, k = factors.shape[:2]
    lower = np.zeros((count, k, k))
    lower[:, :, : upper.shape[1]] = upper.swapaxes(1, 2)
    diagonal = np.diagonal(lower, axis1=1, axis2=2)
    lower = np.tril(lower * np.where(diagonal < 0, -1.0, 1.0)[:, None, :])
    scale = np.linalg.norm(lower, axis=2)
    each = np.arange(k)
    sizes = lower[:, each, each]
    lower[:, each, each] = np.where(np.abs(sizes) <= 1e-10 * scale, 0.0, sizes)
    return lower
