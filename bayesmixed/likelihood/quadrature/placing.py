"""Where nodes go and how they move: placed by modes and curvature, both of which follow the parameters.

What a sum over nodes says about the modes and the curvature is carried back to the parameters by the same adjoint
solve that gives Laplace's gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...families import MAIN
from ..laplace.approximation import Curved
from ..laplace.curvature import apply
from ..laplace.rows import BlockRows, Rows


@dataclass(frozen=True)
class Grid:
    """A tensor grid of Gauss-Hermite nodes: `z` (J, k), and `log_w` (J,) the log weights over the normal density."""

    z: np.ndarray
    log_w: np.ndarray

    @classmethod
    def of(cls, nodes: int, k: int) -> Grid:
        """`nodes` a dimension, exact for a normal density times a polynomial of degree 2 nodes - 1."""
        z, w = np.polynomial.hermite_e.hermegauss(nodes)
        with np.errstate(divide="ignore"):  # the outermost of a hundred nodes weigh nothing
            log_w = np.log(w / w.sum()) + 0.5 * z**2
        axes = np.meshgrid(*[np.arange(nodes)] * k, indexing="ij")
        index = np.stack([axis.ravel() for axis in axes], axis=1)
        return cls(z[index], log_w[index].sum(axis=1))


@dataclass(frozen=True)
class Placement:
    """Nodes u = centre + half z per level: `centre` (L, k), `half` = C'^-1 (L, k, k) for the Hessian M = C C'."""

    centre: np.ndarray
    half: np.ndarray
    log_det: np.ndarray  # (L,) of M

    @classmethod
    def of(cls, centre: np.ndarray, M: np.ndarray) -> Placement:
        """Nodes for the Hessians M (L, k, k).

        Raises
        ------
        numpy.linalg.LinAlgError
            Where one is not positive definite.
        """
        C = np.linalg.cholesky(M)
        half = np.linalg.inv(C).transpose(0, 2, 1)
        return cls(centre, half, 2 * np.log(np.diagonal(C, axis1=1, axis2=2)).sum(axis=1))

    def at(self, z: np.ndarray) -> np.ndarray:
        """The nodes (c, L, k) for z (c, k)."""
        return self.centre + np.einsum("lab,cb->cla", self.half, z)

    def slope(self, P: np.ndarray) -> np.ndarray:
        """d F / d M (L, k, k), symmetric, of F = -log|M| / 2 + a function of the nodes.

        P (L, k, k) is the sum over nodes of z s', s the function's derivative in a node (the adjoint of Cholesky's
        factorisation: Murray 2016, arXiv:1602.07527, eq. 10).
        """
        low = -np.tril(P @ self.half)
        k = low.shape[1]
        low[:, np.arange(k), np.arange(k)] *= 0.5
        middle = 0.5 * (low + low.transpose(0, 2, 1)) - 0.5 * np.eye(k)
        return self.half @ middle @ self.half.transpose(0, 2, 1)


@dataclass(frozen=True)
class Moved:
    """The adjoint of the modes: `zeta` (n,) what a row's predictor says through them, `spread` = Z Lambda a, `a`.

    With t (n,) the derivative in the predictor at the mode and r (L, k) that in u itself, a = M^-1 (r + Lambda'Z't)
    and zeta = t - V Z Lambda a.
    """

    curved: Curved
    zeta: np.ndarray
    spread: np.ndarray
    a: tuple[np.ndarray, ...]

    def through(self, name: str, h: np.ndarray) -> np.ndarray:
        """The part (n,) of the derivative in another parameter that comes through the modes and, by h (n,), through V.

        h is the derivative in a row's curvature.
        """
        d = self.curved.derivatives
        return h * d.third(MAIN, MAIN, name) - self.spread * d.curvature(MAIN, name)

    def factor_slopes(self, i: int, rows: BlockRows) -> np.ndarray:
        """The part (L, k, k) of the derivative in Lambda of block i that comes through the modes, by level."""
        left, right = rows.sums(self.zeta), rows.sums(self.curved.derivatives.g)
        return left[:, :, None] * self.curved.mode.u[i][:, None] + right[:, :, None] * self.a[i][:, None]


def moved(
    rows: Rows, curved: Curved, factors: Sequence[np.ndarray], t: np.ndarray, r: Sequence[np.ndarray] | None = None
) -> Moved:
    """Carry derivatives at the mode back: t (n,) in the rows' predictors, r per block (L, k) in u (zero if None)."""
    V, blocks = curved.derivatives.V, range(len(rows.blocks))
    # M^-1 r = r - M^-1 Lambda'Z'VZ Lambda r: Lambda may be singular
    lifts = None if r is None else [part @ Lambda.T for part, Lambda in zip(r, factors, strict=True)]
    inner = t if lifts is None else t - V * _spread(rows, lifts)
    alpha = apply(curved.solution, [rows.block_rows[i].sums(inner) for i in blocks])
    if lifts is not None:
        alpha = [part + lift for part, lift in zip(alpha, lifts, strict=True)]
    spread = _spread(rows, alpha)
    zeta = t - V * spread
    a = [rows.block_rows[i].sums(zeta) @ factors[i] for i in blocks]
    if r is not None:
        a = [part + own for part, own in zip(a, r, strict=True)]
    return Moved(curved, zeta, spread, tuple(a))


def _spread(rows: Rows, b: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros(rows.n)
    for block, part in zip(rows.block_rows, b, strict=True):
        total += block.spread(part)
    return total
