"""No pooling: what each group's rows say by themselves, on the scale of the partially pooled coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..prediction.linear_predictor import group_contribution
from .varying import nested

if TYPE_CHECKING:
    from ..fits.base import Fit
    from .varying import Varying

_SAME = 1e-8  # relative residual below which a fixed column counts as a combination of the bar's columns
_RANK = 1e-9  # relative singular value below which a group's columns count as collinear
_DETERMINED = 1e-10  # share of a column's direction that may lie outside the row space


@dataclass(frozen=True)
class SeparateFits:
    """Least-squares fits of one grouping factor's columns, group by group.

    `complete` (K,) is the fixed part in terms of the columns; `estimates` (L, K) the separate fits, NaN
    where a group's rows do not determine a column; `n_rows` (L,) counts rows of positive weight.
    """

    complete: np.ndarray
    estimates: np.ndarray
    n_rows: np.ndarray


def separate_fits(fit: Fit, of: Varying) -> SeparateFits:
    """Regress, in each group, the response less the rest of the linear predictor on the factor's columns.

    The rest is the fixed columns that are no combination of the factor's columns, the offset, and the
    random effects of the other factors, except of factors nested within this one: they are part of what
    makes a group's own estimate uncertain, and taking their shrunken estimates off would hide that.
    """
    design = fit.model.design
    beta = fit.parameters.mean().beta[0, 0]
    complete, used = population(design.mu.X, beta, of.Z)
    weights = np.ones(design.n_rows) if design.weights is None else design.weights
    n_rows = np.bincount(of.codes[(of.codes >= 0) & (weights > 0)], minlength=len(of.levels))
    if not fit.model.has_scale or design.response is None:
        return SeparateFits(complete, np.full((len(of.levels), len(of.columns)), np.nan), n_rows)
    rest = design.mu.offset + design.mu.X[:, ~used] @ beta[~used] + _other_effects(fit, of)
    estimates = _group_by_group(of, design.response.y - rest, weights)
    return SeparateFits(complete, estimates, n_rows)


def population(X: np.ndarray, beta: np.ndarray, Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The fixed effects seen as coefficients of a bar's columns.

    Parameters
    ----------
    X, beta, Z
        Fixed columns (n, p), their coefficients (p,), and the bar's columns (n, K).

    Returns
    -------
    tuple
        gamma (K,) and used (p,): ``X[:, used] @ beta[used] == Z @ gamma``. Columns of X that are columns
        of Z keep their coefficient; others that lie in the span of Z are carried over, so that
        ``f + (0 + f | g)`` gives the cell means; a column of Z without fixed counterpart has 0.
    """
    gamma, used = np.zeros(Z.shape[1]), np.zeros(X.shape[1], dtype=bool)
    for j in range(X.shape[1]):
        same = next((i for i in range(Z.shape[1]) if np.array_equal(X[:, j], Z[:, i])), None)
        if same is not None:
            gamma[same] += beta[j]
            used[j] = True
    others = np.flatnonzero(~used)
    if len(others) and len(Z):
        A = np.linalg.lstsq(Z, X[:, others], rcond=None)[0]
        residual = np.linalg.norm(X[:, others] - Z @ A, axis=0)
        inside = residual <= _SAME * np.linalg.norm(X[:, others], axis=0)
        gamma += A[:, inside] @ beta[others[inside]]
        used[others[inside]] = True
    return gamma, used


def _other_effects(fit: Fit, of: Varying) -> np.ndarray:
    mean, groups = fit.parameters.mean(), fit.model.design.groups
    total = np.zeros(fit.model.design.n_rows)
    for j, term in enumerate(groups):
        if j not in of.terms and not nested(term.codes, of.codes):
            total += group_contribution(term, mean.b[j][0])[0]
    return total


def _group_by_group(of: Varying, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero((of.codes >= 0) & (weights > 0))
    rows = rows[np.argsort(of.codes[rows], kind="stable")]
    bounds = np.searchsorted(of.codes[rows], np.arange(len(of.levels) + 1))
    root = np.sqrt(weights)
    estimates = np.full((len(of.levels), len(of.columns)), np.nan)
    for level in range(len(of.levels)):
        own = rows[bounds[level] : bounds[level + 1]]
        if len(own):
            estimates[level] = _least_squares(of.Z[own] * root[own, None], y[own] * root[own])
    return estimates


def _least_squares(Z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients (K,), NaN where Z leaves one open: its direction is not in Z's row space."""
    norms = np.linalg.norm(Z, axis=0)
    norms[norms == 0] = 1.0
    U, s, Vt = np.linalg.svd(Z / norms, full_matrices=False)
    kept = s > _RANK * max(s[0], np.finfo(float).tiny)
    U, s, Vt = U[:, kept], s[kept], Vt[kept]
    inside = np.einsum("rk,rk->k", Vt, Vt)
    return np.where(1 - inside < _DETERMINED, Vt.T @ (U.T @ y / s) / norms, np.nan)
