"""What does each group say by itself, and what do the groups say on average?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri, stdtrit

from ..engines.runaway import EDGE
from ..errors import BayesMixedError
from ..formula.rank import independent
from .groups import Within
from .part import part, with_fixed

if TYPE_CHECKING:
    from ..model import Model

Row = dict[str, Any]

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
    """Mean over the levels of their own estimates, with its standard error (Holmes & Friston 1998): t, L - 1 df."""
    table: list[Row] = []
    for name in of.names:
        found = np.array([row["estimate"] for row in separate if row["coefficient"] == name])
        found = found[np.isfinite(found)]
        L = len(found)
        if not L:
            continue
        se = float(found.std(ddof=1) / np.sqrt(L)) if L > 1 else np.nan
        half = float(stdtrit(L - 1, 0.975)) * se if L > 1 else np.nan
        mean = float(found.mean())
        row = {"pooling": "none", "level": None, "coefficient": name, "estimate": mean, "se": se}
        left = len(of.levels) - L
        note = f"{left} of {len(of.levels)} levels have no estimate of their own" if left else ""
        table.append(row | {"lower": mean - half, "upper": mean + half, "n": L, "note": note})
    return table


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
    open_ = f"not determined by {len(own)} row{'' if len(own) == 1 else 's'}"
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
    estimate[at[kept]], se[at[kept]] = fit.beta[kept], fit.coefficients["se"].to_numpy()[kept]
    return _Own(estimate, se, float(ndtri(0.975)), open_)


def _runs_away(fit: Any) -> bool:
    """Whether a mean has come to a bound of its range, as where all responses of a level are zero."""
    low, high = fit.model.family.mean_range
    mu = fit.fitted()
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
