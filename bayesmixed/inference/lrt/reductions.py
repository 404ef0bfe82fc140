"""Which formulas are a fit's with one thing less: a fixed term, an effect of a bar, a bar's correlations?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...covariance import STRUCTURES, Covariance
from ...design.design import GroupTerm
from ...fits.told_apart import numbered
from ...formula.formula import Formula
from ...formula.parts import WITH_TWO_BARS, Bar, RightSide, Term
from ...formula.update import written


@dataclass(frozen=True)
class Reduction:
    """A smaller formula and the `name` of what it lacks."""

    name: str
    formula: Formula


def without_terms(formula: Formula) -> list[Reduction]:
    """One fixed term less, of every predictor; a term that another contains stays (marginality)."""
    found = []
    for name, side in formula.predictors.items():
        prefix = "" if name == "mu" else f"{name}_"
        for term in side.terms:
            if _contained(term, side.terms):
                continue
            rest = tuple(other for other in side.terms if other is not term)
            found.append(Reduction(prefix + term.name, with_side(formula, name, replace(side, terms=rest))))
    return found


def by_steps(formula: Formula, terms: Sequence[GroupTerm], structures: Sequence[Covariance]) -> list[list[Reduction]]:
    """What a search for a simpler random part tries, first things first: lists of alternatives.

    Structures with fewer parameters for the correlations of a bar, the fullest of each bar first; a bar without a term
    that no other of its terms contains; without a bar.
    """
    side = formula.predictors["mu"]
    found: list[list[tuple[str, int, tuple[Bar, ...]]]] = []
    for j, (bar, term, structure) in enumerate(zip(side.bars, terms, structures, strict=True)):
        simpler = _structured(bar, term, structure)
        found += [[] for _ in range(len(simpler) - len(found))]
        for rank, (name, other) in enumerate(simpler):
            found[rank].append((name, j, (other,)))
    pairs = list(enumerate(zip(side.bars, structures, strict=True)))
    found.append([(name, j, bars) for j, (bar, one) in pairs for name, bars in _effects(bar, one, slopes=True)])
    found.append([(bar.text, j, ()) for j, (bar, _) in pairs])
    return [_reductions(formula, each) for each in found if each]


def _structured(bar: Bar, term: GroupTerm, structure: Covariance) -> list[tuple[str, Bar]]:
    """The bar with each structure that says it may stand in the place of its own, the fullest first."""
    k = len(term.columns)
    levels = bool(np.all(np.isin(term.Z, (0, 1))) and np.all(term.Z.sum(axis=1) == 1))
    others = {name: other for name, other in STRUCTURES.items() if other.simplifies(structure, k, levels)}
    found = []
    for name in sorted(others, key=lambda name: -others[name].n_theta(k)):
        words = f"cor({_columns(bar)} | {bar.group})"
        found.append((f"{words}, but for {name}" if others[name].correlated else words, bar.structured(name)))
    return found


def _reductions(formula: Formula, found: Sequence[tuple[str, int, tuple[Bar, ...]]]) -> list[Reduction]:
    """Reductions of these names, each with other bars in the place of one."""
    side = formula.predictors["mu"]
    names = numbered([name for name, _, _ in found])
    kept = [(*side.bars[:j], *bars, *side.bars[j + 1 :]) for _, j, bars in found]
    formulas = [with_side(formula, "mu", replace(side, bars=bars)) for bars in kept]
    return [Reduction(name, other) for name, other in zip(names, formulas, strict=True)]


def without_effects(formula: Formula, terms: Sequence[GroupTerm], structures: Sequence[Covariance]) -> list[Reduction]:
    """One effect of a bar less, then the correlations of a bar; a bar of one effect, or of a common one, goes whole."""
    found = []
    for j, (bar, term, structure) in enumerate(zip(formula.predictors["mu"].bars, terms, structures, strict=True)):
        several = structure.correlated and len(term.columns) > 1
        for name, bars in (*_effects(bar, structure), *(_correlations(bar) if several else ())):
            found.append((name, j, bars))
    return _reductions(formula, found)


def _effects(bar: Bar, structure: Covariance, slopes: bool = False) -> Iterator[tuple[str, tuple[Bar, ...]]]:
    """A bar without one of its effects: sd(x | g). Only slopes, and no bar as a whole, where these are asked."""
    together = structure.correlated and not structure.unrestricted
    if together or len(bar.terms) + bar.intercept == 1:
        if not slopes:
            yield f"sd({_columns(bar)} | {bar.group})", ()
        return
    if bar.intercept and not slopes:
        yield f"sd(Intercept | {bar.group})", (_simplest(replace(bar, intercept=False)),)
    for term in bar.terms:
        if not _contained(term, bar.terms):
            rest = tuple(other for other in bar.terms if other is not term)
            yield f"sd({term.name} | {bar.group})", (_simplest(replace(bar, terms=rest)),)


def _correlations(bar: Bar) -> Iterator[tuple[str, tuple[Bar, ...]]]:
    """A bar of several effects without their correlations: cor(Intercept, x | g)."""
    yield f"cor({_columns(bar)} | {bar.group})", (bar.structured(WITH_TWO_BARS),)


def _simplest(bar: Bar) -> Bar:
    """A bar of one column has no structure."""
    alone = bar.intercept and not bar.terms
    return replace(bar, covariance="us", double=False, options=()) if alone else bar


def _columns(bar: Bar) -> str:
    return ", ".join([*(["Intercept"] if bar.intercept else []), *(term.name for term in bar.terms)])


def _contained(term: Term, terms: Sequence[Term]) -> bool:
    return any(term.key < other.key for other in terms)


def with_side(formula: Formula, name: str, side: RightSide) -> Formula:
    """The formula with another right side for one predictor."""
    left = f"{formula.response} ~ " if name == "mu" else f"{name} ~ "
    texts = dict(zip(formula.predictors, formula.texts, strict=True)) | {name: left + written(side)}
    return Formula(*texts.values())
