"""A linear mixed model whose residual sd has a predictor, log sigma_i = x_i'gamma: exact, its rows rescaled for each.

With precisions V_i = w_i / sigma_i^2 and absolute Lambda (s = 1), M = Lambda'Z'VZ Lambda + I:

    ML    log|M| + sum log(2 pi / V_i) + r^2                              r^2 = e'Ve + u'u at the best beta
    REML  log|M| + log|R_X|^2 + sum log(2 pi / V_i) - p log(2 pi) + r^2   R_X'R_X = X'(V^-1 + Z Lambda Lambda'Z')^-1 X

With h_i the leverage of row i in u (ML) or in (u, beta) (REML), d / d log sigma_i = 2 - 2 h_i - 2 V_i e_i^2.
Source: Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.1, whose variance functions these are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from ...design.design import Predictor
from ..laplace.curvature import apply, row_variances
from ..laplace.products import Pattern, weighted_gram
from ..laplace.rows import Rows
from ..working.basis import FixedBasis, orthonormal
from .likelihood import LinearLikelihood
from .modes import modes
from .pls import Solution

FARTHEST = 300.0  # logarithms of sds beyond it, which a line search may try, have no useful exponential


@dataclass(frozen=True)
class Heteroscedastic:
    """Rows of positive weight with log sigma = `offset` + `S` g, g = `R_S` gamma the working coefficients.

    `residual` (n,) is what least squares leave of the response: y - offset = X beta0 + residual, and
    X = Q R, as `basis` says; the columns of S (n, m) are orthogonal with mean square 1. `log_jacobian` is part of log L
    where the normal response is a function of the one observed.
    """

    rows: Rows
    pattern: Pattern | None
    basis: FixedBasis
    residual: np.ndarray
    S: np.ndarray
    R_S: np.ndarray
    offset: np.ndarray
    log_jacobian: float

    @property
    def n(self) -> int:
        """Rows of positive weight."""
        return self.rows.n

    @property
    def p(self) -> int:
        """Number of fixed effects of the mean."""
        return self.rows.p

    def gamma(self, g: np.ndarray) -> np.ndarray:
        """Coefficients (m,) in the user's columns."""
        return solve_triangular(self.R_S, g) if len(g) else g

    def sds(self, g: np.ndarray) -> np.ndarray:
        """sigma_i (n,), precision weights not in it."""
        return np.exp(np.clip(self.offset + self.S @ g, -FARTHEST, FARTHEST))

    def constant(self, sigma: float) -> np.ndarray:
        """Working coefficients (m,) whose sds are nearest to one sigma."""
        return self.S.T @ (np.log(sigma) - self.offset) / self.n

    def precisions(self, g: np.ndarray) -> np.ndarray:
        """V (n,), precision weights in it."""
        return self._precisions(self.sds(g))

    def at(self, g: np.ndarray) -> LinearLikelihood:
        """The rows at g: a linear model whose sigma is held at 1 and whose Lambda is absolute."""
        return self.at_sds(self.sds(g))

    def at_sds(self, sds: np.ndarray) -> LinearLikelihood:
        """The same for any sds (n,)."""
        V, W = self._precisions(sds), np.column_stack([self.rows.Q, self.residual])
        weighted = W * V[:, None]
        products = replace(weighted_gram(self.rows, V, weighted, W.T @ weighted), log_weights=float(np.sum(np.log(V))))
        tail = None if self.pattern is None else self.pattern.filled(self.rows, products)
        return LinearLikelihood(self.rows.blocks, products, tail, self.basis, self.rows.theta, self.log_jacobian)

    def _precisions(self, sds: np.ndarray) -> np.ndarray:
        V = sds**-2.0
        return V if self.rows.observed.weights is None else V * self.rows.observed.weights

    def slopes(self, g: np.ndarray, at: LinearLikelihood, solution: Solution, *, reml: bool) -> np.ndarray:
        """d criterion / d g (m,) at a solution of the equations at g, with its inverse."""
        V = self.precisions(g)
        h = V * self.variances(at, solution, coefficients=reml)
        return 2 * self.S.T @ (1 - h - V * self.errors(at, solution) ** 2)

    def errors(self, at: LinearLikelihood, solution: Solution) -> np.ndarray:
        """e (n,) = y - X beta - Z b at the solution's coefficients."""
        fitted = self.rows.Q @ solution.beta
        for rows, b in zip(self.rows.block_rows, modes(at.gram, solution).b, strict=True):
            fitted = fitted + rows.spread(b)
        return self.residual - fitted

    def variances(self, at: LinearLikelihood, solution: Solution, *, coefficients: bool) -> np.ndarray:
        """Conditional variance (n,) of z'b given the coefficients; with `coefficients` that of x'beta + z'b."""
        within = row_variances(self.rows, self.pattern, at.gram, solution)
        if not coefficients or not self.p:
            return within
        left = self.marginal(at, solution)
        return within + np.einsum("np,np->n", left @ solution.U_inverse, left)

    def marginal(self, at: LinearLikelihood, solution: Solution) -> np.ndarray:
        """V^-1 Q (n, p) over the precisions of the rows, V the marginal covariance: what effects leave of Q."""
        left = self.rows.Q.copy()
        shares = apply(solution, [zw[:, :, : self.p] for zw in at.gram.zw])
        for rows, share in zip(self.rows.block_rows, shares, strict=True):
            for j in range(self.p):
                left[:, j] -= rows.spread(share[:, :, j])
        return left

    def information(self, g: np.ndarray, at: LinearLikelihood, solution: Solution) -> np.ndarray:
        """A guess of the curvature (m, m) of the criterion in g: expected, what rows say by themselves alone."""
        left = 1 - np.minimum(self.precisions(g) * self.variances(at, solution, coefficients=True), 1.0)
        return 4 * (self.S * left[:, None] ** 2).T @ self.S


def heteroscedastic(
    rows: Rows, pattern: Pattern | None, predictor: Predictor, keep: np.ndarray, log_jacobian: float = 0.0
) -> Heteroscedastic:
    """The rows of a normal model with the predictor of log sigma.

    Parameters
    ----------
    rows, pattern
        Those of the mean, for rows of positive weight.
    predictor
        That of log sigma, for all rows.
    keep
        (n_rows,) bool, the rows of positive weight.
    log_jacobian
        Part of log L where the response is a function of the one observed.
    """
    residual, coefficients = rows.observed.y - rows.offset, np.zeros(rows.p)
    for _ in range(2):  # as in `fixed_basis`: the second pass leaves an error of the size of the residual's
        step = rows.Q.T @ residual / (rows.n * rows.unit**2)
        residual = residual - rows.Q @ step
        coefficients += step
    beta0 = solve_triangular(rows.R, coefficients) if rows.p else coefficients
    S, R_S = orthonormal(predictor.X[keep])
    root = np.sqrt(rows.n)
    return Heteroscedastic(
        rows=rows,
        pattern=pattern,
        basis=FixedBasis(rows.R, beta0),
        residual=residual,
        S=S * root,
        R_S=R_S / root,
        offset=predictor.offset[keep],
        log_jacobian=log_jacobian,
    )
