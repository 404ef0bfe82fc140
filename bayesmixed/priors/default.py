"""Which priors a model has when the user gives none: proper, visible, scaled to data and link."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import ModelError
from ..families import Family
from ..formula.design import Design, Predictor
from .distributions import LKJ, HalfStudentT, Normal, Prior
from .names import term_names
from .table import Priors


def default(design: Design, family: Family) -> Priors:
    """The default table : weakly informative in the response's units.

    With m and s the location and spread of the response on the link scale and s_x the spread of a
    column: Normal(m, 2.5 s) for the intercept at centred columns, Normal(0, 2.5 s / s_x) for slopes,
    half-Student-t(3, 0, s / s_z) for sds, LKJ(2) for correlations, half-Student-t(3, 0, sd(y)) for sigma.

    Raises
    ------
    ModelError
        For a dispersion parameter that the table does not know.
    """
    m, s = location_and_scale(design, family)
    chosen: dict[str, Prior] = _coefficients(design.mu, rows_used(design), m, s)
    names = term_names(design.groups)
    for group, named in zip(design.groups, names, strict=True):
        spreads = column_spreads(group.Z[rows_used(design)])
        chosen |= {sd: HalfStudentT(3.0, s / s_z) for sd, s_z in zip(named.sds, spreads, strict=True)}
    chosen |= {named.correlation: LKJ(2.0) for named in names if named.correlation}
    for name in family.dispersion:
        if name not in design.predictors:
            chosen[name] = _dispersion(name, design)
    return Priors.of(chosen, "default")


def location_and_scale(design: Design, family: Family) -> tuple[float, float]:
    """m and s: centre and spread of the response on the link scale, offset taken out."""
    used = rows_used(design)
    y, offset = _response(design)[used], design.mu.offset[used]
    place = LOCATION_SCALE.get(family.link.name, _linearised)
    m, s = place(y, offset, family)
    return m, s if s > 0 else 1.0


def _identity(y: np.ndarray, offset: np.ndarray, family: Family) -> tuple[float, float]:
    return float(np.mean(y - offset)), spread(y - offset)


def _linearised(y: np.ndarray, offset: np.ndarray, family: Family) -> tuple[float, float]:
    """A link without a rule of its own: g(mean) and sd(y) |g'(mean)|."""
    centre = np.array([np.mean(y)])
    return (
        float(family.link.forward(centre)[0] - np.mean(offset)),
        spread(y) * abs(float(family.link.slope(centre)[0])),
    )


LOCATION_SCALE: dict[str, Callable[[np.ndarray, np.ndarray, Family], tuple[float, float]]] = {"identity": _identity}


def rows_used(design: Design) -> np.ndarray:
    """Rows of positive weight (n,) bool: the others are fitted as absent."""
    return np.ones(design.n_rows, dtype=bool) if design.weights is None else design.weights > 0


def column_spreads(columns: np.ndarray) -> np.ndarray:
    """s_x of each column (n, p) -> (p,): sd of a column of many values, range of two values, 1 of a constant."""
    return np.array([_column_spread(column) for column in columns.T])


def _column_spread(column: np.ndarray) -> float:
    low, high = column.min(), column.max()
    if low == high:
        return 1.0
    if np.all((column == low) | (column == high)):
        return float(high - low)
    return float(np.std(column, ddof=1))


def spread(y: np.ndarray) -> float:
    """sd with n - 1 of a response (n,), 0 for a single row."""
    return float(np.std(y, ddof=1)) if len(y) > 1 else 0.0


def _coefficients(predictor: Predictor, used: np.ndarray, m: float, s: float) -> dict[str, Prior]:
    X = predictor.X[used]
    chosen: dict[str, Prior] = {"Intercept_centered": Normal(m, 2.5 * s)} if predictor.has_intercept else {}
    constant = np.zeros(X.shape[1], dtype=bool) if predictor.has_intercept else spans_constant(X)
    for j, (name, s_x) in enumerate(zip(predictor.coefficients, column_spreads(X), strict=True)):
        if name != "Intercept":
            chosen[name] = Normal(m, 2.5 * s) if constant[j] else Normal(0.0, 2.5 * s / s_x)
    return chosen


def spans_constant(X: np.ndarray) -> np.ndarray:
    """Which columns (p,) bool of a design without intercept together make the constant column, if any do."""
    if X.shape[1] == 0:
        return np.zeros(0, dtype=bool)
    weights, *_ = np.linalg.lstsq(X, np.ones(len(X)), rcond=None)
    # 1e-8: rounding of the solve is near 1e-14, a genuine misfit of 0/1 columns is of order 1.
    if np.max(np.abs(X @ weights - 1.0)) > 1e-8:
        return np.zeros(X.shape[1], dtype=bool)
    return np.abs(weights) * np.abs(X).max(axis=0) > 1e-8


def _dispersion(name: str, design: Design) -> Prior:
    if name not in DISPERSION:
        raise ModelError(f"There is no default prior for {name!r}. Give one: Model(..., priors={{{name!r}: ...}}).")
    return DISPERSION[name](design)


def _sigma(design: Design) -> Prior:
    used = rows_used(design)
    scale = spread(_response(design)[used] - design.mu.offset[used])
    return HalfStudentT(3.0, scale if scale > 0 else 1.0)


DISPERSION: dict[str, Callable[[Design], Prior]] = {"sigma": _sigma}


def _response(design: Design) -> np.ndarray:
    if design.response is None:
        raise ModelError("Priors are scaled to the response, and this design has none: build it from a full table.")
    return design.response.y
