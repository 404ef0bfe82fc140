"""Where the chains start: a point fit, moved off the boundary, in the terms of the program's sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...covariance import CORRELATION, Values
from ...priors.default import column_spreads, location_and_scale
from ...priors.distributions import Kind
from ...priors.origin import origins, stated_rows
from ..program.collapsed import CollapsedProgram
from ..program.explicit import ExplicitProgram
from ..program.sites import TermSites

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from ...model import Model

SD_FLOOR = 0.05  # times s / s_z: an sd of zero has no logarithm
CORRELATION_CAP = 0.95  # beyond it the factor's transform is too steep to start from
SINGULAR = 1e-4  # smallest singular value of a factor with unit rows: a direction without variance
TINY = 1e-300
DISPERSION = 0.5  # of the log of a dispersion parameter: more where it goes to its limit, less with many rows
SHAPE = 0.25  # of a correlation's unconstrained parameter where rows say nothing: the metric's floor trebles it
CENTER_ABOVE = 0.2  # share of an effect's variance that rows explain, below which spherical effects mix better


@dataclass(frozen=True)
class Start:
    """A point to start from: `coefficients` (p,) by predictor, `dispersion`, absolute `factors`, `effects` (levels, k).

    No `Parameters`, which are of columns as typed: what belongs to a bar is that of the columns its priors speak of,
    about their means where `priors.origin` says so, its factors off the boundary.
    `coefficient_sds` (p,) are standard errors of the coefficients that priors speak of, `reliability` (k,) per bar the
    share of the effects' variance that the rows explain (0 to 1), averaged over levels; `effect_sds` (levels, k)
    conditional on the rows; `scale` is sigma, or 1 in a model without scale.
    """

    coefficients: dict[str, np.ndarray]
    coefficient_sds: dict[str, np.ndarray]
    dispersion: dict[str, float]
    factors: tuple[np.ndarray, ...]
    effects: tuple[np.ndarray, ...]
    effect_sds: tuple[np.ndarray, ...]
    reliability: tuple[np.ndarray, ...]
    scale: float

    def centering(self) -> tuple[np.ndarray, ...]:
        """How far each column of a bar is better sampled centred, from 0 (spherical) to 1 (the effects themselves).

        The root of the reliability mixed better than the reliability on one-way, nested and slope models.
        """
        return tuple(
            np.sqrt(share) if np.any(share > CENTER_ABOVE) else np.zeros_like(share) for share in self.reliability
        )

    def other_centering(self) -> tuple[np.ndarray, ...] | None:
        """Fully centred where `centering` goes part of the way; None where one bar, or none, is centred at all.

        Factors that share their variance (broods within locations) mix better so than part of the way.
        """
        first = self.centering()
        if len(first) < 2 or not any(np.any((power > 0) & (power < 1)) for power in first):
            return None
        return tuple(np.where(power > 0, 1.0, 0.0) for power in first)


def start_from(fit: PointFit, model: Model) -> Start:
    """The start values of a point fit: sds floored at 0.05 s / s_z, correlations capped at 0.95."""
    found, dispersion = fit.parameters, fit.dispersion
    factors = [found.factor(j)[0, 0] for j in range(len(found.factors))]
    return Start(
        coefficients={name: values[0, 0] for name, values in found.coefficients.items()},
        coefficient_sds=_stated_sds(model, fit.coefficient_root),
        dispersion=dispersion,
        **stated_bars(model, factors, fit.b, fit.b_covariances),
        scale=dispersion["sigma"] if model.has_scale else 1.0,
    )


def _stated_sds(model: Model, root: np.ndarray) -> dict[str, np.ndarray]:
    """By predictor standard errors (p,) of what priors speak of; `root` F (P, .), F F' the coefficients' covariance."""
    design = model.design
    return {
        name: np.linalg.norm(stated_rows(predictor, design.used, model.priors) @ root[design.places[name]], axis=1)
        for name, predictor in design.predictors.items()
    }


def stated_bars(
    model: Model, factors: Sequence[np.ndarray], b: Sequence[np.ndarray], conditional: Sequence[np.ndarray]
) -> dict[str, tuple[np.ndarray, ...]]:
    """What a `Start` has of every bar, from roots (k, k), effects (L, k) and their covariances for columns as typed."""
    found: dict[str, list[np.ndarray]] = {"factors": [], "effects": [], "effect_sds": [], "reliability": []}
    for A, factor, effects, spread in zip(origins(model), factors, b, conditional, strict=True):
        back = np.eye(len(factor)) if A is None else np.linalg.inv(A)
        stated, spread = back @ factor, back @ spread @ back.T
        found["factors"].append(stated)
        found["effects"].append(np.asarray(effects, dtype=float) @ back.T)
        found["effect_sds"].append(np.sqrt(np.maximum(np.diagonal(spread, axis1=1, axis2=2), 0.0)))
        found["reliability"].append(reliability(stated, spread))
    return {name: tuple(parts) for name, parts in found.items()} | {"factors": inner_factors(model, found["factors"])}


def inner_factors(model: Model, factors: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Covariance factors (k, k) of every bar, those its priors speak of, moved off the boundary."""
    _, s = location_and_scale(model.design, model.family)
    used = model.design.used
    floors = [SD_FLOOR * s / column_spreads(group.Z[used]) for group in model.design.groups]
    return tuple(inner_factor(factor, floor) for factor, floor in zip(factors, floors, strict=True))


def inner_factor(factor: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """The Cholesky factor (k, k) of the nearest covariance with sds above `floor` (k,) and |correlations| <= 0.95.

    >>> inner_factor(np.zeros((2, 2)), np.array([0.1, 0.2]))
    array([[0.1, 0. ],
           [0. , 0.2]])
    """
    covariance = factor @ factor.T
    raw = np.sqrt(np.diag(covariance))
    correlation = covariance / np.where(raw > 0, np.outer(raw, raw), 1.0)
    np.fill_diagonal(correlation, 1.0)
    worst = np.max(np.abs(correlation - np.eye(len(raw))), initial=0.0)
    # Rank-deficient blocks can have small correlations; shrinking towards none gives eigenvalues >= 0.05.
    singular = np.linalg.eigvalsh(correlation)[0] < 1 - CORRELATION_CAP
    share = min(CORRELATION_CAP / max(worst, CORRELATION_CAP), CORRELATION_CAP if singular else 1.0)
    correlation = share * correlation + (1 - share) * np.eye(len(raw))
    return np.maximum(raw, floor)[:, None] * np.linalg.cholesky(correlation)


def reliability(factor: np.ndarray, conditional: np.ndarray) -> np.ndarray:
    """1 - Var(b | y) / Var(b) per column (k,), averaged over levels; `conditional` is (levels, k, k); 0 at sd 0.

    Also 0 in every column where the covariance is rank-deficient: the posterior then reaches to zero in some
    direction, where centred effects make a funnel.
    """
    if len(factor) > 1:
        sds = np.linalg.norm(factor, axis=1, keepdims=True)
        if np.linalg.svd(factor / np.maximum(sds, TINY), compute_uv=False)[-1] < SINGULAR:
            return np.zeros(len(factor))
    total = np.broadcast_to(np.sum(factor**2, axis=1), conditional.shape[:2])
    left = np.diagonal(conditional, axis1=1, axis2=2)
    shares = 1 - np.divide(left, total, out=np.ones_like(total), where=total > 0)
    return np.clip(shares, 0.0, 1.0).mean(axis=0)


def site_values(start: Start, program: ExplicitProgram | CollapsedProgram, data: dict[str, Any]) -> dict[str, Any]:
    """The start values by sample site; `data` are the program's arguments."""
    values: dict[str, Any] = {}
    for sites in program.predictors:
        values |= sites.values_at(data["stated"][sites.predictor] @ start.coefficients[sites.predictor])
    for parts in zip(program.terms, start.factors, start.effects, _centering(program.terms, data), strict=True):
        values |= _block_values(*parts, start.scale)
    values |= {name: np.asarray(start.dispersion[name]) for name, _ in program.dispersion.free}
    for name, kind in _kinds(program).items():
        # A point fit knows no priors: a bounded one may exclude what it found.
        values[name] = kind.with_numbers(data["priors"][name]).inside(values[name])
    return {name: np.asarray(value, dtype=float) for name, value in values.items()}


def _kinds(program: ExplicitProgram | CollapsedProgram) -> dict[str, Kind]:
    """The kind of prior of every site that holds numbers (effects, and factors of matrices, are unbounded)."""
    kinds = dict(program.dispersion.free)
    for sites in program.predictors:
        kinds |= sites.kinds
    for term in program.terms:
        kinds |= term.spread.kinds
        kinds |= {name: kind for name, kind in term.shapes if kind.prior.support != CORRELATION}
    return kinds


def _centering(terms: tuple[TermSites, ...], data: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """How far each bar is centred; programs that integrate effects out have no such argument."""
    return data.get("centering", tuple(np.zeros(term.n_columns) for term in terms))


def _block_values(
    term: TermSites, factor: np.ndarray, effects: np.ndarray, power: np.ndarray, scale: float
) -> dict[str, Any]:
    sds, shapes = term.covariance.values(factor)
    values: dict[str, Any] = dict(term.spread.values_at(sds, scale))
    values |= {name: shape for (name, _), shape in zip(term.shapes, shapes, strict=True)}
    if not term.covariance.parameters(term.n_columns).by_column:
        factor = term.covariance.factor_from(Values(sds, shapes), term.n_columns, np)
        sds = np.sqrt(np.sum(factor**2, axis=1))
    if term.centered:
        values[str(term.effect_site)] = effects / sds ** (1 - power)
    elif term.effect_site:
        values[term.effect_site] = np.linalg.solve(factor, effects.T).T
    return values


def site_scales(
    start: Start, program: ExplicitProgram | CollapsedProgram, data: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Rough posterior sds of the unconstrained sites: how far a first step may go in each direction."""
    scales: dict[str, np.ndarray] = {}
    for sites in program.predictors:  # at centred columns an intercept is known as well as the best of its columns
        scales |= sites.values_at(start.coefficient_sds[sites.predictor])
    centering = _centering(program.terms, data)
    parts = zip(program.terms, start.factors, start.effect_sds, start.reliability, centering, strict=True)
    for each in parts:
        scales |= _block_scales(*each)
    scales |= {name: np.asarray(DISPERSION) for name, _ in program.dispersion.free}
    return scales


def _block_scales(
    term: TermSites, factor: np.ndarray, effect_sds: np.ndarray, reliability: np.ndarray, power: np.ndarray
) -> dict[str, np.ndarray]:
    k, levels = term.n_columns, term.n_levels
    free, said = term.covariance.parameters(k), levels * np.mean(reliability) ** 2
    scales = term.spread.rough_scales(levels, free.of_sds(reliability))
    for (name, _), shape in zip(term.shapes, free.shapes, strict=True):
        scales[name] = np.full(shape.axes, 1 / np.sqrt(1 / SHAPE**2 + said))
    if term.effect_site and not term.centered:
        scales[term.effect_site] = np.ones((levels, k))  # standard normal before rows speak, and often after
    elif term.effect_site:
        sds = np.sqrt(np.sum(factor**2, axis=1))
        # Where ML says zero the rows say nothing of the effects, and the floor under the sds is their scale.
        known = np.where(effect_sds > 0, np.minimum(effect_sds, sds), sds)
        scales[term.effect_site] = known / sds ** (1 - power)
    return scales
