"""The presets besides the default: other conventions, each with its own numbers."""

from __future__ import annotations

import numpy as np

from ..families import Family
from ..formula.design import Design
from .default import column_spreads, default, location_and_scale, rows_used
from .distributions import LKJ, Decov, Exponential, Flat, Gamma, HalfNormal, HalfStudentT, Normal, Prior, StudentT
from .names import CORRELATION, REAL, block_slots, slots, term_names
from .table import Priors

WIDE = 2.5  # sds of the response that rstanarm and bambi allow an effect of one sd of a column


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


def rstanarm(design: Design, family: Family) -> Priors:
    """The defaults of rstanarm 2.21 to 2.32: normal coefficients, exponential sigma, decov for every bar.

    With m_y and s_y the mean and sd of the response (0 and 1 where it is not normal): Normal(m_y, 2.5 s_y) for
    the intercept at centred columns, Normal(0, 2.5 s_y / sd(x)) for slopes, whatever the number of values of x,
    Exponential with mean s_y for sigma.
    """
    m, s = _mean_and_sd(design, family, ddof=1)
    chosen: dict[str, Prior] = dict(_slopes(design, s, ddof=1))
    if design.mu.has_intercept:
        chosen = {"Intercept_centered": Normal(m, WIDE * s)} | chosen
    chosen |= {block.name: Decov() for block in block_slots(design, family)}
    chosen |= {name: Exponential(1 / s) for name in family.dispersion if name not in design.predictors}
    return Priors.of(chosen, "rstanarm")


def bambi(design: Design, family: Family) -> Priors:
    """The defaults of bambi 0.17 to 0.21, and LKJ(1) for the correlations that it does not have.

    With s_y the sd of the response and sd(x) that of a column, both with denominator n: Normal(0, 2.5 s_y / sd(x))
    for slopes, Normal(mean of y, w) for the intercept at centred columns, half-Normal(0, 2.5 s_y / sd(x)) for the
    sd of a slope and half-Normal(0, w) for that of an intercept, half-Student-t(4, 0, s_y) for sigma, where
    w^2 = (2.5 s_y)^2 + sum of (prior sd of a slope times mean of its column)^2.
    """
    m, s = _mean_and_sd(design, family, ddof=0)
    slopes = _slopes(design, s, ddof=0)
    means = dict(zip(design.mu.coefficients, design.mu.X[rows_used(design)].mean(axis=0), strict=True))
    wide = float(np.hypot(WIDE * s, np.linalg.norm([prior.scale * means[name] for name, prior in slopes.items()])))
    chosen: dict[str, Prior] = dict(slopes)
    if design.mu.has_intercept:
        chosen = {"Intercept_centered": Normal(m, wide)} | chosen
    names = term_names(design.groups)
    for group, named in zip(design.groups, names, strict=True):
        sds = _sds(group.Z[rows_used(design)], ddof=0)
        for column, name, sd in zip(group.columns, named.sds, sds, strict=True):
            chosen[name] = HalfNormal(wide if column == "Intercept" else WIDE * s / sd)
    chosen |= {named.correlation: LKJ(1.0) for named in names if named.correlation}
    chosen |= {name: HalfStudentT(4.0, s) for name in family.dispersion if name not in design.predictors}
    return Priors.of(chosen, "bambi")


def _mean_and_sd(design: Design, family: Family, ddof: int) -> tuple[float, float]:
    """Of the response, offset left in; 0 and 1 where it is not normal."""
    if not family.normal_conditional or design.response is None:
        return 0.0, 1.0
    y = design.response.y[rows_used(design)]
    sd = float(np.std(y, ddof=ddof)) if len(y) > 1 else 0.0
    return float(np.mean(y)), sd if sd > 0 else 1.0


def _slopes(design: Design, s: float, ddof: int) -> dict[str, Normal]:
    sds = _sds(design.mu.X[rows_used(design)], ddof)
    pairs = zip(design.mu.coefficients, sds, strict=True)
    return {name: Normal(0.0, WIDE * s / sd) for name, sd in pairs if name != "Intercept"}


def _sds(columns: np.ndarray, ddof: int) -> np.ndarray:
    """The sd of each column (n, p) -> (p,), 1 of a constant one."""
    return np.array([np.std(column, ddof=ddof) if np.ptp(column) > 0 else 1.0 for column in columns.T])


def boundary_avoiding(design: Design, family: Family) -> Priors:
    """The default with sd ~ Gamma(2.5, rate 1.5 s_z / s): proper, and zero at zero."""
    base = default(design, family)
    _, s = location_and_scale(design, family)
    chosen = dict(base.entries)
    for group, named in zip(design.groups, term_names(design.groups), strict=True):
        spreads = column_spreads(group.Z[rows_used(design)])
        chosen |= {sd: Gamma(2.5, 1.5 * s_z / s) for sd, s_z in zip(named.sds, spreads, strict=True)}
    return Priors.of(chosen, "boundary_avoiding")
