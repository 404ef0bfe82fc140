"""The estimates of a fit with their intervals, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from ...degrees.methods import reference
from ...fits import tables
from ...page import probability

if TYPE_CHECKING:
    from ...degrees.reference import Reference
    from ...fits.base import Fit
    from ...fits.point import PointFit

_LIMITS = (0.025, 0.975)


def fixed_effects(fit: Fit, ddf: str | float | None = None) -> str:
    """Coefficients with 95 % intervals; of point fits also with tests, judged as `ddf` says."""
    if not len(fit.coefficients):
        return ""
    name = fit.model.family.scale
    scale = "" if name == "identity" else f", on the {name} scale"
    if fit.sampled:
        parts = [
            f"{name} {_with_limits(row['mean'], row['lower'], row['upper'], row['sd'])}"
            for name, row in fit.coefficients.iterrows()
        ]
        return f"Fixed effects (posterior means with 95 % credible intervals{scale}): {'; '.join(parts)}."
    judged_by = reference(fit, ddf)
    how = f"estimates with 95 % confidence intervals and tests by {judged_by.words}{scale}"
    notes = (text for text in (judged_by.errors, *judged_by.notes) if text)
    return " ".join([f"Fixed effects ({how}): {'; '.join(_tested(fit, judged_by))}.", *notes])


def _tested(fit: Fit, judged_by: Reference) -> Iterator[str]:
    """Each coefficient of a point fit: Days 10.47 [7.21, 13.72], t(17.0) = 6.77, p = 3.26e-06."""
    estimates, every = judged_by.coefficients(cast("PointFit", fit)), np.eye(len(judged_by.root))
    se, dfs = np.linalg.norm(judged_by.root, axis=1), judged_by.df(every)
    for name, value, error, df in zip(fit.coefficients.index, estimates, se, dfs, strict=True):
        half = stdtrit(df, _LIMITS[1]) * error
        said = f"{name} {_with_limits(value, value - half, value + half, error)}"
        if isfinite(half) and half > 0:
            p = probability(2 * stdtr(df, -abs(value / error)))
            letter = f"t({df:.1f})" if isfinite(df) else "z"
            said += f", {letter} = {value / error:.2f}, p {p if p[0] == '<' else f'= {p}'}"
        yield said


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
