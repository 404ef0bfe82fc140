"""Do predictors foretell every response within the levels of a grouping factor, so that its sd runs to infinity?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...fits.base import Fit
from ...likelihood.foretold import Foretold, foretold, signs
from ...model import Model
from ..finding import NOTE, SERIOUS, Finding, listed

CHECK = "separation"
ROWS = 3  # per level and column of effects, from which being foretold says something of the data


@dataclass(frozen=True)
class ForetoldWithin:
    """Predictors that foretell every response once the levels of `factors` have effects of their own.

    `names` of the coefficients, or where each level has a rule of its `own` of the bar's columns; none where every
    level has one response throughout; `terms` the bars whose sds grow;
    of the first factor's `levels` so many are `constant`, and in the others the response changes; `rows` a level.
    """

    names: tuple[str, ...]
    term: str | None
    terms: tuple[str, ...]
    factors: tuple[str, ...]
    levels: int
    constant: int
    rows: float
    own: bool


def within(model: Model) -> ForetoldWithin | None:
    """What foretells the responses within levels, by as few predictors and grouping factors as do; None where none."""
    design, family = model.design, model.family
    if foretold(design, family) is None:
        return None
    term, columns = next((term, columns) for term, columns in _fixed(model) if foretold(design, family, columns))
    bars, found = next((bars, found) for bars, found in _bars(model, columns) if found)
    names = tuple(
        name for name, value in zip(model.coefficients, found.direction, strict=True) if value and name != "Intercept"
    )
    growing = [j for j in bars if np.any(found.columns[j])]
    groups = [design.mu.groups[j] for j in growing]
    levels, constant, rows = _counts(model, growing[0], found)
    own = not names and constant < levels
    if own:
        names = tuple(dict.fromkeys(name for g in groups for name in g.columns if name != "Intercept"))
        term = names[0] if len(names) == 1 else None
    factors = tuple(dict.fromkeys(g.factor for g in groups))
    return ForetoldWithin(names, term, tuple(g.text for g in groups), factors, levels, constant, rows, own)


def separation_within(fit: Fit, found: ForetoldWithin | None) -> tuple[Finding, ...]:
    """The finding: serious where the fit has no maximum for it, a note where priors decide instead."""
    if found is None:
        return ()
    if not fit.sampled and not fit.status.converged:  # type: ignore[union-attr]  # of a point fit
        words = _words(fit.model, found) + _GROWS
        return (Finding(CHECK, _what(found), words, _REMEDY, SERIOUS, topic="separation-within-levels"),)
    maximum = not fit.sampled and not fit.engine.regularised
    if found.rows < ROWS or maximum:
        return ()  # with so few rows it is chance, and where likelihood has a maximum all the same the fit has looked
    words = _words(fit.model, found) + _HELD
    return (Finding(CHECK, _what(found), words, _LOOK, NOTE, topic="separation-within-levels"),)


_GROWS = (
    " Nothing in the data limits how far the levels lie apart and how steep the coefficients are: the likelihood keeps "
    "growing as both grow together, and what the fit prints is where the search gave up."
)
_HELD = (
    " Nothing in the data limits how far the levels lie apart: that the estimate is finite is due to the priors alone."
)
_REMEDY = (
    'proper priors of the sds make it finite: model.fit(bm.MAP(priors="model")), or the posterior under them, '
    'model.fit("nuts", seed=1)'
)
_LOOK = "look at the prior of the sd (model.prior_summary()) and at how far the answers depend on it"


def _what(found: ForetoldWithin) -> str:
    factors = " and ".join(found.factors)
    if found.own and not found.names:
        return f"the levels of {factors} predict every response"
    if not found.names:
        return f"all {found.levels} levels of {factors} have the same response in every row"
    return f"separation by {_predictors(found)} within levels of {factors}"


def _predictors(found: ForetoldWithin) -> str:
    return found.term if found.term is not None else f"{listed(found.names)} together"


def _words(model: Model, found: ForetoldWithin) -> str:
    bars = " and ".join(found.terms)
    if not found.names or len(found.factors) > 1:
        return f"With the effects of {bars} no row is in doubt."
    changing, factor = found.levels - found.constant, found.factors[0]
    have = "has" if found.constant == 1 else f"{found.constant} have"
    rest = f"; the other {have} one response throughout" if found.constant else ""
    many = f"all {found.levels} levels" if not found.constant else f"{changing} of {found.levels} levels"
    verb = "predict" if found.term is None else "predicts"
    rule = "a rule of its own" if found.own else "the same rule"
    return (
        f"In {many} of {factor} the response changes, and there {_predictors(found)} {verb} every row without error, "
        f"by {rule} in each{rest}. With the effects of {bars} no row is in doubt."
    )


def _fixed(model: Model) -> Iterator[tuple[str | None, list[int] | None]]:
    """Sets of coefficients, few first: none, each term with those that it contains, all."""
    yield None, []
    terms = model.design.mu.terms
    for name in sorted((name for name in terms if name != "Intercept"), key=lambda name: name.count(":")):
        parts = set(name.split(":"))
        yield name, sorted(i for other in terms if set(other.split(":")) <= parts for i in terms[other])
    yield None, None


def _bars(model: Model, columns: list[int] | None) -> Iterator[tuple[tuple[int, ...], Foretold | None]]:
    """Sets of bars, the bars of one factor together, few factors first."""
    groups = model.design.mu.groups
    factors = list(dict.fromkeys(term.factor for term in groups))
    for m in range(1, len(factors) + 1):
        for chosen in combinations(factors, m):
            bars = tuple(j for j, term in enumerate(groups) if term.factor in chosen)
            yield bars, foretold(model.design, model.family, columns, bars)


def _counts(model: Model, j: int, found: Foretold) -> tuple[int, int, float]:
    """Levels of a bar that have rows which its growing columns move, those of one response, and rows per column."""
    rows, term = np.flatnonzero(model.design.used), model.design.mu.groups[j]
    moved = np.any(term.Z[rows][:, found.columns[j]] != 0, axis=1)
    sign = signs(model.design, model.family, rows)
    assert sign is not None  # there is a rule that foretells them
    codes = term.codes[rows][moved]
    sums, counts = np.bincount(codes, sign[moved], term.n_levels), np.bincount(codes, minlength=term.n_levels)
    seen = counts > 0
    constant = int(np.sum(np.abs(sums[seen]) == counts[seen]))
    return int(seen.sum()), constant, float(np.mean(counts[seen])) / int(found.columns[j].sum())
