"""B-spline and natural cubic spline bases with the knots of the training data, as R's splines package."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import BayesMixedWarning, FormulaError, warn
from .lists import MOST_COLUMNS

CUBIC = 3
HIGHEST = 20  # degree of a B-spline; nobody looks for kinks in its twentieth derivative


def fit_bs(
    x: np.ndarray,
    df: float | None = None,
    knots: Any = None,
    degree: float = CUBIC,
    intercept: bool = False,
    Boundary_knots: Any = None,
) -> dict[str, Any]:
    """Knots of ``bs(x, df, knots, degree, intercept, Boundary.knots)``: quantiles of x unless given."""
    degree = int(degree)
    if not 1 <= degree <= HIGHEST:
        raise FormulaError(f"bs(): the degree must be a number from 1 to {HIGHEST}.", topic="arguments-in-formula")
    inner = None if df is None else int(df) - degree - int(bool(intercept))
    state = _knots(x, inner, knots, Boundary_knots, "bs", degree + int(bool(intercept)))
    return {**state, "degree": degree, "intercept": bool(intercept)}


def apply_bs(x: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    """The basis at x; outside the boundary the end pieces are continued, with a warning, as R does."""
    from scipy.interpolate import BSpline

    low, high = state["boundary"]
    if np.any((x < low) | (x > high)):
        told = BayesMixedWarning(
            f"bs(): values outside the boundary knots [{low:g}, {high:g}] continue the end polynomials; "
            "give Boundary.knots= that cover them, or use ns().",
            topic="outside-the-knots",
        )
        warn(told)
    t = _augmented(state, state["degree"])
    basis = BSpline(t, np.eye(len(t) - state["degree"] - 1), state["degree"], extrapolate=True)(x)
    return basis if state["intercept"] else basis[:, 1:]


def fit_ns(
    x: np.ndarray, df: float | None = None, knots: Any = None, intercept: bool = False, Boundary_knots: Any = None
) -> dict[str, Any]:
    """Knots of ``ns(x, df, knots, intercept, Boundary.knots)``: cubic inside, linear outside."""
    inner = None if df is None else int(df) - 1 - int(bool(intercept))
    state = _knots(x, inner, knots, Boundary_knots, "ns", 1 + int(bool(intercept)))
    return {**state, "intercept": bool(intercept)}


def apply_ns(x: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    """B-splines projected on those without curvature at the boundary (R's ``ns``: complement by QR)."""
    from scipy.interpolate import BSpline

    boundary = np.asarray(state["boundary"])
    t = _augmented(state, CUBIC)
    spline = BSpline(t, np.eye(len(t) - CUBIC - 1), CUBIC, extrapolate=True)
    inside = np.clip(x, *boundary)
    basis = spline(inside) + (x - inside)[:, None] * spline(inside, nu=1)
    curvature = spline(boundary, nu=2)
    if not state["intercept"]:
        basis, curvature = basis[:, 1:], curvature[:, 1:]
    Q = np.linalg.qr(curvature.T, mode="complete")[0]
    return basis @ Q[:, 2:]


def _knots(x: np.ndarray, inner: int | None, knots: Any, boundary: Any, name: str, least: int) -> dict[str, Any]:
    x = x[~np.isnan(x)]
    low, high = (float(x.min()), float(x.max())) if boundary is None else np.sort(np.asarray(boundary, float)).tolist()
    if not np.isfinite([low, high]).all():
        raise FormulaError(f"{name}(): the variable is infinite in some row.", topic="arguments-in-formula")
    if not low < high:
        raise FormulaError(
            f"{name}(): the boundary knots coincide at {low:g}; the variable must vary.", topic="arguments-in-formula"
        )
    if knots is None:
        if inner is not None and not 0 <= inner <= MOST_COLUMNS:
            bound = f"at least {least}" if inner < 0 else f"at most {least + MOST_COLUMNS}"
            raise FormulaError(f"{name}(): df must be {bound}.", topic="arguments-in-formula")
        share = np.linspace(0, 1, (inner or 0) + 2)[1:-1]
        knots = np.quantile(x[(x >= low) & (x <= high)], share)
    found = np.sort(np.atleast_1d(np.asarray(knots, dtype=float)))
    if np.any((found <= low) | (found >= high)):
        raise FormulaError(
            f"{name}(): inner knots must lie between the boundary knots {low:g} and {high:g}.",
            topic="arguments-in-formula",
        )
    return {"knots": found.tolist(), "boundary": [low, high]}


def _augmented(state: dict[str, Any], degree: int) -> np.ndarray:
    low, high = state["boundary"]
    return np.concatenate([np.repeat(low, degree + 1), state["knots"], np.repeat(high, degree + 1)])
