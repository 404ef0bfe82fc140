"""What coefficients become where some rows are left out and the variances stay: downdates of the mixed-model equations.

At the estimates a row has score s = d log f / d eta, weight w = -d s / d eta, predictor x'beta + z'b; H is the inverse
of the equations of (beta, b), C = F F' its part of beta, B = Cov(z'b + x'beta, beta). Without rows g

    beta - C_g X_g's_g,  C_g^-1 = C^-1 - X_g'(V^-1 X)_g     where g shares no effect with other rows: p x p
    beta - B_g'(I - D H_gg)^-1 s_g                           always: as many equations as rows are left out

with D = diag(w), (V^-1 X)_i = w_i C^-1 B_i, H_gg the covariance of the predictors. In a linear mixed model this is
exact for given ratios of variances; in others it is one Newton step. Sources: Christensen, Pearson & Johnson (1992),
Technometrics 34, 38-45; Zewotir & Galpin (2005), J. Data Sci. 3, 153-177.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEFT = 1e-10  # of what rows say of a direction: so little is left, and it is undetermined without some of them


@dataclass(frozen=True)
class Shares:
    """What each row (n,) adds to the equations at the estimates.

    `X` F (n, p) and `B` F^-T (n, p) are turned so that C is the identity; `root` is F (p, p). `marginal` (n,) are the
    residuals about the fixed part, of linear models.
    """

    X: np.ndarray
    B: np.ndarray
    weight: np.ndarray
    score: np.ndarray
    marginal: np.ndarray
    root: np.ndarray

    def take(self, rows: np.ndarray) -> Shares:
        """Those of some rows."""
        return Shares(self.X[rows], self.B[rows], self.weight[rows], self.score[rows], self.marginal[rows], self.root)


@dataclass(frozen=True)
class LeftOut:
    """Without each of L sets of rows: `shift` (L, p) of beta, `variances` (L, p) of it, both with the scale held.

    `loss` (L,) is what the scaled residual sum of squares, penalty included, falls by. NaN where the other rows leave a
    coefficient undetermined.
    """

    shift: np.ndarray
    variances: np.ndarray
    loss: np.ndarray


def apart(shares: Shares, members: Sequence[np.ndarray]) -> LeftOut:
    """Without each set of rows, where no effect is shared between one and the others."""
    p, found = shares.X.shape[1], []
    for at in members:
        K = (shares.X[at] * shares.weight[at, None]).T @ shares.B[at]
        score = shares.X[at].T @ shares.score[at]
        inverse = _inverse(np.eye(p) - 0.5 * (K + K.T))
        loss = shares.marginal[at] @ shares.score[at] + score @ inverse @ score
        found.append((-inverse @ score, inverse, loss))
    return _collected(shares.root, found)


def entangled(shares: Shares, members: Sequence[np.ndarray], covariance: Callable[[np.ndarray], np.ndarray]) -> LeftOut:
    """The same where effects may be shared; `covariance` gives H_gg (m, m) of some rows."""
    p, found = shares.X.shape[1], []
    for at in members:
        half = np.sqrt(shares.weight[at])
        inverse = _inverse(np.eye(len(at)) - half[:, None] * covariance(at) * half)
        residual, rows = shares.score[at] / half, half[:, None] * shares.B[at]
        moved = inverse @ residual
        found.append((-rows.T @ moved, np.eye(p) + rows.T @ inverse @ rows, residual @ moved))
    return _collected(shares.root, found)


def singly(shares: Shares, leverage: np.ndarray) -> LeftOut:
    """The same for each row alone, whose leverage w H_ii is known."""
    left = np.where(leverage < 1 - LEFT, 1 - leverage, np.nan)
    shift = -shares.B * (shares.score / left)[:, None]
    turned = shares.B @ shares.root.T
    variances = np.sum(shares.root**2, axis=1) + turned**2 * (shares.weight / left)[:, None]
    return LeftOut(shift @ shares.root.T, variances, shares.score**2 / (shares.weight * left))


def _inverse(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    if len(values) and values[0] < LEFT:
        return np.full_like(matrix, np.nan)
    inverse: np.ndarray = (vectors / values) @ vectors.T
    return inverse


def _collected(root: np.ndarray, found: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> LeftOut:
    shift, inner, loss = (np.array(part) for part in zip(*found, strict=True))
    return LeftOut(shift @ root.T, np.einsum("pq,lqr,pr->lp", root, inner, root, optimize=True), loss)
