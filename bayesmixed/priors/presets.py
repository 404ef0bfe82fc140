"""The presets besides the default: other conventions, each with its own numbers."""

from __future__ import annotations

import numpy as np

from ..families import Family
from ..formula.design import Design
from .default import column_spreads, default, location_and_scale, rows_used
from .distributions import LKJ, Flat, Gamma, HalfStudentT, Prior, StudentT
from .names import CORRELATION, REAL, slots, term_names
from .table import Priors


def flat(design: Design, family: Family) -> Priors:
    """A constant density on coefficients, each sd, sigma and the correlation matrices."""
    chosen: dict[str, Prior] = {}
    for slot in slots(design, family):
        chosen[slot.name] = LKJ(1.0) if slot.support == CORRELATION else Flat(slot.support)
    return Priors.of(chosen, "flat")


def brms(design: Design, family: Family) -> Priors:
    """The defaults of brms 2.23 for Gaussian models: robust location and scale, flat slopes, LKJ(1).

    Intercept at centred columns Student-t(3, median, s), sds and sigma half-Student-t(3, 0, s) with
    s = max(2.5, mad) of y, both rounded to one decimal; the offset's mean moves the location.
    """
    used = rows_used(design)
    y = design.response.y[used] if design.response is not None else np.zeros(1)
    centre, s = _median_and_mad(y)
    centre -= float(np.mean(design.mu.offset[used]))
    chosen: dict[str, Prior] = {}
    for slot in slots(design, family):
        wide = LKJ(1.0) if slot.support == CORRELATION else HalfStudentT(3.0, s)
        chosen[slot.name] = Flat() if slot.support == REAL else wide
    if design.mu.has_intercept:
        chosen["Intercept_centered"] = StudentT(3.0, centre, s)
    return Priors.of(chosen, "brms")


def _median_and_mad(y: np.ndarray) -> tuple[float, float]:
    """Rounded as R rounds, to one decimal; the mad carries its normal-consistency constant."""
    centre = float(np.median(y))
    mad = 1.4826 * float(np.median(np.abs(y - centre)))
    return round(centre, 1), max(2.5, round(mad, 1))


def boundary_avoiding(design: Design, family: Family) -> Priors:
    """The default with sd ~ Gamma(2.5, rate 1.5 s_z / s): proper, and zero at zero."""
    base = default(design, family)
    _, s = location_and_scale(design, family)
    chosen = dict(base.entries)
    for group, named in zip(design.groups, term_names(design.groups), strict=True):
        spreads = column_spreads(group.Z[rows_used(design)])
        chosen |= {sd: Gamma(2.5, 1.5 * s_z / s) for sd, s_z in zip(named.sds, spreads, strict=True)}
    return Priors.of(chosen, "boundary_avoiding")
