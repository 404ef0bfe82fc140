"""Which formulas are a fit's with one thing less: a fixed term, an effect of a bar, a bar's correlations?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...covariance import Covariance
from ...design.design import GroupTerm
from ...fits.told_apart import numbered
from ...formula.formula import Formula
from ...formula.parts import Bar, RightSide, Term
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
            found.append(Reduction(prefix + term.name, _with(formula, name, replace(side, terms=rest))))
    return found


def without_effects(formula: Formula, terms: Sequence[GroupTerm], structures: Sequence[Covariance]) -> list[Reduction]:
    """One effect of a bar less, then the correlations of a bar; a bar of one effect, or of a common one, goes whole."""
    side, found = formula.predictors["mu"], []
    for j, (bar, term, structure) in enumerate(zip(side.bars, terms, structures, strict=True)):
        several = structure.correlated and len(term.columns) > 1
        for name, bars in (*_effects(bar, structure), *(_correlations(bar) if several else ())):
            kept = (*side.bars[:j], *bars, *side.bars[j + 1 :])
            found.append((name, _with(formula, "mu", replace(side, bars=kept))))
    names = numbered([name for name, _ in found])
    return [Reduction(name, smaller) for name, (_, smaller) in zip(names, found, strict=True)]


def _effects(bar: Bar, structure: Covariance) -> Iterator[tuple[str, tuple[Bar, ...]]]:
    """A bar without one of its effects: sd(x | g)."""
    together = structure.correlated and not structure.unrestricted
    if together or len(bar.terms) + bar.intercept == 1:
        yield f"sd({_columns(bar)} | {bar.group})", ()
        return
    if bar.intercept:
        yield f"sd(Intercept | {bar.group})", (_simplest(replace(bar, intercept=False)),)
    for term in bar.terms:
        if not _contained(term, bar.terms):
            rest = tuple(other for other in bar.terms if other is not term)
            yield f"sd({term.name} | {bar.group})", (_simplest(replace(bar, terms=rest)),)


def _correlations(bar: Bar) -> Iterator[tuple[str, tuple[Bar, ...]]]:
    """A bar of several effects without their correlations: cor(Intercept, x | g)."""
    yield f"cor({_columns(bar)} | {bar.group})", (replace(bar, covariance="diag", double=True, options=()),)


def _simplest(bar: Bar) -> Bar:
    """A bar of one column has no structure."""
    alone = bar.intercept and not bar.terms
    return replace(bar, covariance="us", double=False, options=()) if alone else bar


def _columns(bar: Bar) -> str:
    return ", ".join([*(["Intercept"] if bar.intercept else []), *(term.name for term in bar.terms)])


def _contained(term: Term, terms: Sequence[Term]) -> bool:
    return any(term.key < other.key for other in terms)


def _with(formula: Formula, name: str, side: RightSide) -> Formula:
    """The formula with another right side for one predictor."""
    left = f"{formula.response} ~ " if name == "mu" else f"{name} ~ "
    texts = dict(zip(formula.predictors, formula.texts, strict=True)) | {name: left + written(side)}
    return Formula(*texts.values())
