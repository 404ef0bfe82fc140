"""The estimates of a fit with their intervals, in sentences."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...fits import tables

if TYPE_CHECKING:
    from ...fits.base import Fit

_LIMITS = (0.025, 0.975)


def fixed_effects(fit: Fit) -> str:
    """Coefficients, standard errors or posterior sds, 95 % intervals."""
    table = fit.coefficients
    if not len(table):
        return ""
    point = "estimate" in table
    centre, spread = ("estimate", "se") if point else ("mean", "sd")
    interval = "95 % confidence intervals (Wald)" if point else "95 % credible intervals"
    name = fit.model.family.scale
    scale = "" if name == "identity" else f", on the {name} scale"
    parts = [
        f"{name} {_with_limits(row[centre], row['lower'], row['upper'], row[spread])}" for name, row in table.iterrows()
    ]
    what = "estimates" if point else "posterior means"
    return f"Fixed effects ({what} with {interval}{scale}): {'; '.join(parts)}."


def spreads(fit: Fit) -> str:
    """Standard deviations and correlations of the random effects."""
    rows = _scalars(fit)
    parts = []
    for factor in rows.loc[rows["kind"] == "sd", "group"].unique():
        own = rows[rows["group"] == factor]
        correlations = _named(own[own["kind"] == "cor"])
        related = f" (correlation of {'; '.join(correlations)})" if correlations else ""
        parts.append(f"{factor}: {', '.join(_named(own[own['kind'] == 'sd']))}{related}")
    return f"Standard deviations of the random effects: {'; '.join(parts)}." if parts else ""


def dispersion(fit: Fit) -> str:
    """The residual standard deviation or the family's own parameters."""
    rows = _scalars(fit)
    own = rows[(rows["kind"] == "dispersion") & ~rows["parameter"].isin(list(fit.model.constants))]
    residual, others = _named(own[own["parameter"] == "sigma"]), _named(own[own["parameter"] != "sigma"])
    weighted = fit.model.design.weights is not None and fit.model.family.weights == "precision"
    of = " (of weight 1)" if weighted else ""
    parts = [f"Residual standard deviation{of} {text.removeprefix('sigma ')}." for text in residual]
    parts += [f"Of the distribution: {', '.join(others)}."] if others else []
    return " ".join(parts)


def _scalars(fit: Fit) -> pd.DataFrame:
    return tables.scalar_table(fit.model.design, fit.parameters)


def _named(rows: pd.DataFrame) -> list[str]:
    """Each parameter with its value."""
    return [f"{name} {_value(draws)}" for name, draws in zip(rows["parameter"], rows["values"], strict=True)]


def _value(draws: np.ndarray) -> str:
    """One value, or the mean of draws with its interval."""
    if draws.size == 1:
        value = float(draws.reshape(()))
        return f"{value:.{_decimals(value)}f}" if isfinite(value) else "not defined"
    lower, upper = np.quantile(draws, _LIMITS)
    return _with_limits(float(draws.mean()), float(lower), float(upper), float(draws.std()))


def _with_limits(value: float, lower: float, upper: float, spread: float) -> str:
    digits = _decimals(spread if isfinite(spread) and spread > 0 else value, 2)
    if not isfinite(lower):
        return f"{value:.{digits}f} (no standard error)"
    return f"{value:.{digits}f} [{lower:.{digits}f}, {upper:.{digits}f}]"


def _decimals(size: float, significant: int = 3) -> int:
    """Decimals at which a number of this size has so many digits, at least 2 and at most 8 of them."""
    if not isfinite(size) or size == 0:
        return 2
    return int(min(8, max(2 if abs(size) < 100 else 1, significant - 1 - floor(log10(abs(size))))))
