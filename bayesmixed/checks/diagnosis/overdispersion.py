"""Do counts vary more than their family lets them, given the effects of the model?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import narwhals as nw
import numpy as np

from ...errors import BayesMixedError
from ...families import observed
from ...fits.base import Fit
from ...fits.point import PointFit
from ...prediction.responses import location
from ..finding import NOTE, WARNING, Finding
from ..singular.simpler import formula_with

CHECK = "dispersion"
SEED = 20_240_501  # the same replicates for the same fit: a diagnosis is one
REPLICATES = 400
MOST = 4_000_000  # responses drawn in all
FEWEST = 100  # replicates, however many rows
SELDOM = 0.05  # share of replicates that vary as much: worth a note
RARE = 0.01  # the same: chance is left out
START = 0.5  # sd of a row's own effect on the scale of the link, where its search begins
MUCH = 1.2  # in variance: standard errors are then too small by a tenth
FOLLOWED = 0.6  # share of the rows that effects take up, from which what is left says little of single rows


@dataclass(frozen=True)
class OverdispersionTest:
    """`ratio` of the responses' variance to the family's, and the share `p` of replicates that vary as much."""

    ratio: float
    p: float
    rows: int


def dispersion(fit: Fit) -> OverdispersionTest | None:
    """Pearson's statistic over its degrees of freedom, n less what coefficients and effects take up.

    In a linear mixed model the residuals about the estimated effects have exactly n less the trace of the hat matrix as
    their expected sum of squares, the effects' own distribution averaged over; here nearly so, or less. Its spread is
    that of the same statistic of responses drawn at the fitted means, which small counts make skewed. None for families
    with a dispersion parameter of their own, for responses of two values, and where an effect follows every row.
    """
    model, family = fit.model, fit.model.family
    rows = np.flatnonzero(model.design.used)
    seen = observed(model.design, rows)
    if family.dispersion or not family.discrete or model.two_valued or _a_level_a_row(fit, rows):
        return None
    times = np.ones(len(rows)) if seen.weights is None else np.asarray(seen.weights, dtype=float)
    freedom = float(times.sum()) - (0.0 if fit.sampled else float(np.sum(cast(PointFit, fit).leverage()[rows])))
    if freedom < (1 - FOLLOWED) * times.sum():
        return None
    found, drawn = _statistics(fit, rows, times)
    ratio = found / freedom if not fit.sampled else found / times.sum()
    replicated = drawn / times.sum()
    p = (1 + np.sum(replicated >= ratio)) / (1 + len(replicated))
    return OverdispersionTest(ratio, float(p), len(rows))


def _a_level_a_row(fit: Fit, rows: np.ndarray) -> bool:
    return any(np.max(np.bincount(term.codes[rows])) == 1 for term in fit.model.design.mu.groups)


def _statistics(fit: Fit, rows: np.ndarray, times: np.ndarray) -> tuple[float, np.ndarray]:
    """Pearson's statistic of the data and of replicates (m,), about the fitted or the posterior mean predictors."""
    model, rng = fit.model, np.random.default_rng(SEED)
    family, design = model.family, model.design
    parameters = fit.parameters.mean()
    mu = location(family, design.eta(parameters)["mu"])[0][rows]
    seen = observed(design, rows)
    sd = family.sd(mu, {}, None, seen.trials)
    kept = (sd > 0) & (seen.trials > 0 if seen.trials is not None else True)
    size = 1.0 if seen.trials is None else seen.trials
    with np.errstate(divide="ignore", invalid="ignore"):
        # a row of frequency weight w counts w times; one draw for them all makes replicates vary more: the safe side
        found = float(np.sum((times * ((seen.y / size - mu) / sd) ** 2)[kept]))
        drawn = np.array(
            [
                np.sum((times * ((family.draw(rng, mu, {}, None, seen.trials) / size - mu) / sd) ** 2)[kept])
                for _ in range(int(np.clip(MOST // len(rows), FEWEST, REPLICATES)))
            ]
        )
    return found, drawn


def overdispersed(fit: Fit, found: OverdispersionTest | None, refit: bool) -> tuple[Finding, ...]:
    """The finding, with the AIC of models that allow more variation where a point fit may be refitted."""
    if found is None or found.ratio < MUCH or found.p > SELDOM:
        return ()
    name = fit.model.family.name
    what = f"overdispersed: the responses vary {found.ratio:.2f} times as much as the {name} family implies"
    words = (
        f"Pearson's statistic over its degrees of freedom is {found.ratio:.2f}, given the effects of the model; "
        f"of data sets that were {name}, {_share(found.p)} would reach that. {_verdict(found.p)} "
        "not in the model: standard errors of what varies within levels are too small, by a factor of about "
        f"{np.sqrt(found.ratio):.2g}."
    )
    rivals = _compared(cast(PointFit, fit)) if refit and not fit.sampled and not fit.engine.regularised else {}
    if rivals:
        listed = ", ".join(f"{label} {aic:.1f}" for label, aic in rivals.items())
        words += f" AIC: this fit {cast(PointFit, fit).aic:.1f}, {listed}."
    wider = f'model.replace(family="{fit.model.family.wider_family}"), or ' if fit.model.family.wider_family else ""
    remedy = f"{wider}an effect of every row: a column obs of row numbers, and + (1 | obs)"
    severity = WARNING if found.p <= RARE else NOTE
    return (Finding(CHECK, what, words, remedy, severity, topic="overdispersion"),)


def _verdict(p: float) -> str:
    words = "omething that varies from row to row is"
    return f"S{words}" if p <= RARE else f"Perhaps s{words}"


def _share(p: float) -> str:
    return f"no more than {p:.1%}" if p <= RARE else f"{p:.1%}"


def _compared(fit: PointFit) -> dict[str, float]:
    """AIC by what allows more variation; what cannot be fitted is left out."""
    found = {}
    for label, changes, theta in _rivals(fit):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                other = fit.model.replace(**changes).fit(replace(fit.engine, start=theta))  # type: ignore[type-var]
        except BayesMixedError:
            continue
        if other.status.converged and other.n_obs == fit.n_obs:  # type: ignore[union-attr]
            found[label] = other.aic
    return found


def _rivals(fit: PointFit) -> Iterator[tuple[str, dict[str, Any], list[float]]]:
    """What allows more variation: its name, what to replace in the model, and theta to start from."""
    model, theta = fit.model, list(fit.theta)
    if model.family.wider_family:
        yield f'family="{model.family.wider_family}"', {"family": model.family.wider_family}, theta
    if fit.engine.quadrature > 1 or model.arguments.data is None:  # another factor allows no grid of nodes
        return
    frame = nw.from_native(model.arguments.data, eager_only=True)
    name = next(name for name in ("obs", "obs_", "row_number_") if name not in frame.columns)
    formula = model.design.encoding.formula
    bars = [*(bar.text for bar in formula.bars), f"(1 | {name})"]
    text = " + ".join([formula_with(formula, []), *bars])
    changes = {"formula": text, "data": frame.with_row_index(name).to_native()}
    yield f"(1 | {name})", changes, [START, *theta]  # theta lists the terms by their number of levels
