"""How coefficients of a linear mixed model vary between clusters, whatever the true variances: CR0, CR2, moments.

Columns are turned so that C = (X'V^-1X)^-1 is the identity: with C = F F', Q = X F. Per cluster g, e = y - X beta:

    CR0   s_g = Q_g'V_g^-1 e_g                                Cov(beta) = F (sum s_g s_g') F'
    CR2   s_g = T_g'e_g,  T_g = A_g V_g^-1 Q_g                A_g = D'B^(+1/2)D,  V_g = D'D,  B = D (V_g - Q_gQ_g') D'

so that E(s_g s_g') is Q_g'V_g^-1Q_g were V true. Source: Pustejovsky & Tipton (2018), J. Bus. Econ. Stat. 36, 672-683,
equations 5-7 (adjustment), 11 (degrees of freedom of t), 16-18 (approximate Hotelling's T^2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

NOTHING = 1e-14  # times rows, of the largest eigenvalue: a direction that the fixed part leaves no variance


@dataclass(frozen=True)
class MarginalRows:
    """Rows of a linear mixed model about its fixed part: `columns` Q (n, p), `residual` e (n,).

    Their covariance V is made of the `variance` (n,) of each row given its effects, and of `effects`: per group term
    the codes (n,) of its levels and Z Lambda (n, k), absolute.
    """

    columns: np.ndarray
    residual: np.ndarray
    variance: np.ndarray
    effects: tuple[tuple[np.ndarray, np.ndarray], ...]

    def covariance(self, at: np.ndarray) -> np.ndarray:
        """V (m, m) of some rows."""
        V = np.diag(self.variance[at])
        for codes, z in self.effects:
            V += np.where(codes[at][:, None] == codes[at], z[at] @ z[at].T, 0.0)
        return V


@dataclass(frozen=True)
class Adjusted:
    """CR2 of one fit: `scores` (G, p); `within` T_g'V_gT_g and `across` T_g'Q_g (G, p, p) say how the s_g vary."""

    scores: np.ndarray
    within: np.ndarray
    across: np.ndarray

    def df(self, h: np.ndarray) -> np.ndarray:
        """Degrees of freedom (m,) of the variances of h'F^-1 beta, h (m, p): 2 (E v)^2 / Var v under V; NaN for h = 0.

        v is a quadratic form of the residuals, the sum of squares of numbers with covariance diag(d) - U U'.
        """
        d = np.einsum("mp,gpq,mq->mg", h, self.within, h, optimize=True)
        U = np.einsum("mp,gpq->mgq", h, self.across)
        own = np.einsum("mgq,mgq->mg", U, U)
        inner = np.einsum("mgp,mgq->mpq", U, U)
        squares = np.sum(d**2 - 2 * d * own, axis=1) + np.sum(inner**2, axis=(1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            found: np.ndarray = np.sum(d - own, axis=1) ** 2 / squares
        return found

    def joint_df(self, H: np.ndarray) -> float:
        """eta of the matrix of r functions H (r, p) of orthonormal rows: that of the Wishart with its total variance.

        Sum over its elements of Var = sum over pairs of clusters of (tr S_gh)^2 + tr(S_gh S_gh), S_gh (r, r) the
        covariance of what clusters g and h add; r (r + 1) / eta for a Wishart of mean I.
        """
        W = np.einsum("rp,gpq,sq->grs", H, self.within, H, optimize=True)
        E = np.einsum("rp,gpq->grq", H, self.across)
        S = np.einsum("gra,gsb->rasb", E, E)
        total = np.sum(S**2) + np.einsum("satb,tasb->", S, S)
        own = np.einsum("gra,gsa->grs", E, E)
        for sign, each in ((1, W - own), (-1, own)):
            total += sign * np.sum(np.trace(each, axis1=1, axis2=2) ** 2 + np.einsum("grs,gsr->g", each, each))
        r = len(H)
        return float(r * (r + 1) / total)


def plain(columns: np.ndarray, weighted_residual: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """CR0's s_g (G, p) of columns Q (n, p) and V^-1 e (n,)."""
    terms = columns * weighted_residual[:, None]
    G = int(clusters.max()) + 1
    return np.stack([np.bincount(clusters, term, G) for term in terms.T], axis=1)


def adjusted(rows: MarginalRows, members: Sequence[np.ndarray]) -> Adjusted:
    """CR2 of rows whose clusters have these `members`; a cluster of m rows takes the order of m^3 operations."""
    found = [_cluster(rows, at) for at in members]
    scores, within, across = (np.stack(part) for part in zip(*found, strict=True))
    return Adjusted(scores, within, across)


def _cluster(rows: MarginalRows, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    Q, D = rows.columns[at], cholesky(rows.covariance(at))
    DQ = D @ Q
    K = D @ D.T
    values, vectors = np.linalg.eigh(K @ K - DQ @ DQ.T)
    kept = values > NOTHING * len(at) * max(values[-1], 0.0)
    root = vectors[:, kept] / np.sqrt(values[kept])
    half = vectors[:, kept].T @ solve_triangular(D, Q, trans="T")
    T = D.T @ (root @ half)  # D'B^(+1/2) D'^-1 Q
    DT = D @ T
    return T.T @ rows.residual[at], DT.T @ DT, T.T @ Q
