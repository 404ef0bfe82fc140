"""A linear mixed model whose residual sd has a predictor, log sigma_i = x_i'gamma: exact, its rows rescaled for each.

With precisions V_i = w_i / sigma_i^2 and absolute Lambda (s = 1), M = Lambda'Z'VZ Lambda + I:

    ML    log|M| + sum log(2 pi / V_i) + r^2                              r^2 = e'Ve + u'u at the best beta
    REML  log|M| + log|R_X|^2 + sum log(2 pi / V_i) - p log(2 pi) + r^2   R_X'R_X = X'(V^-1 + Z Lambda Lambda'Z')^-1 X

With h_i the leverage of row i in u (ML) or in (u, beta) (REML), d / d log sigma_i = 2 - 2 h_i - 2 V_i e_i^2.
Source: Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.1, whose variance functions these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ...design.design import Predictor
from ..laplace.curvature import apply, row_variances
from ..laplace.products import Pattern, weighted_gram
from ..laplace.rows import Rows
from ..working.basis import FixedBasis, orthonormal
from ..working.gram import Gram
from .likelihood import LOG_2PI
from .modes import log_det_slopes, modes
from .pls import Solution, solve

FARTHEST = 300.0  # logarithms of sds beyond it, which a line search may try, have no useful exponential


@dataclass(frozen=True)
class Rescaled:
    """The equations at one gamma and Lambda: precisions `V` (n,), cross-products weighted by them, their solution."""

    V: np.ndarray
    gram: Gram
    solution: Solution


@dataclass(frozen=True)
class Heteroscedastic:
    """Rows of positive weight with log sigma = `offset` + `S` g, g = `R_S` gamma the working coefficients.

    `residual` (n,) is what least squares leave of the (normalised) response: y - offset = X beta0 + residual, and
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

    @property
    def W(self) -> np.ndarray:
        """(n, p + 1): [Q, residual]."""
        return np.column_stack([self.rows.Q, self.residual])

    def gamma(self, g: np.ndarray) -> np.ndarray:
        """Coefficients (m,) in the user's columns."""
        return solve_triangular(self.R_S, g) if len(g) else g

    def sds(self, g: np.ndarray) -> np.ndarray:
        """sigma_i (n,), precision weights not in it."""
        return np.exp(np.clip(self.offset + self.S @ g, -FARTHEST, FARTHEST))

    def constant(self, sigma: float) -> np.ndarray:
        """Working coefficients (m,) whose sds are nearest to one sigma."""
        return self.S.T @ (np.log(sigma) - self.offset) / self.n

    def solve(self, factors: Sequence[np.ndarray], g: np.ndarray) -> Rescaled:
        """Penalised least squares at Lambda of each block and g, with what gradients and modes need.

        Raises
        ------
        numpy.linalg.LinAlgError
            Where a matrix is not positive definite in floating point.
        """
        V = self.sds(g) ** -2.0
        if self.rows.observed.weights is not None:
            V = V * self.rows.observed.weights
        W = self.W
        weighted = W * V[:, None]
        gram = weighted_gram(self.rows, V, weighted, W.T @ weighted)
        tail = None if self.pattern is None else self.pattern.filled(self.rows, gram)
        return Rescaled(V, gram, solve(gram, tail, factors, invert=True))

    def criterion(self, at: Rescaled, solution: Solution, *, reml: bool) -> float:
        """Deviance or REML criterion with all constants; `solution` may be at other coefficients than the best."""
        df = self.n - self.p if reml else self.n
        value = solution.log_det_M - float(np.sum(np.log(at.V))) + df * LOG_2PI + solution.rss - 2 * self.log_jacobian
        return value + solution.log_det_U + self.basis.log_det if reml else value

    def slopes_in_factors(
        self, at: Rescaled, solution: Solution, factors: Sequence[np.ndarray], *, reml: bool
    ) -> list[np.ndarray]:
        """d criterion / d Lambda (k, k) of each block (envelope theorem)."""
        Ze = modes(at.gram, solution).Ze
        slopes = log_det_slopes(at.gram, solution, reml)
        return [slope - 2 * z.T @ (z @ Lambda) for slope, z, Lambda in zip(slopes, Ze, factors, strict=True)]

    def slopes_in_g(self, at: Rescaled, solution: Solution, *, reml: bool) -> np.ndarray:
        """d criterion / d g (m,)."""
        h = at.V * self.variances(at, solution, coefficients=reml)
        return 2 * self.S.T @ (1 - h - at.V * self.errors(at, solution) ** 2)

    def errors(self, at: Rescaled, solution: Solution) -> np.ndarray:
        """e (n,) = y - X beta - Z b at the solution's coefficients."""
        fitted = self.rows.Q @ solution.beta
        for rows, b in zip(self.rows.block_rows, modes(at.gram, solution).b, strict=True):
            fitted = fitted + rows.spread(b)
        return self.residual - fitted

    def variances(self, at: Rescaled, solution: Solution, *, coefficients: bool) -> np.ndarray:
        """Conditional variance (n,) of z'b given the coefficients; with `coefficients` that of x'beta + z'b."""
        within = row_variances(self.rows, self.pattern, at.gram, solution)
        if not coefficients or not self.p:
            return within
        left = self.rows.Q.copy()
        shares = apply(solution, [zw[:, :, : self.p] for zw in at.gram.zw])
        for rows, share in zip(self.rows.block_rows, shares, strict=True):
            for j in range(self.p):
                left[:, j] -= rows.spread(share[:, :, j])
        return within + np.einsum("np,np->n", left @ solution.U_inverse, left)

    def information(self, at: Rescaled) -> np.ndarray:
        """A guess of the curvature (m, m) of the criterion in g: expected, rows' own shares of it alone."""
        left = 1 - np.minimum(at.V * self.variances(at, at.solution, coefficients=True), 1.0)
        return 4 * (self.S * left[:, None] ** 2).T @ self.S


def heteroscedastic(rows: Rows, pattern: Pattern | None, predictor: Predictor, keep: np.ndarray) -> Heteroscedastic:
    """The rows of a normal model with the predictor of log sigma.

    Parameters
    ----------
    rows, pattern
        Those of the mean, for rows of positive weight.
    predictor
        That of log sigma, for all rows.
    keep
        (n_rows,) bool, the rows of positive weight.
    """
    y, family = rows.observed.y, rows.family
    residual, coefficients = family.normalised(y) - rows.offset, np.zeros(rows.p)
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
        log_jacobian=float(np.sum(family.log_jacobian(y))),
    )
