"""How well the covariance C of the coefficients is known: its slopes in psi, and the covariance A of psi's estimates.

psi are the free parameters of the covariance and of sigma, D(psi) the deviance or REML criterion with beta profiled out
and sigma not, H its Hessian at the estimates: A = 2 H^-1 (observed information), C(psi) = (X'V^-1 X)^-1. The degrees of
freedom of c'beta match the first two moments of c'Cc to those of a multiple of chi^2,

    df(c) = 2 (c'Cc)^2 / (g'A g),   g = d c'Cc / d psi.

At a stationary point of D they do not depend on which psi is chosen; here it is the x of the fit's criterion.
Sources: Satterthwaite (1946), Biometrics Bulletin 2, 110-114; Giesbrecht & Burns (1985), Biometrics 41, 477-486;
Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Softw. 82(13), section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ..criteria.hessian import central
from ..criteria.with_sigma import SigmaCriterion
from ..criteria.with_sigmas import SigmasCriterion
from ..linear.likelihood import LinearLikelihood
from ..linear.pls import Solution
from ..working.basis import graded_root

STATIONARY = 1e-9  # of a random effect's sd relative to the residual's: its variance is 1e-18 of sigma^2, and held at 0
FLAT = 1e-8  # of the largest eigenvalue of H in units of its own diagonal: the criterion does not bend there
DOWN = -1e-3  # an eigenvalue below it is no rounding of zero: the point is no minimum


@dataclass(frozen=True, eq=False)
class CovarianceSlopes:
    """C and its slopes, and how well psi is known.

    Parameters
    ----------
    R
        (p, p) upper triangular: X = Q R, and C = R^-1 (half half') R^-T.
    half
        (p, q), a root of the covariance of the coefficients of Q.
    slopes
        (m, p, p) d(half half') / d psi, zero where psi is held.
    A
        (m, m), zero where psi is held or the criterion is flat.
    held
        Positions of psi at zero variances, where C does not move to first order.
    flat
        Number of directions without curvature, which were left out.
    excess
        How far the criterion lies above the minimum of its parabola, 0 at a minimum; infinite where it bends down, NaN
        (as A) where it cannot be evaluated nearby.
    """

    R: np.ndarray
    half: np.ndarray
    slopes: np.ndarray
    A: np.ndarray
    held: tuple[int, ...]
    flat: int
    excess: float

    def df(self, rows: np.ndarray) -> np.ndarray:
        """Degrees of freedom (r,) of each of `rows` (r, p) of coefficients of X; infinite where C is known."""
        turned = solve_triangular(self.R, rows.T, trans=1, check_finite=False).T if rows.size else rows
        variance = np.sum((turned @ self.half) ** 2, axis=1)
        g = np.zeros((len(rows), len(self.slopes)))
        for i, slope in enumerate(self.slopes):
            g[:, i] = np.sum((turned @ slope) * turned, axis=1)
        spread = np.einsum("ri,ij,rj->r", g, self.A, g)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isnan(spread) | (spread > 0), 2 * variance**2 / spread, np.inf)


def with_sigma(criterion: SigmaCriterion, x: np.ndarray) -> CovarianceSlopes:
    """Of a model with one sigma, free or known, whose criterion profiles coefficients out; x as the criterion's."""
    likelihood, solution, sigma = criterion.likelihood, criterion.solution(x), criterion.residual_sd(x)
    slopes = sigma**2 * _of_theta(likelihood, solution, x)
    if criterion.held is None:  # x ends with log sigma
        slopes = np.concatenate([slopes, 2 * sigma**2 * solution.U_inverse[None]])
    half = sigma * graded_root(solution.U_inverse)
    return _known(criterion, x, likelihood, half, slopes)


def with_sigmas(criterion: SigmasCriterion, x: np.ndarray) -> CovarianceSlopes:
    """Of a model whose sigma has a predictor."""
    likelihood, solution, rows = criterion.at(x), criterion.solution(x), criterion.rows
    g = criterion.g(x)
    left = rows.marginal(likelihood, solution) @ solution.U_inverse
    weighted = 2 * rows.precisions(g)[:, None] * rows.S  # C moves by the rows of V^-1 X that each sd weighs
    of_sigma = np.stack([left.T @ (column[:, None] * left) for column in weighted.T]) if len(g) else np.zeros((0, 0, 0))
    slopes = np.concatenate([_of_theta(likelihood, solution, x), of_sigma])
    return _known(criterion, x, likelihood, graded_root(solution.U_inverse), slopes, rows.rows.unit)


def _of_theta(likelihood: LinearLikelihood, solution: Solution, x: np.ndarray) -> np.ndarray:
    """d U^-1 / d theta (n_theta, p, p), U = Q'V^-1 Q with V relative to sigma^2.

    d U^-1 = sum over levels of (G_l U^-1)' dSigma (G_l U^-1), G = Z'V^-1 Q.
    """
    theta, p = likelihood.theta, likelihood.p
    found = np.zeros((theta.size, p, p))
    if not p:
        return found
    for block, G in zip(likelihood.blocks, likelihood.fixed_products(solution), strict=True):
        scaled = G @ solution.U_inverse
        for j, columns in zip(block.terms, block.slices, strict=True):
            part = scaled[:, columns]
            size = (len(part) * theta.k(j), p)
            right = (theta.factor(x, j).T @ part).reshape(size)
            halves = [(moved.T @ part).reshape(size).T @ right for moved in theta.factor_slopes(x, j)]
            found[theta.slices[j]] = [half + half.T for half in halves]
    return found


def _known(
    criterion: SigmaCriterion | SigmasCriterion,
    x: np.ndarray,
    likelihood: LinearLikelihood,
    half: np.ndarray,
    slopes: np.ndarray,
    unit: float = 1.0,
) -> CovarianceSlopes:
    """With the curvature of the criterion where psi is free."""
    held = _stationary(likelihood, x, STATIONARY * unit)
    free = np.setdiff1d(np.arange(len(x)), held)
    slopes[held] = 0.0
    A = np.zeros((len(x), len(x)))
    A[np.ix_(free, free)], flat, excess = _information(criterion, x, free)
    return CovarianceSlopes(likelihood.basis.R, half, slopes, A, tuple(int(i) for i in held), flat, excess)


def _stationary(likelihood: LinearLikelihood, x: np.ndarray, small: float) -> np.ndarray:
    """Positions of theta in which Lambda Lambda' does not move: zero columns of Lambda, and what stands for them."""
    theta, found = likelihood.theta, []
    for j, where in theta.slices.items():
        Lambda = theta.factor(x, j)
        for i, moved in zip(range(where.start, where.stop), theta.factor_slopes(x, j), strict=True):
            half = moved @ Lambda.T
            if np.max(np.abs(half + half.T)) <= small * np.max(np.abs(moved)):
                found.append(i)
    return np.array(found, dtype=int)


def _information(
    criterion: SigmaCriterion | SigmasCriterion, x: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, int, float]:
    """2 H^- over the free directions in which H is positive, how many are not, and the excess of the criterion.

    Curvatures are judged in units of the diagonal of H, in which none depends on the size of what it belongs to.
    """
    if not len(free):
        return np.zeros((0, 0)), 0, 0.0
    try:
        H = central(criterion, x, free)[np.ix_(free, free)]
    except np.linalg.LinAlgError:
        return np.full((len(free), len(free)), np.nan), 0, np.nan
    gradient = criterion.value_and_gradient(x)[1][free]
    sizes = np.sqrt(np.abs(np.diag(H)))
    sizes = np.where(sizes > 0, sizes, 1.0)
    values, vectors = np.linalg.eigh(H / np.outer(sizes, sizes))
    bends = values > FLAT * max(values[-1], 0.0)
    half = (vectors[:, bends] / np.sqrt(values[bends])) / sizes[:, None]
    excess = np.inf if values[0] < DOWN else float(np.sum((half.T @ gradient) ** 2)) / 2
    return 2 * half @ half.T, int(np.sum(~bends)), excess
