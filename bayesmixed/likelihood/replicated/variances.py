"""How large, and how well known, are the variances of linear functions of the coefficients, for many responses?

The degrees of freedom of `small_sample.satterthwaite`, whose sources these are, with a leading axis. They do not depend
on how the variance parameters are written, so sigma is measured from its best value at each theta: then the Hessian of
the criterion is that of the profiled one, which a search minimises, beside 4 (n - p) for log sigma (n by ML).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ..criteria.hessian import FAR, HUNDREDTH
from ..small_sample.satterthwaite import FLAT, STATIONARY
from .criterion import ManyCriteria

NEAR = 1e-6  # of an element of theta: only where one is so small is a covariance singular
AGREE = 1e-8  # relative: degrees of freedom of the rows of a joint test that are the same


@dataclass(frozen=True, eq=False)
class ManyVariances:
    """Of the estimates of R linear functions, B responses each.

    `covariance` (B, R, R), `slopes` (B, m, R, R) of it in theta, `A` (B, m, m) the covariance of theta's estimates, and
    `residual` the degrees of freedom that sigma has at a given theta, infinite where it is known.
    """

    covariance: np.ndarray
    slopes: np.ndarray
    A: np.ndarray
    residual: float

    def test(self, values: np.ndarray, where: slice, df: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """F (B,) of the joint test that some functions, with estimates `values` (B, r), are zero, and its df (B,).

        `df` replaces Satterthwaite's where it is given.
        """
        V, slopes = self.covariance[:, where, where], self.slopes[:, :, where, where]
        with np.errstate(divide="ignore", invalid="ignore"):
            d, P = np.linalg.eigh(np.where(np.isfinite(V), V, np.eye(V.shape[-1])))
            d = np.where(np.isfinite(V[:, 0, :1]), d, np.nan)
            statistic = np.mean(np.einsum("brq,br->bq", P, values) ** 2 / d, axis=1)
            if df is not None:
                return statistic, np.full(len(V), df)
            g = np.einsum("brq,bmrs,bsq->bqm", P, slopes, P)
            spread = np.einsum("bqm,bmn,bqn->bq", g, self.A, g) + 2 * d**2 / self.residual
            found = np.where(spread == 0, np.inf, 2 * d**2 / spread)
        return statistic, many_together(found)


def many_together(df: np.ndarray) -> np.ndarray:
    """Denominator degrees of freedom (B,) of the mean of independent squares of t on df (B, q).

    Fai & Cornelius (1996), J. Stat. Comput. Simul. 54, 363-378.
    """
    first, q = df[:, 0], df.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        more = np.sum(2 / (df - 2), axis=1)
        found = np.where(np.any(df <= 2, axis=1), 2.0, 2 * (q + more) / more)
        same = np.all(np.isinf(df), axis=1) | np.all(np.abs(df - df[:, :1]) <= AGREE * np.abs(df[:, :1]), axis=1)
    return np.where(same, first, np.where(np.any(np.isnan(df), axis=1), np.nan, found))


def variances_alone(criteria: ManyCriteria, x: np.ndarray, rows: np.ndarray) -> ManyVariances:
    """Those of `rows` (R, p) of the coefficients at theta x (B, m), as if theta were known.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the equations of a response cannot be solved.
    """
    B, R = len(x), len(rows)
    V = _covariance(criteria, x, _turned(criteria, rows))
    return ManyVariances(V, np.zeros((B, 0, R, R)), np.zeros((B, 0, 0)), _residual(criteria))


def many_variances(criteria: ManyCriteria, x: np.ndarray, rows: np.ndarray, variance: np.ndarray) -> ManyVariances:
    """Those of `rows` (R, p) of the coefficients at the optima x (B, m), with how well theta is known.

    Parameters
    ----------
    variance
        A guess (m,) of the variances of theta's estimates, which says how long differences are.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the equations of a response cannot be solved.
    """
    turned, x = _turned(criteria, rows), _leading(criteria, x)
    V = _covariance(criteria, x, turned)
    steps = np.tile(HUNDREDTH * np.sqrt(variance), (len(x), 1))
    H, slopes = _differences(criteria, x, turned, steps)
    bends = np.maximum(np.abs(np.diagonal(H, axis1=1, axis2=2)), 2 * (HUNDREDTH / (FAR**2 * steps)) ** 2)
    right = HUNDREDTH * np.sqrt(2 / bends)
    again = np.flatnonzero(np.any(np.abs(np.log(right / steps)) > np.log(FAR), axis=1))
    if len(again):
        H[again], slopes[again] = _differences(criteria.take(again), x[again], turned, right[again])
    held = _stationary(criteria, x)
    slopes[held] = 0.0
    return ManyVariances(V, slopes, _information(H, held), _residual(criteria))


def _residual(criteria: ManyCriteria) -> float:
    return np.inf if criteria.sigma is not None else float(criteria.df)


def _turned(criteria: ManyCriteria, rows: np.ndarray) -> np.ndarray:
    """The rows on the orthonormal columns of X (R, p)."""
    basis = criteria.given.likelihood.basis
    found: np.ndarray = solve_triangular(basis.R, rows.T, trans=1, check_finite=False).T if rows.size else rows
    return found


def _covariance(criteria: ManyCriteria, x: np.ndarray, turned: np.ndarray) -> np.ndarray:
    solution = criteria.solve(x)
    return _of_solution(turned, solution.U_inverse, criteria.sds(solution))


def _of_solution(turned: np.ndarray, U_inverse: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return sigma[:, None, None] ** 2 * (turned @ U_inverse @ turned.T)


def _differences(
    criteria: ManyCriteria, x: np.ndarray, turned: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The Hessian (B, m, m) and the slopes of the covariance (B, m, R, R): of fourth order, see `hessian.central`."""
    B, m, R = *x.shape, len(turned)
    H, slopes = np.zeros((B, m, m)), np.zeros((B, m, R, R))
    for i in range(m):
        for times, weight in ((1, 8.0), (-1, -8.0), (2, -1.0), (-2, 1.0)):
            moved = x.copy()
            moved[:, i] += times * steps[:, i]
            solution, gradient = criteria.solved(moved)
            share = weight / (12 * steps[:, i])
            H[:, i] += share[:, None] * gradient
            V = _of_solution(turned, solution.U_inverse, criteria.sds(solution))
            slopes[:, i] += share[:, None, None] * V
    return 0.5 * (H + H.transpose(0, 2, 1)), slopes


def _leading(criteria: ManyCriteria, x: np.ndarray) -> np.ndarray:
    """x with the rank of each covariance in the leading columns of its factor."""
    theta, found = criteria.theta, x.copy()
    for b in np.flatnonzero(np.any(np.abs(x) < NEAR, axis=1)):
        for j in theta.order:
            found[b] = theta.leading(found[b], j)
    return found


def _stationary(criteria: ManyCriteria, x: np.ndarray) -> np.ndarray:
    """Elements of theta (B, m) in which no covariance moves: zero columns of a factor, and what stands for them."""
    theta, held = criteria.theta, np.zeros(x.shape, dtype=bool)
    for j, where in theta.slices.items():
        E = np.array([theta.factor(one, j) for one in np.eye(theta.size)])
        half = np.einsum("mij,bkj->bmik", E[where], np.einsum("mij,bm->bij", E, x))
        moved = np.max(np.abs(half + half.transpose(0, 1, 3, 2)), axis=(2, 3))
        held[:, where] = moved <= STATIONARY * np.max(np.abs(E[where]), axis=(1, 2))
    return held


def _information(H: np.ndarray, held: np.ndarray) -> np.ndarray:
    """2 H^- (B, m, m) over what is not held and where the criterion bends; NaN where it is not known."""
    free = ~held
    H = np.where(free[:, :, None] & free[:, None, :], H, 0.0)
    unknown = ~np.all(np.isfinite(H), axis=(1, 2))
    H[unknown] = 0.0
    sizes = np.sqrt(np.abs(np.diagonal(H, axis1=1, axis2=2)))
    sizes = np.where(sizes > 0, sizes, 1.0)
    units = sizes[:, :, None] * sizes[:, None, :]
    values, vectors = np.linalg.eigh(H / units)
    bends = values > FLAT * np.maximum(values.max(axis=1, initial=0.0, keepdims=True), 0.0)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=bends)
    A = 2 * (vectors * inverse[:, None, :]) @ vectors.transpose(0, 2, 1) / units
    A[unknown] = np.nan
    return A
