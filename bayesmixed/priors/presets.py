"""The presets besides the default: other conventions, each with its own numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..design.design import Design
from ..errors import ModelError
from ..families import Family
from ..parameters.names import REAL, Slot, block_slots, slots, term_names
from .default import column_spreads, default, location_and_scale
from .distributions import (
    Decov,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    Normal,
    Prior,
    StudentT,
    Uniform,
)
from .priors import Priors
from .shapes import even

WIDE = 2.5  # sds of the response that rstanarm and bambi allow an effect of one sd of a column


def flat(design: Design, family: Family) -> Priors:
    """A constant density on coefficients, each sd, sigma and the correlation matrices."""
    shapes = _even_shapes(design)
    chosen = {slot.name: shapes.get(slot.name) or flat_on(slot) for slot in slots(design, family)}
    return Priors.of(chosen, "flat")


def flat_on(slot: Slot) -> Prior:
    """A constant density where one number may lie, proper where that is an interval."""
    return Uniform(*slot.bounds) if np.all(np.isfinite(slot.bounds)) else Flat(slot.support)


def brms(design: Design, family: Family) -> Priors:
    """The defaults of brms 2.23: robust location and scale, flat slopes, LKJ(1).

    Intercept at centred columns Student-t(3, median, s), sds and sigma half-Student-t(3, 0, s) with
    s = max(2.5, mad) of the response on the link scale, both rounded to one decimal; the offset's mean moves the
    location. For probability links and two-level responses Student-t(3, 0, 2.5), and for the intercept of a sigma with
    a predictor. Of other dispersion parameters: `_OF_BRMS`.

    Raises
    ------
    ModelError
        For a family that brms does not have.
    """
    others = _known("brms", family, _OF_BRMS)
    centre, s = _median_and_mad(design, family)
    others = others | _even_shapes(design)
    chosen: dict[str, Prior] = {}
    for slot in slots(design, family):
        chosen[slot.name] = others.get(slot.name, Flat() if slot.support == REAL else HalfStudentT(3.0, s))
    for name, predictor in design.predictors.items():
        if predictor.has_intercept:
            level = StudentT(3.0, centre, s) if name == "mu" else StudentT(3.0, 0.0, 2.5)
            chosen[f"{predictor.prefix}Intercept_centered"] = level
    return Priors.of(chosen, "brms", centered=False)


def _median_and_mad(design: Design, family: Family) -> tuple[float, float]:
    """Rounded as R rounds, to one decimal; the mad carries its normal-consistency constant."""
    response, link = design.response, family.link
    if response is None or response.levels is not None or np.isfinite(link.range[1]):
        return 0.0, 2.5
    used = design.used
    y = family.normalised(response.y[used])
    with np.errstate(invalid="ignore", divide="ignore"):
        y = y if np.isfinite(link.forward(np.float64(0.0))) else np.where(y == 0, 0.1, y)
        linked = link.forward(y)
    centre = float(np.nanmedian(linked))
    mad = round(1.4826 * float(np.nanmedian(np.abs(linked - centre))), 1)
    return round(centre, 1) - float(np.mean(design.mu.offset[used])), max(2.5, mad)


_OF_BRMS: dict[str, Prior] = {"tails": Gamma(2.0, 0.1), "size": InverseGamma(0.4, 0.3)}
_OF_BRMS |= dict.fromkeys(("precision", "variation", "variation of the mean"), Gamma(0.01, 0.01))


def rstanarm(design: Design, family: Family) -> Priors:
    """The defaults of rstanarm 2.21 to 2.32: normal coefficients, exponential dispersion, decov for every bar.

    With m_y and s_y the mean and sd of the response (0 and 1 where it is not gaussian with the identity link):
    Normal(m_y, 2.5 s_y) for the intercept at centred columns, Normal(0, 2.5 s_y / sd(x)) for slopes, whatever the
    number of values of x, both 1.596 times as wide for the probit link; Exponential with mean s_y for sigma, mean 1 for
    any other dispersion parameter.

    Raises
    ------
    ModelError
        For a family that rstanarm does not have.
    """
    others = _known("rstanarm", family, {})
    predicted = [name for name in design.predictors if name != "mu"]
    if predicted:
        raise ModelError(
            f"priors='rstanarm' has no rule for the predictor of {predicted[0]}, which rstanarm does not have. "
            'Use priors="default", or a dict with priors of your own.',
            topic="preset",
        )
    _refuse_structures(design)
    m, s = _mean_and_sd(design, family, ddof=1) if family.link.linear else (0.0, 1.0)
    # the height of the density under the link over that of the logistic
    wide = s * (4 * family.link.steepest if np.isfinite(family.link.steepest) else 1.0)
    chosen: dict[str, Prior] = dict(_slopes(design, wide, ddof=1))
    if design.mu.has_intercept:
        chosen = {"Intercept_centered": Normal(m, WIDE * wide)} | chosen
    chosen |= {block.name: Decov() for block in block_slots(design, family)}
    chosen |= {name: Exponential(1 / s) for name in family.dispersion if name not in design.predictors} | others
    return Priors.of(chosen, "rstanarm", centered=False)


def _refuse_structures(design: Design) -> None:
    for group, named in zip(design.groups, term_names(design), strict=True):
        if not named.whole:
            raise ModelError(
                f'priors="rstanarm" has no rule for {group.text}: its prior is one of all sds and correlations, each '
                'free. Use priors="default", or a dict with priors of your own.',
                topic="preset",
            )


def bambi(design: Design, family: Family) -> Priors:
    """The defaults of bambi 0.17 to 0.21, and LKJ(1) for the correlations that it does not have.

    With s_y the sd of the response (1 where it is neither gaussian nor student) and sd(x) that of a column, both with
    denominator n: Normal(0, 2.5 s_y / sd(x)) for slopes, Normal(mean of y, w) for the intercept at centred columns,
    half-Normal(0, 2.5 s_y / sd(x)) for the sd of a slope and half-Normal(0, w) for that of an intercept,
    half-Student-t(4, 0, s_y) for sigma, half-Cauchy(1) for other dispersion, where
    w^2 = (2.5 s_y)^2 + sum of (prior sd of a slope times mean of its column)^2. Bernoulli and binomial responses with
    logit or probit link: Normal(0, 1.5) for the intercept, Normal(0, 1) for columns of factors, Normal(0, 1 / sd(x))
    for others. Normal(0, 1) for every coefficient of a sigma with a predictor.

    Raises
    ------
    ModelError
        For a family that bambi does not have.
    """
    others = _known("bambi", family, _OF_BAMBI)
    m, s = _mean_and_sd(design, family, ddof=0)
    binary = family.binary and np.isfinite(family.link.steepest)  # the logit and the probit link
    slopes = _bambi_binary_slopes(design) if binary else _slopes(design, s, ddof=0)
    means = dict(zip(design.mu.coefficients, design.mu.X[design.used].mean(axis=0), strict=True))
    wide = float(np.hypot(WIDE * s, np.linalg.norm([prior.scale * means[name] for name, prior in slopes.items()])))
    chosen: dict[str, Prior] = dict(slopes)
    if design.mu.has_intercept:
        chosen = {"Intercept_centered": Normal(0.0, 1.5) if binary else Normal(m, wide)} | chosen
    names = term_names(design)
    for group, named in zip(design.groups, names, strict=True):
        sds = _sds(group.Z[design.used], ddof=0)
        scales = np.array(
            [wide if c == "Intercept" else WIDE * s / sd for c, sd in zip(group.columns, sds, strict=True)]
        )
        chosen |= {n: HalfNormal(float(w)) for n, w in zip(named.sds, named.free.of_sds(scales), strict=True)}
    chosen |= _even_shapes(design)
    dispersion = [name for name in family.dispersion if name not in design.predictors]
    chosen |= {name: others.get(name, HalfStudentT(4.0, s)) for name in dispersion}
    chosen |= {slot.name: Normal(0.0, 1.0) for slot in slots(design, family) if slot.name not in chosen}
    return Priors.of(chosen, "bambi", centered=False)


_OF_BAMBI: dict[str, Prior] = {"tails": Gamma(2.0, 0.1)}
_OF_BAMBI |= dict.fromkeys(("precision", "size", "variation", "variation of the mean"), HalfCauchy(1.0))


def _even_shapes(design: Design) -> dict[str, Prior]:
    """A constant density on what shapes the covariances."""
    named = term_names(design)
    return {name: even(s) for names in named for name, s in zip(names.shapes, names.free.shapes, strict=True)}


def _bambi_binary_slopes(design: Design) -> dict[str, Normal]:
    """sd 1 for columns of factors alone, 1 / sd(x) for others; an interaction of both goes by its columns' sum."""
    mu, used, found = design.mu, design.used, {}
    for term, positions in mu.terms.items():
        columns = mu.X[used][:, list(positions)]
        together = float(np.std(columns.sum(axis=1))) if ":" in term and len(positions) > 1 else None
        for j, sd in zip(positions, _sds(columns, ddof=0), strict=True):
            name = mu.coefficients[j]
            if name != "Intercept":
                factors = all(part.endswith("]") for part in name.split(":")) and set(mu.X[used][:, j]) <= {-1, 0, 1}
                found[name] = Normal(0.0, 1.0 if factors else 1 / (together or sd))
    return found


def _known(preset: str, family: Family, table: Mapping[str, Prior]) -> dict[str, Prior]:
    """What the program of that name says of the family's own parameters, from its priors by rule."""
    if preset not in family.elsewhere:
        raise ModelError(
            f"priors={preset!r} has no rule for the {family.name} family, which {preset} does not have. "
            'Use priors="default", or a dict with priors of your own.',
            topic="preset",
        )
    return {parameter.name: table[parameter.rule] for parameter in family.others if parameter.rule in table}


def _mean_and_sd(design: Design, family: Family, ddof: int) -> tuple[float, float]:
    """Of the response, offset left in, for families with a scale in its unit; 0 and 1 for others."""
    if design.response is None or not any(parameter.role == "scale" for parameter in family.others):
        return 0.0, 1.0
    y = design.response.y[design.used]
    sd = float(np.std(y, ddof=ddof)) if len(y) > 1 else 0.0
    return float(np.mean(y)), sd if sd > 0 else 1.0


def _slopes(design: Design, s: float, ddof: int) -> dict[str, Normal]:
    sds = _sds(design.mu.X[design.used], ddof)
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
    for group, named in zip(design.groups, term_names(design), strict=True):
        spreads = column_spreads(group.Z[design.used])
        pairs = zip(named.sds, named.free.of_sds(spreads), strict=True)
        chosen |= {sd: Gamma(2.5, 1.5 * s_z / s) for sd, s_z in pairs}
    return Priors.of(chosen, "boundary_avoiding")
