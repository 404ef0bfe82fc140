"""Kenward and Roger's covariance of the coefficients of a REML fit, and what tests of them are referred to.

V = sum gamma_r G_r, linear in gamma; everything is unchanged when gamma is, linearly. In place of sigma^2, whose G is
the identity, gamma scales all of V: then V^-1 G = I, and nothing is found as a difference of large numbers.

    P_r = -X'V^-1 G_r V^-1 X      Q_rs = X'V^-1 G_r V^-1 G_s V^-1 X      Phi = (X'V^-1 X)^-1
    I_rs = 1/2 [tr(V^-1 G_r V^-1 G_s) - 2 tr(Phi Q_rs) + tr(Phi P_r Phi P_s)],  W = I^-1
    Phi_A = Phi + 2 Phi [sum W_rs (Q_rs - P_r Phi P_s)] Phi

Source: Kenward & Roger (1997), Biometrics 53, 983-997; the expected information as Halekoh & Hojsgaard (2014), J. Stat.
Softw. 59(9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ..linear.likelihood import LinearLikelihood
from ..working.basis import root
from ..working.blocks import Block
from ..working.gram import Gram
from .marginal_products import MarginalProducts, marginal_products, smallest_tail, uncorrelated
from .tail_products import Direction

DEPENDENT = 1e-10  # of a row in units of its standard error: what is left of it after others where it depends on them
TOLD_APART = 1e-9  # of an information whose traces are 1: less is the rounding of what X or other variances explain


@dataclass(frozen=True)
class Ways:
    """In which ways V moves: `directions` in the working columns of `blocks`, and with `scaled` all of V by a factor.

    `blocks` and `gram` are the likelihood's, the block first whose elimination leaves the smallest tail.
    """

    blocks: tuple[Block, ...]
    gram: Gram
    directions: tuple[Direction, ...]
    scaled: bool


def ways(likelihood: LinearLikelihood, scaled: bool) -> Ways:
    """The ways of a model whose structures all have a `span`; `scaled` where sigma is estimated."""
    blocks, gram = smallest_tail(likelihood)
    found = []
    for i, block in enumerate(blocks):
        for j, columns in zip(block.terms, block.slices, strict=True):
            span = likelihood.theta.covariances[j].span(likelihood.theta.k(j))
            assert span is not None  # the caller has asked
            for E in span:
                whole = np.zeros((block.k, block.k))
                whole[columns, columns] = E
                found.append(Direction(i, whole))
    return Ways(blocks, gram, tuple(found), scaled)


@dataclass(frozen=True)
class SmallSample:
    """What the covariance of coefficients gains, and how well it is known.

    `plain` (p, p) F with F F' = Phi, `adjusted` (p, p) the same of Phi_A, both in the user's columns over sigma;
    `slopes` F'P_r F (R, p, p); `W` (R, R) the covariance of gamma; `held` how many directions of gamma the data do not
    tell apart; `lost` about the relative error of all.
    """

    plain: np.ndarray
    adjusted: np.ndarray
    slopes: np.ndarray
    W: np.ndarray
    held: int
    lost: float

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """A2 (m,) of each row of `rows` (m, p) by itself: twice the inverse of its degrees of freedom."""
        half = rows @ self.plain
        with np.errstate(invalid="ignore", divide="ignore"):
            half = half / np.linalg.norm(half, axis=1, keepdims=True)
        moved = np.einsum("mi,rij,mj->mr", half, self.slopes, half, optimize=True)
        return np.einsum("mr,rs,ms->m", moved, self.W, moved)

    def independent(self, rows: np.ndarray) -> np.ndarray:
        """T (l, m) with T LPhiL' T' = I for L = `rows` (m, p) of rank l: rows that depend on others count once."""
        half = rows @ self.plain
        sizes = np.linalg.norm(half, axis=1)
        scale = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
        left, values, _ = np.linalg.svd(half * scale[:, None], full_matrices=False)
        rank = int(np.sum(values > DEPENDENT * np.sqrt(len(rows))))
        return (left[:, :rank] / values[:rank]).T * scale

    def moments(self, rows: np.ndarray) -> tuple[float, float]:
        """A1 and A2 of Kenward & Roger (1997), p. 988, of `rows` (l, p) with L Phi L' = I."""
        half = rows @ self.plain
        turned = half @ self.slopes @ half.T
        traces = np.trace(turned, axis1=1, axis2=2)
        flat = turned.reshape(len(turned), -1)
        return float(traces @ self.W @ traces), float(np.sum(self.W * (flat @ flat.T)))


def small_sample(likelihood: LinearLikelihood, working: np.ndarray, ways: Ways) -> SmallSample:
    """Kenward and Roger's adjustment at a working theta.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where a matrix is not positive definite in floating point.
    """
    found = [_principal(likelihood, working, block) for block in ways.blocks]
    turns, sds = [turn for turn, _ in found], [each for _, each in found]
    products = marginal_products(ways.blocks, uncorrelated(ways.gram, turns), sds)
    U = _precision(likelihood, ways.blocks, products, turns, sds)
    directions = [Direction(i, turns[i].T @ E @ turns[i]) for i, E in ways.directions]
    F = np.linalg.inv(np.linalg.cholesky(U)).T
    traces, slopes, curvatures = _whitened(products, directions, likelihood.n if ways.scaled else 0, F)
    squares = np.einsum("rij,sjk->rsik", slopes, slopes)
    information = 0.5 * (traces + np.trace(squares - 2 * curvatures, axis1=2, axis2=3))
    W, held = _inverse(information, np.sqrt(np.diag(traces)))
    gained = np.einsum("rs,rsij->ij", W, curvatures - squares)
    gained = np.eye(len(F)) + gained + gained.T
    return SmallSample(
        plain=_in_columns(likelihood, F),
        adjusted=_in_columns(likelihood, F @ root(gained)),
        slopes=slopes,
        W=W,
        held=held,
        lost=products.lost,
    )


def _principal(likelihood: LinearLikelihood, working: np.ndarray, block: Block) -> tuple[np.ndarray, np.ndarray]:
    """How to turn the columns of a block (k, k) so that its effects are uncorrelated, and their sds (k,) then."""
    turn, sds = np.zeros((block.k, block.k)), np.zeros(block.k)
    for j, columns in zip(block.terms, block.slices, strict=True):
        turn[columns, columns], sds[columns], _ = np.linalg.svd(likelihood.theta.factor(working, j))
    return turn, sds


def _precision(
    likelihood: LinearLikelihood,
    blocks: Sequence[Block],
    products: MarginalProducts,
    turns: Sequence[np.ndarray],
    sds: Sequence[np.ndarray],
) -> np.ndarray:
    """Q'V^-1 Q (p, p) as R'V R with R = V^-1 Q, row by row, and V = I + Z Sigma Z': sums of squares.

    What is left of Q'Q when effects have explained most of it would be rounding.
    """
    rows = likelihood.rows
    assert rows is not None  # which the likelihood of a model keeps
    columns_of = {block.factor: Z for block, Z in zip(likelihood.blocks, rows.Z, strict=True)}
    R, squares = rows.W[:, : products.p].copy(), np.zeros((products.p, products.p))
    for block, X, turn, s in zip(blocks, products.X, turns, sds, strict=True):
        columns = columns_of[block.factor] @ turn
        for a, sd in enumerate(s):
            R -= columns[:, a, None] * (sd**2 * X[:, a])[block.codes]
            squares += (sd * X[:, a]).T @ (sd * X[:, a])
    return R.T @ R + squares


def _whitened(
    products: MarginalProducts, directions: Sequence[Direction], n: int, F: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """tr(V^-1 G_r V^-1 G_s), F'P_r F and F'Q_rs F, F F' = Phi.

    With `n` rows a factor of all of V comes last, whose V^-1 G is I and whose P is -Phi^-1; with none it is known.
    """
    p, count = len(F), len(directions)
    total = count + (n > 0)
    traces, slopes, curvatures = np.zeros((total, total)), np.zeros((total, p, p)), np.zeros((total, total, p, p))
    slopes[:count] = F.T @ products.slopes(directions) @ F
    traces[:count, :count] = products.traces(directions)
    curvatures[:count, :count] = F.T @ products.curvatures(directions) @ F
    if n > 0:
        traces[-1, :count] = traces[:count, -1] = products.first_traces(directions)
        traces[-1, -1] = n
        slopes[-1] = -np.eye(p)
        curvatures[-1], curvatures[:, -1] = -slopes, -slopes
    return traces, slopes, curvatures


def _inverse(information: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, int]:
    """W (R, R) and how many directions are left out of it, in which there is no information beside `sizes` (R,)."""
    scale = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    values, vectors = np.linalg.eigh(0.5 * (information + information.T) * np.outer(scale, scale))
    known = values > TOLD_APART
    half = scale[:, None] * vectors[:, known] / np.sqrt(values[known])
    return half @ half.T, int(np.sum(~known))


def _in_columns(likelihood: LinearLikelihood, half: np.ndarray) -> np.ndarray:
    """A root (p, p) of a covariance of the coefficients of Q as one of those of X."""
    return np.asarray(solve_triangular(likelihood.basis.R, half))
