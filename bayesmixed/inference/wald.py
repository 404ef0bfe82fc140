"""Wald limits: estimate +- quantile x standard error, of what has a standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import t as student

from ..degrees.methods import reference
from ..degrees.reference import too_few
from ..fits.tables import scalar_table
from ..messages import Told
from ..page import listed
from .profile.parameters import Parameter, estimates_by, ground

if TYPE_CHECKING:
    from ..fits.point import PointFit

STEP = 1e-5  # of a coordinate: of the differences of a change of coordinates


@dataclass(frozen=True)
class Wald:
    """`table` with estimate, lower, upper and kind by parameter, and what to know."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def wald(fit: PointFit, wanted: Sequence[Parameter], level: float, ddf: str | float | None) -> Wald:
    """Limits of coefficients by their reference; of other parameters by the Hessian, where the fit has formed one.

    lme4's Wald intervals leave sds and correlations out, and so does this for linear models with one sigma, whose
    criterion is profiled: their distribution is skew, and at zero there is no normal one.
    """
    judged = reference(fit, ddf)
    P = len(fit.model.design.coefficients)
    values = [float(v[0, 0]) for v in scalar_table(fit.model.design, fit.parameters)["values"]]
    values[:P] = judged.coefficients(fit).tolist()
    spreads = _spreads(fit, len(values))
    rows, without = [], []
    for each in wanted:
        if each.place < P:
            row = np.eye(P)[[each.place]]
            se, df = float(np.sqrt(judged.covariance(row)[0, 0])), float(judged.df(row)[0])
            half = se * float(ndtri(0.5 + level / 2) if np.isinf(df) else student.ppf(0.5 + level / 2, df))
        else:
            half = float(ndtri(0.5 + level / 2)) * spreads[each.place]
        value, known = values[each.place], bool(np.isfinite(half))
        without += [] if known else [each.label]
        rows.append((value, value - half, value + half, "wald" if known else "none"))
    table = pd.DataFrame(rows, columns=["estimate", "lower", "upper", "kind"], index=[each.label for each in wanted])
    return Wald(
        table,
        (
            Told("limits", f"Limits of coefficients: {judged.words}."),
            *too_few(judged.df(np.eye(P)[[each.place for each in wanted if each.place < P]])),
            *filter(None, [judged.errors]),
            *judged.notes,
            *_notes(table, wanted, without, fit.engine.regularised),
        ),
    )


def _notes(table: pd.DataFrame, wanted: Sequence[Parameter], without: Sequence[str], penalised: bool) -> list[str]:
    notes: list[str] = []
    others = [each for each in wanted if each.label not in without and each.kind != "fixed"]
    limits = table[["lower", "upper"]].to_numpy(dtype=float)
    rows = [list(table.index).index(each.label) for each in others]
    pairs = zip(others, limits[rows], strict=True)
    outside = [each.label for each, (low, high) in pairs if low < each.ends[0] or high > each.ends[1]]
    if others:
        notes.append(
            Told(
                "limits",
                "Limits of other parameters: normal, by the Hessian at the estimates; profiles are better for them.",
            )
        )
    if outside:
        notes.append(
            Told("bend", f"Outside of what is possible: {listed(outside)}. A normal distribution does not fit there.")
        )
    if without:
        profiled = 'bm.confint(model.fit("ml"))' if penalised else "bm.confint(fit)"
        notes.append(
            Told("no-standard-errors", f"No standard error: {listed(without)}. {profiled} gives profile limits.")
        )
    return notes


def _spreads(fit: PointFit, m: int) -> np.ndarray:
    """Standard errors (m,) of all parameters by the fit's own Hessian; NaN without one, and of what is on a bound."""
    curvature, said = fit.curvature, ground(fit).point
    if curvature is None or said is None:
        return np.full(m, np.nan)
    point, free, x = estimates_by(fit.model.design, said), curvature.free, curvature.x
    J = np.zeros((m, len(x)))
    for i in free:
        step = np.zeros(len(x))
        step[i] = STEP * (1 + abs(x[i]))
        J[:, i] = (point(x + step) - point(x - step)) / (2 * step[i])
    found = np.sqrt(np.einsum("mi,ij,mj->m", J, curvature.covariance, J))
    return np.where(found > 0, found, np.nan)
