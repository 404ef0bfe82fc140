"""What does each group say by itself, and what do the groups say on average?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri, stdtrit

from ...design.columns.rank import independent
from ...engines.generalized.runaway import EDGE
from ...errors import BayesMixedError
from ..part import part, with_fixed
from .varying_columns import Within

if TYPE_CHECKING:
    from ...model import Model

Row = dict[str, Any]
NUMBERS = ("coefficient", "estimate", "se", "lower", "upper")

_OPEN = 1e-9  # share of a coefficient's direction outside the row space from which it counts as open
_RANK = 1e-9  # singular values, relative to the largest, that count as zero


def separate_rows(model: Model, of: Within) -> list[Row]:
    """Per level and coefficient the estimate from the level's rows alone."""
    table: list[Row] = []
    for level, rows in zip(of.levels, of.rows, strict=True):
        own = _of_level(model, of, rows)
        for name, value, error in zip(of.names, own.estimate, own.se, strict=True):
            limits = {"lower": value - own.quantile * error, "upper": value + own.quantile * error}
            row = {"pooling": "none", "level": level, "coefficient": name, "estimate": value, "se": error}
            table.append(row | limits | {"n": len(rows), "note": own.why if np.isnan(value) else ""})
    return table


def two_stage(of: Within, separate: list[Row]) -> list[Row]:
    """The population from the levels' own estimates: their regression on what varies between levels (t intervals).

    Without such columns it is their mean. Every level counts once (Holmes & Friston 1998, NeuroImage 7, S754).
    """
    table: list[Row] = []
    for host in of.names:
        own = np.array([row["estimate"] for row in separate if row["coefficient"] == host])
        names = [host, *(name for name, into in of.hosts.items() if into == host)]
        between = np.column_stack([np.ones(len(own)), *(of.multiples[name] for name in names[1:])])
        table += _regressed(names, between, own)
    return table


def _regressed(names: list[str], between: np.ndarray, own: np.ndarray) -> list[Row]:
    """Least squares of the levels' own estimates (L,) on `between` (L, k), levels without one left out."""
    known = np.isfinite(own)
    L = int(known.sum())
    if not L:
        return []
    estimate, se, df = least_squares(between[known], own[known], np.ones(L))
    half = (float(stdtrit(df, 0.975)) if df else np.nan) * se
    note = f"{len(own) - L} of {len(own)} levels have no estimate of their own" if L < len(own) else ""
    values = zip(names, estimate, se, estimate - half, estimate + half, strict=True)
    fixed = {"pooling": "none", "level": None, "n": L, "note": note}
    return [fixed | dict(zip(NUMBERS, row, strict=True)) for row in values if np.isfinite(row[1])]


def least_squares(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Coefficients (K,), standard errors (K,) and residual degrees of freedom; NaN where the rows leave one open."""
    root = np.sqrt(w)
    weighted = X * root[:, None]
    U, s, Vt = _directions(weighted)
    norms, known = _norms(weighted), _fixed_by(Vt)
    beta = Vt.T @ (U.T @ (root * y) / s) / norms
    df = len(y) - len(s)
    rss = float(np.sum(w * (y - X @ beta) ** 2))
    se = np.sqrt(rss / df * np.sum((Vt.T / s) ** 2, axis=1)) / norms if df else np.full(len(norms), np.nan)
    return np.where(known, beta, np.nan), np.where(known, se, np.nan), df


@dataclass(frozen=True)
class _Own:
    """Estimates (K,) and standard errors (K,) of one level, the quantile of their limits, why they are missing."""

    estimate: np.ndarray
    se: np.ndarray
    quantile: float
    why: str


def _of_level(model: Model, of: Within, own: np.ndarray) -> _Own:
    missing = np.full(len(of.names), np.nan)
    if not len(own):
        return _Own(missing, missing, np.nan, "no rows")
    open_ = "its rows do not determine it"
    if not model.has_scale:
        return _generalized(model, of, own, open_)
    response = model.design.response
    assert response is not None
    y = model.family.normalised(response.y[own]) - model.design.mu.offset[own]
    weights = np.ones(len(own)) if model.design.weights is None else model.design.weights[own]
    estimate, se, df = least_squares(of.W[own], y, weights)
    return _Own(estimate, se, float(stdtrit(df, 0.975)) if df else np.nan, open_)


def _generalized(model: Model, of: Within, own: np.ndarray, open_: str) -> _Own:
    """Maximum likelihood of a level's rows; nothing where there is no maximum."""
    W, estimate, se = of.W[own], np.full(len(of.names), np.nan), np.full(len(of.names), np.nan)
    at = independent(W, None)
    names = [of.names[j] for j in at]
    try:
        alone = with_fixed(part(model, own, columns=[], effects=False), np.ascontiguousarray(W[:, at]), names)
        fit: Any = alone.fit("ml")
    except (BayesMixedError, np.linalg.LinAlgError) as error:
        return _Own(estimate, se, np.nan, f"no fit: {str(error).split('. ')[0]}")
    if not fit.status.converged or _runs_away(fit):
        return _Own(estimate, se, np.nan, "its likelihood has no maximum")
    kept = np.isin(at, np.flatnonzero(determined(W)))
    estimate[at[kept]], se[at[kept]] = fit.beta[kept], np.linalg.norm(fit.beta_root, axis=1)[kept]
    return _Own(estimate, se, float(ndtri(0.975)), open_)


def _runs_away(fit: Any) -> bool:
    """Whether a mean has come to a bound of its range, as where all responses of a level are zero."""
    low, high = fit.model.family.mean_range
    mu = fit.fitted().to_numpy()
    return bool(np.any(mu - low < EDGE) or np.any(high - mu < EDGE))


def determined(W: np.ndarray) -> np.ndarray:
    """Which coefficients (K,) of the columns W (n, K) are the same in every least-squares solution."""
    return _fixed_by(_directions(W)[2])


def _directions(W: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition of W without the directions of zero length."""
    U, s, Vt = np.linalg.svd(W / _norms(W), full_matrices=False)
    kept = s > _RANK * max(s.max(initial=0.0), np.finfo(float).tiny)
    return U[:, kept], s[kept], Vt[kept]


def _norms(W: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(W, axis=0)
    return np.where(norms > 0, norms, 1.0)


def _fixed_by(Vt: np.ndarray) -> np.ndarray:
    return 1 - np.einsum("rk,rk->k", Vt, Vt) < _OPEN
