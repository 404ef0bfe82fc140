"""Prediction errors of (beta, b) together: normal with covariance sigma^2 N, N the inverse of the mixed-model equations.

With the elimination of `pls`: beta - beta_hat ~ U^-1, b_t given beta ~ K about -F (beta - beta_hat) with F = K T_tx,
and b_0 given both ~ W about -W A_0 (their errors), A_0 the cross-products of the largest factor with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from ..formula.design import Design
from ..parameters import Parameters
from .at import likelihood_of
from .effects import multiply
from .linear import LinearLikelihood
from .pls import Solution

if TYPE_CHECKING:
    from ..model import Model

CHUNK = 2**22  # elements of a dense chunk of rows x tail columns


@dataclass(frozen=True)
class JointErrors:
    """Normal prediction errors of a linear mixed model at its estimates (theta and sigma held)."""

    likelihood: LinearLikelihood
    solution: Solution
    estimates: Parameters

    @property
    def sigma(self) -> float:
        """Residual standard deviation at the estimates."""
        return float(self.estimates.dispersion["sigma"][0, 0])

    def variance(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        """Variance (n,) of x'beta + z'b over the included terms; unknown levels add nothing."""
        solution, p = self.solution, self.likelihood.p
        rest_x = np.linalg.solve(self.likelihood.basis.R.T, design.mu.X.T).T if p else design.mu.X
        total = np.zeros(design.n_rows)
        if solution.W is None:
            return self.sigma**2 * _quadratic(rest_x, solution.U_inverse)
        columns = [self._columns(design, i, terms) for i in range(len(self.likelihood.blocks))]
        codes, z = columns[0]
        known = np.maximum(codes, 0)
        Wz = (solution.W[known] @ z[:, :, None])[:, :, 0]
        total += np.einsum("nk,nk->n", z, Wz)
        rest_x = rest_x - np.einsum("nk,nkp->np", Wz, self.likelihood.gram.zw[0][known][:, :, :p])
        if self.likelihood.tail is not None:
            G = self._tail_rows(design.n_rows, columns[1:], known, Wz)
            K = self._sparse(solution.K)
            total += _sparse_quadratic(G, K)
            rest_x = rest_x - G @ multiply(self.likelihood.tail, solution.K, solution.T_tw[:, :p])
        return self.sigma**2 * (total + _quadratic(rest_x, solution.U_inverse))

    def draw(self, n: int, rng: np.random.Generator) -> Parameters:
        """n draws (1, n, ..) of beta and b from their joint normal; everything else held."""
        likelihood, solution, p = self.likelihood, self.solution, self.likelihood.p
        beta = np.linalg.cholesky(solution.U_inverse) @ rng.standard_normal((p, n)) if p else np.zeros((0, n))
        blocks: list[np.ndarray] = []
        if solution.W is not None:
            shift = likelihood.gram.zw[0][:, :, :p] @ beta
            tail: list[np.ndarray] = []
            if likelihood.tail is not None:
                b_t = self._draw_tail(beta, n, rng)
                shift = shift + (likelihood.tail.coupling @ b_t).reshape(shift.shape)
                edges = np.cumsum([0, *(z.shape[0] * z.shape[1] for z in likelihood.gram.zz[1:])])
                tail = [
                    b_t[a:b].reshape(*z.shape[:2], n)
                    for a, b, z in zip(edges[:-1], edges[1:], likelihood.gram.zz[1:], strict=True)
                ]
            noise = _root(solution.W) @ rng.standard_normal((*solution.W.shape[:2], n))
            blocks = [noise - solution.W @ shift, *tail]
        return self._assemble(beta, blocks, n)

    def _columns(self, design: Design, block: int, terms: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Codes (n,) and working columns (n, k) of one block, zero for excluded terms and unknown levels."""
        found = self.likelihood.blocks[block]
        codes = design.groups[found.terms[0]].codes
        known = (codes >= 0) & (codes < found.n_levels)
        parts = [
            design.groups[j].Z @ self.likelihood.term_bases[j] * known[:, None]
            if j in terms
            else np.zeros((len(codes), len(self.likelihood.term_bases[j])))
            for j in found.terms
        ]
        return np.where(known, codes, 0), np.column_stack(parts)

    def _tail_rows(
        self, n: int, columns: Sequence[tuple[np.ndarray, np.ndarray]], known: np.ndarray, Wz: np.ndarray
    ) -> sparse.csr_array:
        tail = self.likelihood.tail
        k0 = Wz.shape[1]
        rows = np.repeat(np.arange(n), k0)
        picked = (known[:, None] * k0 + np.arange(k0)).ravel()
        weights = sparse.csr_array((Wz.ravel(), (rows, picked)), shape=(n, tail.coupling.shape[0]))
        G = -(weights @ tail.coupling)
        start = 0
        for (codes, z), block in zip(columns, self.likelihood.blocks[1:], strict=True):
            where = (start + codes[:, None] * block.k + np.arange(block.k)).ravel()
            entries = (z.ravel(), (np.repeat(np.arange(n), block.k), where))
            G = G + sparse.csr_array(entries, shape=(n, tail.n_columns))
            start += block.n_levels * block.k
        return G.tocsr()

    def _sparse(self, flat: np.ndarray) -> sparse.csr_array | np.ndarray:
        tail = self.likelihood.tail
        if len(tail.batches) == 1 and tail.batches[0].count == 1:
            return flat.reshape(tail.n_columns, tail.n_columns)
        rows, columns, values = [], [], []
        for batch in tail.batches:
            shape = (batch.count, batch.size, batch.size)
            rows.append(np.broadcast_to(batch.members[:, :, None], shape).ravel())
            columns.append(np.broadcast_to(batch.members[:, None, :], shape).ravel())
            values.append(batch.view(flat).ravel())
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.csr_array(entries, shape=(tail.n_columns,) * 2)

    def _draw_tail(self, beta: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        tail, solution, p = self.likelihood.tail, self.solution, self.likelihood.p
        drawn = np.empty((tail.n_columns, n))
        for batch in tail.batches:
            noise = rng.standard_normal((batch.count, batch.size, n))
            drawn[batch.members] = _root(batch.view(solution.K)) @ noise
        return drawn - multiply(tail, solution.K, solution.T_tw[:, :p] @ beta)

    def _assemble(self, beta: np.ndarray, blocks: Sequence[np.ndarray], n: int) -> Parameters:
        likelihood, estimates = self.likelihood, self.estimates
        effects = list(estimates.b)
        for block, found in zip(blocks, likelihood.blocks, strict=False):
            for j, where in zip(found.terms, found.slices, strict=True):
                error = self.sigma * (likelihood.term_bases[j] @ block[:, where])
                effects[j] = estimates.b[j] + error.transpose(2, 0, 1)[None]
        shift = self.sigma * np.linalg.solve(likelihood.basis.R, beta) if len(beta) else beta
        return Parameters(
            beta=estimates.beta + shift.T[None],
            b=tuple(effects),
            sds=tuple(np.repeat(sd, n, axis=1) for sd in estimates.sds),
            corrs=tuple(None if c is None else np.repeat(c, n, axis=1) for c in estimates.corrs),
            dispersion={name: np.repeat(value, n, axis=1) for name, value in estimates.dispersion.items()},
        )


def joint_errors(model: Model, theta: np.ndarray, estimates: Parameters) -> JointErrors:
    """Prediction errors at theta (reported order)."""
    likelihood = likelihood_of(model)
    return JointErrors(likelihood, likelihood.solve(likelihood.working(theta), invert=True), estimates)


def _quadratic(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.einsum("np,np->n", rows @ matrix, rows)


def _sparse_quadratic(G: sparse.csr_array, K: sparse.csr_array | np.ndarray) -> np.ndarray:
    step = max(1, CHUNK // K.shape[0])
    parts = []
    for first in range(0, G.shape[0], step):
        rows = G[first : first + step]
        parts.append(np.asarray(rows.multiply(rows @ K).sum(axis=1)).ravel())
    return np.concatenate(parts) if parts else np.zeros(0)


def _root(matrices: np.ndarray) -> np.ndarray:
    """Square roots of positive semi-definite matrices (zero variances included)."""
    values, vectors = np.linalg.eigh(matrices)
    return vectors * np.sqrt(np.clip(values, 0.0, None))[..., None, :]
