"""No pooling: what each group's rows say by themselves, on the scale of the partially pooled coefficients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...families import observed
from ...parameters.predicted import predicted
from .alone import OwnLikelihood
from .effects_by_factor import nested

if TYPE_CHECKING:
    from ...fits.base import Fit
    from .effects_by_factor import Varying

_SAME = 1e-8  # relative residual below which a fixed column counts as a combination of the bar's columns
_RANK = 1e-9  # relative singular value below which a group's columns count as collinear
_DETERMINED = 1e-10  # share of a column's direction that may lie outside the row space


@dataclass(frozen=True)
class SeparateFits:
    """Fits of one grouping factor's columns, group by group: least squares, or maximum likelihood.

    `population` (K,) is the fixed part in terms of the columns; `estimates` (L, K) the separate fits, NaN
    where a group's rows do not determine a column; `n_rows` (L,) counts rows of positive weight; `endless` (L,)
    marks groups whose likelihood has no maximum, as where all their responses are zero; `held` names what was held
    at the model's estimates, such as "other columns", empty where that is nothing.
    """

    population: np.ndarray
    estimates: np.ndarray
    n_rows: np.ndarray
    endless: np.ndarray
    held: str


def separate_fits(fit: Fit, of: Varying) -> SeparateFits:
    """Regress, in each group, the response on the factor's columns, the rest of the linear predictor held.

    Dispersion parameters are held at their estimates. The rest is the fixed columns that are no combination of the
    factor's columns, the offset, and the random effects of the other factors, except of factors nested within this
    one: they are part of what makes a group's own estimate uncertain, and taking their shrunken estimates off would
    hide that.
    """
    design = fit.model.design
    mean = fit.parameters.mean()
    centre, used = population(design.mu.X, mean.beta[0, 0], of.Z)
    weights = np.ones(design.n_rows) if design.weights is None else design.weights
    n_rows = np.bincount(of.codes[(of.codes >= 0) & (weights > 0)], minlength=len(of.levels))
    none = np.zeros(len(of.levels), dtype=bool)
    if design.response is None:
        return SeparateFits(centre, np.full((len(of.levels), len(of.columns)), np.nan), n_rows, none, "")
    others = _others(fit, of)
    held = " and ".join(["other columns"] * (not used.all()) + ["other effects"] * bool(others))
    without = replace(mean, coefficients={**mean.coefficients, "mu": np.where(used, 0.0, mean.beta)})
    rest = design.eta(without, others)["mu"][0]
    if fit.model.has_scale:
        y = fit.model.family.normalised(design.response.y)
        return SeparateFits(centre, _group_by_group(of, y - rest, weights), n_rows, none, held)
    estimates, endless = _most_likely(fit, of, rest, centre)
    return SeparateFits(centre, estimates, n_rows, endless, held)


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


def _others(fit: Fit, of: Varying) -> list[int]:
    """Positions of the bars of other factors that are not nested within this one."""
    groups = fit.model.design.mu.groups
    return [j for j, term in enumerate(groups) if j not in of.terms and not nested(term.codes, of.codes)]


def _group_by_group(of: Varying, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    root = np.sqrt(weights)
    estimates = np.full((len(of.levels), len(of.columns)), np.nan)
    for level, own in _rows_of_levels(of, weights):
        directions = _directions(of.Z[own] * root[own, None])
        estimates[level] = directions.coefficients(directions.Q.T @ (y[own] * root[own]))
    return estimates


def _most_likely(fit: Fit, of: Varying, rest: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimates (L, K) and which levels (L,) have none because their likelihood has no maximum."""
    model, start = fit.model, centre + of.effects.mean(axis=(0, 1))
    weights = np.ones(model.design.n_rows) if model.design.weights is None else model.design.weights
    held = predicted(model.family, model.design, fit.parameters.mean())
    estimates, endless = np.full(start.shape, np.nan), np.zeros(len(start), dtype=bool)
    for level, own in _rows_of_levels(of, weights):
        directions = _directions(of.Z[own])
        eta, seen = rest[own] + of.Z[own] @ start[level], observed(model.design, own)
        c = OwnLikelihood(model.family, seen, held.at(own).single()[1], eta, directions.Q).maximum()
        endless[level] = c is None
        if c is not None:
            estimates[level] = start[level] + directions.coefficients(c)
    return estimates, endless


def _rows_of_levels(of: Varying, weights: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Every level that has rows of positive weight, and those rows."""
    rows = np.flatnonzero((of.codes >= 0) & (weights > 0))
    rows = rows[np.argsort(of.codes[rows], kind="stable")]
    bounds = np.searchsorted(of.codes[rows], np.arange(len(of.levels) + 1))
    for level in range(len(of.levels)):
        own = rows[bounds[level] : bounds[level + 1]]
        if len(own):
            yield level, own


@dataclass(frozen=True)
class _Directions:
    """Z = Q diag(s) Vt diag(norms), without directions of no length."""

    Q: np.ndarray
    s: np.ndarray
    Vt: np.ndarray
    norms: np.ndarray

    def coefficients(self, c: np.ndarray) -> np.ndarray:
        """The (K,) with Z times them = Q c, NaN where Z leaves one open: its direction is not in Z's row space."""
        inside = np.einsum("rk,rk->k", self.Vt, self.Vt)
        return np.where(1 - inside < _DETERMINED, self.Vt.T @ (c / self.s) / self.norms, np.nan)


def _directions(Z: np.ndarray) -> _Directions:
    norms = np.linalg.norm(Z, axis=0)
    norms[norms == 0] = 1.0
    U, s, Vt = np.linalg.svd(Z / norms, full_matrices=False)
    kept = s > _RANK * max(s[0], np.finfo(float).tiny)
    return _Directions(U[:, kept], s[kept], Vt[kept], norms)
