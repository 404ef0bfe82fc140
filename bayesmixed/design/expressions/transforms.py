"""Transforms that remember the training data: centres, scales, orthogonal polynomials, summaries of a column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FormulaError
from .lists import MOST_COLUMNS
from .splines import apply_bs, apply_ns, fit_bs, fit_ns


@dataclass(frozen=True)
class Transform:
    """`fit` turns a column and its options into a JSON-able state, `apply` a column and a state into values.

    Both give the same numbers on the training data, so that predictions there equal the fit.
    """

    fit: Callable[..., dict[str, Any]]
    apply: Callable[[np.ndarray, dict[str, Any]], Any]


def fit_scale(x: np.ndarray, center: Any = True, scale: Any = True) -> dict[str, Any]:
    """R's ``scale``: divisor sqrt(sum of squares / (n - 1)) of the (centred) column."""
    x = x[~np.isnan(x)]
    middle = (float(x.mean()) if center else 0.0) if isinstance(center, bool | np.bool_) else float(center)
    width = float(np.sqrt(np.sum((x - middle) ** 2) / max(len(x) - 1, 1)))
    divisor = (width if scale else 1.0) if isinstance(scale, bool | np.bool_) else float(scale)
    if not divisor > 1e-15 * max(abs(middle), 1e-300):
        raise FormulaError("cannot scale a constant column; leave it out or use center().", topic="constant-column")
    return {"center": middle, "scale": divisor}


def apply_scale(x: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    """(x - centre) / scale with the training values."""
    return (x - state["center"]) / state["scale"]


def fit_center(x: np.ndarray) -> dict[str, Any]:
    """The training mean."""
    return fit_scale(x, scale=False)


def fit_poly(x: np.ndarray, degree: float = 1, raw: bool = False, simple: bool = False) -> dict[str, Any]:
    """Coefficients of the three-term recurrence of polynomials orthogonal over x (R's ``poly``).

    Kennedy & Gentle (1980), Statistical Computing, pp. 343-344: monic polynomials
    F_j = (x - alpha_j) F_{j-1} - (norm2_j / norm2_{j-1}) F_{j-2}, columns F_j / sqrt(norm2_j).
    `simple` is accepted because R has it; it changes no number.
    """
    if not 1 <= degree <= MOST_COLUMNS:
        raise FormulaError(
            f"poly(): the degree must be a number from 1 to {MOST_COLUMNS}.", topic="arguments-in-formula"
        )
    degree = int(degree)
    if raw:
        return {"degree": degree, "raw": True}
    x = x[~np.isnan(x)]
    if degree >= len(np.unique(x)):
        raise FormulaError(
            f"poly(): degree {degree} needs more than {degree} different values of the variable.",
            topic="arguments-in-formula",
        )
    alpha: list[float] = []
    norm2 = [1.0, float(len(x))]
    previous, current = np.zeros_like(x), np.ones_like(x)
    for _ in range(degree):
        # the mean of x - x_bar is taken, not of x, so that years do not lose digits
        alpha.append(float(np.sum((x - x.mean()) * current**2) / norm2[-1] + x.mean()))
        previous, current = current, (x - alpha[-1]) * current - norm2[-1] / norm2[-2] * previous
        norm2.append(float(current @ current))
    return {"degree": degree, "raw": False, "alpha": alpha, "norm2": norm2}


def apply_poly(x: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    """The polynomials at x, from the training recurrence."""
    if state["raw"]:
        return x[:, None] ** np.arange(1, state["degree"] + 1)
    norm2 = state["norm2"]
    columns = []
    previous, current = np.zeros_like(x), np.ones_like(x)
    for j, alpha in enumerate(state["alpha"]):
        previous, current = current, (x - alpha) * current - norm2[j + 1] / norm2[j] * previous
        columns.append(current / np.sqrt(norm2[j + 2]))
    return np.column_stack(columns)


def fit_quantile(x: np.ndarray, probs: Any = (0.0, 0.25, 0.5, 0.75, 1.0), na_rm: bool = False) -> dict[str, Any]:
    """R's default quantiles (type 7) of the training data: ``ns(x, knots = quantile(x, c(0.25, 0.75)))``."""
    at = np.asarray(probs if isinstance(probs, tuple) else float(probs))
    if at.ndim > 1 or not np.all((at >= 0) & (at <= 1)):
        raise FormulaError("quantile(): probs must lie between 0 and 1.", topic="arguments-in-formula")
    return {"value": np.nanquantile(x, at).tolist()}


def fit_range(x: np.ndarray, na_rm: bool = False) -> dict[str, Any]:
    """Smallest and largest value of the training data: ``bs(x, Boundary.knots = range(x))``."""
    return {"value": [float(np.nanmin(x)), float(np.nanmax(x))]}


def apply_summary(x: np.ndarray, state: dict[str, Any]) -> Any:
    """The number, or the list of numbers, found on the training data."""
    return tuple(state["value"]) if isinstance(state["value"], list) else state["value"]


def _summary(function: Callable[[np.ndarray], Any]) -> Transform:
    """A number computed once, on the training data: ``I(x - mean(x))``."""

    def fit(x: np.ndarray, na_rm: bool = False) -> dict[str, Any]:
        return {"value": float(function(x))}

    return Transform(fit, apply_summary)


TRANSFORMS: dict[str, Transform] = {
    "scale": Transform(fit_scale, apply_scale),
    "standardize": Transform(fit_scale, apply_scale),
    "center": Transform(fit_center, apply_scale),
    "poly": Transform(fit_poly, apply_poly),
    "bs": Transform(fit_bs, apply_bs),
    "ns": Transform(fit_ns, apply_ns),
    "quantile": Transform(fit_quantile, apply_summary),
    "range": Transform(fit_range, apply_summary),
    "mean": _summary(np.nanmean),
    "median": _summary(np.nanmedian),
    "sd": _summary(lambda x: np.nanstd(x, ddof=1)),
    "std": _summary(lambda x: np.nanstd(x, ddof=1)),
    "var": _summary(lambda x: np.nanvar(x, ddof=1)),
    "sum": _summary(np.nansum),
    "min": _summary(np.nanmin),
    "max": _summary(np.nanmax),
}
