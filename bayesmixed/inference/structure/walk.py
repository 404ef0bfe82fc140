"""Which way does a search for a simpler random part go? From one model to a smaller, until none is good enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...design.design import GroupTerm
from ...fits.point import PointFit
from ...messages import Told
from ...page import listed, told
from ..lrt.reductions import by_steps
from .as_typed import formula_as_typed
from .candidates import Candidate, tried
from .rules import Rule

COLUMNS = "formula without chisq df parameters p aic bic loglik singular reason".split()
OFF_CENTRE = 0.1  # of a column's sd: with a mean that is farther from zero the origin matters
NOT_BEST = Told(
    "better-optimum",
    "A smaller model showed that a larger one was not at its maximum: that was fitted again from there.",
)


@dataclass(frozen=True, eq=False)
class Step:
    """A model on the way, the `candidate` that it was, and the `reason` why it was taken: none of the first."""

    fit: PointFit
    candidate: Candidate | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Walk:
    """The models on the way, those that were tried, those of the last step, and what is to be said of it."""

    steps: tuple[Step, ...]
    tried: tuple[Mapping[str, Any], ...] = ()
    last: tuple[Candidate, ...] = ()
    origins: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fit(self) -> PointFit:
        """Where it is."""
        return self.steps[-1].fit

    @property
    def frame(self) -> pd.DataFrame:
        """The models on the way, one a row."""
        return pd.DataFrame([_row(step) for step in self.steps], columns=COLUMNS)


def walk(first: PointFit, rule: Rule, seed: int | None) -> Walk:
    """From a fit to smaller models, each the best of those that a step tries and the rule finds good enough."""
    found = Walk((Step(first),))
    while True:
        chosen, judged = _tried(found.fit, rule, seed)
        better = _better(found.fit, judged)
        if better is not None:
            here = replace(found.steps[-1], fit=better)
            found = replace(found, steps=(*found.steps[:-1], here), notes=(NOT_BEST,))
            continue
        records = [_record(len(found.steps), one, one is chosen, found.fit, rule) for one in judged]
        found = replace(found, tried=(*found.tried, *records), last=tuple(judged))
        if chosen is None or chosen.fit is None:
            return found
        origins = (*found.origins, *_origins(found.fit, chosen.fit))
        step = Step(chosen.fit, chosen, rule.words(chosen, found.fit))
        found = replace(found, steps=(*found.steps, step), origins=origins)


def _tried(larger: PointFit, rule: Rule, seed: int | None) -> tuple[Candidate | None, list[Candidate]]:
    """The best candidate of the first kind that has one, and all that were tried."""
    model, judged = larger.model, list[Candidate]()
    for alternatives in by_steps(model.design.encoding.formula, model.design.groups, model.covariances):
        candidates = [tried(reduction, larger, seed) for reduction in alternatives]
        judged += candidates
        chosen = rule.best(candidates, larger)
        if chosen is not None or _better(larger, candidates) is not None:
            return chosen, judged
    return None, judged


def _better(larger: PointFit, candidates: list[Candidate]) -> PointFit | None:
    """A higher fit of the larger model that tests have come upon."""
    found = [one.test.large for one in candidates if one.test is not None]
    return max((fit for fit in found if fit.loglik > larger.loglik), key=lambda fit: fit.loglik, default=None)


def _row(step: Step) -> dict[str, Any]:
    fit, test = step.fit, None if step.candidate is None else step.candidate.test
    return {
        "formula": as_typed(fit),
        "without": "" if step.candidate is None else step.candidate.name,
        "chisq": np.nan if test is None else test.ratio,
        "df": np.nan if test is None else float(test.df),
        "parameters": fit.n_parameters,
        "p": np.nan if test is None else test.p,
        "aic": fit.aic,
        "bic": fit.bic,
        "loglik": fit.loglik,
        "singular": fit.status.singular_scaled,
        "reason": step.reason,
    }


def as_typed(fit: PointFit) -> str:
    """The formula of a fit in short, on one line."""
    formula = fit.model.design.encoding.formula
    return "; ".join(formula_as_typed(formula, formula.predictors["mu"].bars).texts)


def _record(step: int, one: Candidate, taken: bool, larger: PointFit, rule: Rule) -> dict[str, Any]:
    fit, test = one.fit, one.test
    return {
        "step": step,
        "without": one.name,
        "formula": one.formula.line if fit is None else as_typed(fit),
        "chisq": np.nan if test is None else test.ratio,
        "df": np.nan if test is None else float(test.df),
        "p": one.p,
        "aic": np.nan if fit is None else fit.aic,
        "bic": np.nan if fit is None else fit.bic,
        "singular": fit is not None and fit.status.singular_scaled,
        "taken": taken,
        "reason": one.obstacle or rule.words(one, larger),
    }


def _origins(larger: PointFit, smaller: PointFit) -> Iterator[str]:
    """What "no correlation" depends on, where a step leaves out correlations with an intercept."""
    groups, structures = larger.model.design.groups, smaller.model.covariances
    if len(groups) != len(structures):
        return
    for term, old, new in zip(groups, larger.model.covariances, structures, strict=True):
        if not old.correlated or new.correlated or "Intercept" not in term.columns:
            continue
        numeric, contrasts = _off_centre(term)
        if numeric:
            where = listed([f"{name} (mean {told(mean)})" for name, mean in numeric.items()])
            yield (
                Told(
                    "arbitrary-origin",
                    f"{term.text}: no correlation with the intercept depends on where zero is: {where}. Centre first, "
                    f"(center({next(iter(numeric))}) | {term.factor}), unless zero is what the intercept should be at.",
                )
            )
        if contrasts:
            yield (
                Told(
                    "arbitrary-origin",
                    f"{term.text}: no correlation with the intercept depends on the contrasts: {listed(contrasts)} "
                    'compare with a first level. Use sum contrasts, contrasts={"f": "sum"}, for an intercept in the '
                    "middle.",
                )
            )


def _off_centre(term: GroupTerm) -> tuple[dict[str, float], list[str]]:
    """Numeric columns with a mean far from zero, with it; indicator columns."""
    numeric, contrasts = {}, []
    for name, column in zip(term.columns, term.Z.T, strict=True):
        mean, spread = float(column.mean()), float(column.std())
        if spread == 0 or abs(mean) <= OFF_CENTRE * spread:
            continue
        if np.all(np.isin(column, (0.0, 1.0))):
            contrasts.append(name)
        else:
            numeric[name] = mean
    return numeric, contrasts
