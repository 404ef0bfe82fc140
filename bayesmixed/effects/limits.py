"""On which scale the limits of means are made, so that they stay inside the range that means have.

One row's mean is a function of its linear predictor, which is normal: its limits are the predictor's, transformed back.
An average of such means, over rows or over random effects, is no function of one predictor. Its limits are by the delta
method on the scale of the link (of the logarithm or logit where the mean is not the inverse link), transformed back:
the same as before where all rows are alike, and inside the range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from ..prediction.responses import location
from .quantities import AS_IS, Elementwise, Limits, Linearised, Scale

if TYPE_CHECKING:
    from ..design.design import Design
    from .mean.question import MeanValues, Question
    from .rows.grid import EffectRows

PROBE = np.array([[0.3, 0.7]])  # predictors and means of every link
LOGARITHM, ODDS = Scale(np.log, lambda m: 1 / m), Scale(logit, lambda m: 1 / (m * (1 - m)))


def limits_of(
    values: MeanValues, rows: EffectRows, question: Question, design: Design, found: Linearised
) -> Limits | None:
    """Limits of means; None for predictors that are no means, and for means that are predictors and have no ends."""
    family = values.family
    plain = np.array_equal(family.mean(PROBE, values.dispersion), PROBE)
    same = plain and np.array_equal(family.link.forward(PROBE), PROBE)
    if (same and np.isinf(family.eta_range).all()) or (question.scale == "link" and not same):
        return None
    inward, back, words, ends = _scale(values, plain)
    centre, se = found.values, found.se()
    with np.errstate(all="ignore"):  # at the very ends of the range, where `Limits` clips
        centre, se = inward.show(centre), np.abs(inward.slope(centre)) * se
    alone = _alone(rows, question, design, len(centre))
    if alone.any():
        row = np.flatnonzero(alone[rows.cells])
        centre[rows.cells[row]] = design.eta(values.parameters, ())["mu"][0, row]
        se[rows.cells[row]] = np.linalg.norm(design.mu.X[row] @ found.root, axis=1)
    centre = np.where(np.isnan(found.values), np.nan, centre)

    def show(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.where(alone, values.response(x[None])[0], back(x))

    link = f"link ({family.link.name})"
    if same:
        cut = " and ".join(f"{end:.4g}" for end in ends if np.isfinite(end))
        return Limits(centre, se, show, ends, f"cut off at {cut}", alone)
    if alone.all():
        return Limits(centre, se, show, ends, f"on the scale of the {link}, transformed back", alone)
    made = f"by the delta method on the scale of the {words or link}, transformed back"
    return Limits(centre, se, show, ends, made, alone)


def _scale(values: MeanValues, plain: bool) -> tuple[Scale, Elementwise, str, tuple[float, float]]:
    """To the scale on which averages have their limits and back, what it is called (empty: the link), and the ends."""
    family = values.family
    low, high = _ends(values)
    if plain:
        return Scale(family.link.forward, family.link.slope), lambda eta: location(family, eta), "", (low, high)
    if low == 0 and high == np.inf:
        return LOGARITHM, np.exp, "logarithm", (low, high)
    if low == 0 and high == 1:
        return ODDS, expit, "logit", (low, high)
    return AS_IS, lambda x: x, "response", (low, high)


def _ends(values: MeanValues) -> tuple[float, float]:
    """Of the means; infinite where they cannot be told."""
    with np.errstate(all="ignore"):
        ends = np.ravel(values.response(np.array([values.family.eta_range])))
    low, high = np.min(ends), np.max(ends)
    return (-np.inf, np.inf) if np.isnan(low) else (float(low), float(high))


def _alone(rows: EffectRows, question: Question, design: Design, m: int) -> np.ndarray:
    """Which of the m numbers are the mean of one row, given its predictor."""
    if question.kind == "population" and design.mu.groups:
        return np.zeros(m, bool)
    whole = np.bincount(rows.cells, np.abs(rows.weights - 1) < 1e-12, m) == 1
    return whole & (np.bincount(rows.cells, minlength=m) == 1)
