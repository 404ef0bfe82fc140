"""Prediction errors of (beta, b) together: normal with covariance s^2 N, N inverse to the mixed-model equations.

In a generalized model these are the equations of the last Newton step, weighted by the curvature V at the mode, s = 1.

With the elimination of `pls`: beta - beta_hat ~ U^-1, b_t given beta ~ K about -F (beta - beta_hat) with F = K T_tx,
and b_0 given both ~ W about -W A_0 (their errors), A_0 the cross-products of the largest factor with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from ..design.design import Design
from ..families import observed
from ..parameters.predicted import predicted
from ..parameters.values import Parameters
from .at import likelihood_of
from .elimination.dense import root
from .elimination.tail import Tail
from .linear.likelihood import LinearLikelihood, linear_likelihood
from .linear.pls import Solution
from .working.blocks import Block
from .working.gram import Gram

if TYPE_CHECKING:
    from ..model import Model


@dataclass(frozen=True)
class LargestRows:
    """Rows of the largest factor: the level `codes` (n,) of each, its columns `z` (n, k) and W z (n, k)."""

    codes: np.ndarray
    z: np.ndarray
    Wz: np.ndarray


@dataclass(frozen=True)
class EliminatedRows:
    """Rows split into independent errors: of the coefficients by `x` (n, p), of the largest factor, of the tail."""

    x: np.ndarray
    largest: LargestRows | None = None
    tail: sparse.csr_array | None = None


@dataclass(frozen=True)
class JointErrors:
    """Normal prediction errors of a mixed model at its estimates (theta and dispersion held).

    `sigma` is the scale of the equations; `precision` (n,) or None weights the rows, relative to 1 / sigma^2.
    """

    likelihood: LinearLikelihood
    solution: Solution
    estimates: Parameters
    sigma: float
    precision: np.ndarray | None

    def variance(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        """Variance (n,) of x'beta + z'b over the included terms; unknown levels add nothing."""
        rows, U_inverse = self._eliminated(design, terms), self.solution.U_inverse
        total = _quadratic(rows.x, U_inverse)
        if rows.largest is not None:
            total = total + np.einsum("nk,nk->n", rows.largest.z, rows.largest.Wz)
        if rows.tail is not None:
            assert self.solution.rest is not None
            total = total + self.solution.rest.solved.quadratic(rows.tail)
        return self.sigma**2 * total

    def root(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        """F (n, n) with F F' the joint covariance of the n predictors whose variances `variance` gives."""
        return self.sigma * _pivoted(self._relative(design, terms))

    def covariance(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        """The joint covariance (n, n) of the n predictors whose variances `variance` gives."""
        return self.sigma**2 * self._relative(design, terms)

    def with_coefficients(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        """Covariances (n, p) of the n predictors with the coefficients."""
        rows = self._eliminated(design, terms)
        found: np.ndarray = np.linalg.solve(self.likelihood.basis.R, self.solution.U_inverse @ rows.x.T).T
        return self.sigma**2 * found

    @property
    def coefficient_root(self) -> np.ndarray:
        """F (p, p) with F F' the covariance of the coefficients."""
        return self.sigma * self.likelihood.basis.covariance_root(self.solution.U_inverse)

    def _relative(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        rows = self._eliminated(design, terms)
        total: np.ndarray = rows.x @ self.solution.U_inverse @ rows.x.T
        if rows.largest is not None:
            codes, z, Wz = rows.largest.codes, rows.largest.z, rows.largest.Wz
            total += (codes[:, None] == codes) * (z @ Wz.T)
        if rows.tail is not None:
            assert self.solution.rest is not None
            total += rows.tail @ self.solution.rest.solved.apply(rows.tail.toarray().T)
        return total

    def _eliminated(self, design: Design, terms: Sequence[int]) -> EliminatedRows:
        """What rows ask of the coefficients once the effects are eliminated, and of each part of the effects."""
        solution, p = self.solution, self.likelihood.p
        left_x = np.linalg.solve(self.likelihood.basis.R.T, design.mu.X.T).T if p else design.mu.X
        if solution.largest is None:
            return EliminatedRows(left_x)
        columns = [self._columns(design, i, terms) for i in range(len(self.likelihood.blocks))]
        codes, z = columns[0]
        Wz = (solution.largest.W[codes] @ z[:, :, None])[:, :, 0]
        left_x = left_x - np.einsum("nk,nkp->np", Wz, self.likelihood.gram.zw[0][codes][:, :, :p])
        if solution.rest is None:
            return EliminatedRows(left_x, LargestRows(codes, z, Wz))
        rest = solution.rest
        G = _tail_rows(rest.tail, columns[1:], self.likelihood.blocks[1:], codes, Wz)
        left_x = left_x - G @ rest.solved.apply(rest.T_tw[:, :p])
        return EliminatedRows(left_x, LargestRows(codes, z, Wz), G)

    def draw(self, n: int, rng: np.random.Generator) -> Parameters:
        """n draws (1, n, ..) of beta and b from their joint normal; everything else held."""
        return self._assemble(*draw_errors(self.likelihood.gram, self.solution, n, rng, coefficients=True), n)

    def _columns(self, design: Design, block: int, terms: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Codes (n,) and working columns (n, k) of one block, zero for excluded terms and unknown levels."""
        found = self.likelihood.blocks[block]
        codes = design.mu.groups[found.terms[0]].codes
        known = (codes >= 0) & (codes < found.n_levels)
        parts = [
            design.mu.groups[j].Z @ self.likelihood.theta.bases[j] * known[:, None]
            if j in terms
            else np.zeros((len(codes), len(self.likelihood.theta.bases[j])))
            for j in found.terms
        ]
        return np.where(known, codes, 0), np.column_stack(parts)

    def _assemble(self, beta: np.ndarray, blocks: Sequence[np.ndarray], n: int) -> Parameters:
        likelihood, estimates = self.likelihood, self.estimates
        effects = list(estimates.b)
        for block, found in zip(blocks, likelihood.blocks, strict=False):
            for j, where in zip(found.terms, found.slices, strict=True):
                error = self.sigma * (likelihood.theta.bases[j] @ block[:, where])
                effects[j] = estimates.b[j] + error.transpose(2, 0, 1)[None]
        shift = self.sigma * np.linalg.solve(likelihood.basis.R, beta) if len(beta) else beta
        repeated = estimates.take(np.zeros(n, dtype=int))
        coefficients = {**repeated.coefficients, "mu": estimates.beta + shift.T[None]}
        return replace(repeated, coefficients=coefficients, b=tuple(effects))


def draw_errors(
    gram: Gram, solution: Solution, n: int, rng: np.random.Generator, *, coefficients: bool
) -> tuple[np.ndarray, list[np.ndarray]]:
    """n draws of the errors over sigma, in the working bases: of beta (p, n), and of b per block (L, k, n).

    Without `coefficients` beta is held, and its errors are zero.
    """
    p = gram.p
    drawn = coefficients and p
    beta = np.linalg.cholesky(solution.U_inverse) @ rng.standard_normal((p, n)) if drawn else np.zeros((p, n))
    if solution.largest is None:
        return beta, []
    shift = gram.zw[0][:, :, :p] @ beta
    tail: list[np.ndarray] = []
    if solution.rest is not None:
        rest = solution.rest
        b_t = rest.solved.draw(n, rng) - rest.solved.apply(rest.T_tw[:, :p] @ beta)
        shift = shift + (rest.tail.coupling @ b_t).reshape(shift.shape)
        edges = np.cumsum([0, *(z.shape[0] * z.shape[1] for z in gram.zz[1:])])
        pieces = zip(edges[:-1], edges[1:], gram.zz[1:], strict=True)
        tail = [b_t[first:last].reshape(*z.shape[:2], n) for first, last, z in pieces]
    W = solution.largest.W
    return beta, [root(W) @ rng.standard_normal((*W.shape[:2], n)) - W @ shift, *tail]


def joint_errors(
    model: Model, theta: np.ndarray, estimates: Parameters, prior_precision: np.ndarray | None = None
) -> JointErrors:
    """Prediction errors at theta (reported order), with the precision (p, p) of the coefficients' priors if any.

    They outlive the call, so that rows of a likelihood made for them alone are left behind: the solution is enough.
    """
    if model.has_scale:
        likelihood, sigma = likelihood_of(model), float(estimates.dispersion["sigma"][0, 0])
        precision = model.design.weights
    else:
        precision, sigma = _curvature(model, estimates), 1.0
        likelihood = linear_likelihood(replace(model.design, weights=precision), model.covariances)
    solution = likelihood.solve(likelihood.theta.working(theta), invert=True)
    if prior_precision is not None and likelihood.p:
        solution = _with_prior(solution, likelihood.basis.R, sigma**2 * prior_precision)
    return JointErrors(replace(likelihood, rows=None), solution, estimates, sigma, precision)


def _with_prior(solution: Solution, R: np.ndarray, precision: np.ndarray) -> Solution:
    """The solution with a prior's precision beside the rows'; without, where it bends the wrong way."""
    half = np.linalg.solve(R.T, precision)
    total = np.linalg.inv(solution.U_inverse) + np.linalg.solve(R.T, half.T)
    total = 0.5 * (total + total.T)
    return replace(solution, U_inverse=np.linalg.inv(total)) if np.linalg.eigvalsh(total)[0] > 0 else solution


def _curvature(model: Model, estimates: Parameters) -> np.ndarray:
    """V = -d2 log f / d eta2 per row (n,) at the estimates; zero where the weight is."""
    design = model.design
    used = design.used
    eta, dispersion = predicted(model.family, design, estimates).at(used).single()
    V = model.family.derivatives(observed(design, used), eta, dispersion, 2).V
    found = np.zeros(design.n_rows)
    # rows that bend the log-likelihood upwards are counted as saying nothing
    found[used] = np.maximum(V, 1e-12 * max(float(np.max(np.abs(V), initial=0.0)), 1e-300))
    return found


def _tail_rows(
    tail: Tail,
    columns: Sequence[tuple[np.ndarray, np.ndarray]],
    blocks: Sequence[Block],
    codes: np.ndarray,
    Wz: np.ndarray,
) -> sparse.csr_array:
    """What a row's tail coefficients become once the largest factor is eliminated: z_t - A_t0 W z_0, sparse."""
    n, k0 = Wz.shape
    picked = (codes[:, None] * k0 + np.arange(k0)).ravel()
    weights = sparse.csr_array((Wz.ravel(), (np.repeat(np.arange(n), k0), picked)), shape=(n, tail.coupling.shape[0]))
    G = -(weights @ tail.coupling)
    start = 0
    for (levels, z), block in zip(columns, blocks, strict=True):
        where = (start + levels[:, None] * block.k + np.arange(block.k)).ravel()
        entries = (z.ravel(), (np.repeat(np.arange(n), block.k), where))
        G = G + sparse.csr_array(entries, shape=(n, tail.n_columns))
        start += block.n_levels * block.k
    return G.tocsr()


def _pivoted(covariance: np.ndarray) -> np.ndarray:
    """A factor F (n, n) with F F' the covariance, by Cholesky's method with pivots: ranks below n leave zeros."""
    packed, pivots, rank, _ = lapack.dpstrf(covariance, lower=1)
    found = np.zeros_like(covariance)
    found[pivots - 1, :rank] = np.tril(packed)[:, :rank]
    return found


def _quadratic(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.einsum("np,np->n", rows @ matrix, rows)
