"""Which simpler formulas have the same likelihood as a singular fit, or nearly? A search, step by step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import BayesMixedError
from ...fits.point import PointFit
from ...formula.formula import Formula
from ...formula.parts import Bar
from ...formula.syntax import deparse
from ...likelihood.at import heteroscedastic_of, laplace_of, likelihood_of
from ...likelihood.criteria.criterion import Criterion
from ...likelihood.criteria.laplace_deviance import LaplaceCriterion
from ...likelihood.criteria.profiled import ProfiledCriterion
from ...likelihood.criteria.with_sigma import NormalPrior
from ...likelihood.criteria.with_sigmas import SigmasCriterion
from ..diagnosis.work import Work
from .reduced import ReducedPart, additions, grown, reductions, theta_of, whole

SAME = 1e-4  # of the log-likelihood: ten times what optima on a boundary are told apart by
FITTED = 2  # candidates of a step that are fitted, the most promising first
HOPELESS = 100.0  # of AIC, valued without a search: a candidate that much worse than the best so far is not fitted
OVERHEAD = 5  # evaluations that take as long as building a model and collecting its fit


@dataclass(frozen=True)
class Simpler:
    """Fits of simpler formulas: `table` with formula, parameters, loglik and difference, the least first.

    `same` is the formula with the fewest parameters whose log-likelihood is the same within 1e-4, None where none is;
    `nearest` the one of lowest AIC otherwise.
    """

    table: pd.DataFrame
    same: str | None
    nearest: str | None

    def row(self, formula: str) -> dict[str, Any]:
        """What the table has of a formula, by column."""
        return dict(self.table[self.table["formula"] == formula].iloc[0])


def simpler_formulas(fit: PointFit, terms: Sequence[int], work: Work | None = None) -> Simpler:
    """Take columns, correlations and whole bars away while AIC falls, one step after the other from the best so far.

    What a step took away may come back in a later one. Every candidate of a step is valued at once, without a search,
    as a point on the boundary of the full model; the most promising are fitted from there. First come those at `terms`
    (bars at their limit) that lose nothing.
    """
    search = _Search(fit, Work() if work is None else work)
    search.run(terms)
    return _sorted(pd.DataFrame(search.rows).drop_duplicates("formula"), fit.model.design.encoding.formula.line)


def formula_with(formula: Formula, bars: Sequence[Bar]) -> str:
    """The main formula as text with other bars.

    >>> formula = Formula("Reaction ~ Days + (Days | Subject)")
    >>> formula_with(formula, [])
    'Reaction ~ Days'
    """
    side = formula.predictors["mu"]
    parts = [term.name for term in side.terms] + [f"offset({deparse(node)})" for node in side.offsets]
    lead = [] if side.intercept and parts else ["1" if side.intercept else "0"]
    return f"{formula.response} ~ " + " + ".join([*lead, *parts, *(bar.text for bar in bars)])


@dataclass(frozen=True)
class _State:
    """A model that was fitted: what stands in each bar's place, its factors in the full model's columns, its fit."""

    parts: tuple[ReducedPart, ...]
    factors: tuple[np.ndarray, ...]
    fit: PointFit


class _Search:
    """Candidates by their formulas' text, so that none is fitted twice; `rows` of the table."""

    def __init__(self, fit: PointFit, work: Work) -> None:
        self.fit, self.work = fit, work
        self.formula, self.groups = fit.model.design.encoding.formula, fit.model.design.groups
        self.rows = [_row(fit, self.formula.line, fit)]
        self.known: set[str] = set()
        self.criterion = _valued(fit)
        self.whole = tuple(whole(bar, term) for bar, term in zip(self.formula.bars, self.groups, strict=True))

    def run(self, terms: Sequence[int]) -> None:
        first = _State(self.whole, self.fit.factors, self.fit)
        for j in terms:  # forms of one bar that are no points of the full model
            for part in reductions(self.whole[j], self.groups[j]):
                if part.columns is None and not self.work.exhausted:
                    self.fitted(first, _put(first.parts, j, part))
        best: _State | None = first
        while best is not None and not self.work.exhausted:
            best = self.lossless(best, terms) or self.step(best)

    def lossless(self, state: _State, terms: Sequence[int]) -> _State | None:
        """The candidate of fewest parameters that loses nothing; None where every one loses something."""
        here = self.value(state, state.parts)
        found: list[tuple[int, int, int, ReducedPart]] = []
        for j in terms:
            for part in self.candidates(state, j):
                if part.columns is not None and self.value(state, _put(state.parts, j, part)) < here + 2 * SAME:
                    found.append((part.parameters - state.parts[j].parameters, len(found), j, part))
        for saved, _, j, part in sorted(found):
            if saved < 0 and (other := self.fitted(state, _put(state.parts, j, part))) is not None:
                return other if _is_same(other.fit, state.fit) else None
        return None

    def step(self, state: _State) -> _State | None:
        """The first of the most promising candidates whose AIC is lower; None where none is."""
        for value, parts in self.ranked(state):
            if self.work.exhausted or (value > HOPELESS and len(self.rows) > 1):
                return None
            other = self.fitted(state, parts)
            if other is not None and other.fit.aic < state.fit.aic:
                return other
        return None

    def ranked(self, state: _State) -> list[tuple[float, tuple[ReducedPart, ...]]]:
        """The best of each bar together, then the best of all, by the AIC that they add without a search."""
        here = self.value(state, state.parts)
        found: list[tuple[float, int, int, ReducedPart]] = []
        for j in range(len(state.parts)):
            for part in self.candidates(state, j):
                if part.columns is not None:
                    more = self.value(state, _put(state.parts, j, part)) - here
                    found.append((more + 2 * (part.parameters - state.parts[j].parameters), len(found), j, part))
        found.sort(key=lambda each: each[:2])
        best = {j: (value, part) for value, _, j, part in reversed(found) if value < 0}
        single = [(value, _put(state.parts, j, part)) for value, _, j, part in found[:FITTED]]
        if len(best) < 2:
            return single
        together = tuple(best[j][1] if j in best else part for j, part in enumerate(state.parts))
        return [(sum(value for value, _ in best.values()), together), *single]

    def value(self, state: _State, parts: Sequence[ReducedPart]) -> float:
        """The criterion of parts at a state, without a search."""
        self.work.count(0.5)
        return self.criterion(state, self.factors(state, parts))

    def factors(self, state: _State, parts: Sequence[ReducedPart]) -> tuple[np.ndarray, ...]:
        """Lambda per full bar to begin with: the state's, what it lacks as the full fit has it."""
        triples = zip(parts, state.factors, self.fit.factors, strict=True)
        return tuple(part.covered(grown(part, F, full)) for part, F, full in triples)

    def candidates(self, state: _State, j: int) -> list[ReducedPart]:
        """What could stand in one bar's place and was not tried with the others as they are."""
        part, group = state.parts[j], self.groups[j]
        parts = (*reductions(part, group), *additions(part, self.whole[j], group))
        return [part for part in parts if self.text(_put(state.parts, j, part)) not in self.known]

    def text(self, parts: Sequence[ReducedPart]) -> str:
        return formula_with(self.formula, [bar for part in parts for bar in part.bars])

    def fitted(self, state: _State, parts: tuple[ReducedPart, ...]) -> _State | None:
        """The same engine on the simpler formula; None where it cannot be built, uses other rows or fails."""
        text = self.text(parts)
        self.known.add(text)
        others = self.formula.texts[1:]
        factors = self.factors(state, parts)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = self.fit.model.replace(formula=Formula(text, *others) if others else text)
                if model.n_obs != self.fit.n_obs:
                    return None
                engine = replace(self.fit.engine, start=theta_of(model, parts, factors))  # type: ignore[type-var]
                other: PointFit = model.fit(engine)  # type: ignore[assignment]
        except BayesMixedError:
            return None
        self.work.count(other.status.evaluations + OVERHEAD)
        if other.n_parameters >= self.fit.n_parameters or not other.status.converged:
            return None
        self.rows.append(_row(other, "; ".join([text, *others]), self.fit))
        return _State(parts, self._placed(parts, other), other)

    def _placed(self, parts: Sequence[ReducedPart], other: PointFit) -> tuple[np.ndarray, ...]:
        """The factors of a simpler fit in the full model's columns."""
        found, left = [], list(other.factors)
        for part, group in zip(parts, self.groups, strict=True):
            F = np.zeros((len(group.columns),) * 2)
            own = [left.pop(0) for _ in part.bars]
            if part.bars and part.columns is not None:
                F[np.ix_(part.columns, part.columns)] = own[0]
            found.append(F)
        return tuple(found)


def _valued(fit: PointFit) -> Callable[[_State, Sequence[np.ndarray]], float]:
    """The deviance (or REML criterion) with factors of the full model's bars and what else a state has."""
    criterion, placed = _criterion(fit)
    theta = criterion.theta

    def value(state: _State, factors: Sequence[np.ndarray]) -> float:
        try:
            return criterion.value(placed(theta.working(theta.reported_of(factors)), state.fit))
        except np.linalg.LinAlgError:
            return np.inf

    return value


def _criterion(fit: PointFit) -> tuple[Criterion, Callable[[np.ndarray, PointFit], np.ndarray]]:
    """What a fit minimised, and its x at a working theta and the other estimates of a fit."""
    model, reml = fit.model, fit.engine.restricted
    if model.has_scale:
        profiled = ProfiledCriterion(likelihood_of(model), reml, model.constants.get("sigma"))
        return profiled, lambda theta, _: theta
    if model.linear:
        rows = heteroscedastic_of(model)
        exact = SigmasCriterion(rows, reml, NormalPrior.none(rows.basis), free=False)
        return exact, lambda theta, other: exact.x(theta, other.parameters.coefficients["sigma"][0, 0])
    likelihood = laplace_of(model)
    return LaplaceCriterion(likelihood), lambda theta, other: likelihood.joined(theta, other.beta, other.dispersion)


def _put(parts: Sequence[ReducedPart], j: int, part: ReducedPart) -> tuple[ReducedPart, ...]:
    return (*parts[:j], part, *parts[j + 1 :])


def _is_same(other: PointFit, fit: PointFit) -> bool:
    return other.loglik > fit.loglik - SAME


def _row(other: PointFit, text: str, fit: PointFit) -> dict[str, object]:
    return {
        "formula": " ".join(text.split()),
        "parameters": other.n_parameters,
        "loglik": other.loglik,
        "difference": 0.0 if other is fit else other.loglik - fit.loglik,
        "AIC": other.aic,
    }


def _sorted(table: pd.DataFrame, own: str) -> Simpler:
    table = table.sort_values(["parameters", "loglik"], ascending=[True, False], ignore_index=True)
    rivals = table[table["formula"] != " ".join(own.split())]
    same = rivals[rivals["difference"] > -SAME]
    nearest = None if rivals.empty else str(rivals.sort_values("AIC")["formula"].iloc[0])
    return Simpler(table, None if same.empty else str(same.iloc[0]["formula"]), nearest)
