"""How does a user write a formula whose terms are known: a * b for a, b and a:b together?"""

from __future__ import annotations

from collections.abc import Sequence

from ...formula.formula import Formula
from ...formula.parts import Bar, Term
from ...formula.syntax import deparse


def sum_as_typed(terms: Sequence[Term]) -> list[str]:
    """The summands of some terms, crossings in short, in the order of their first terms.

    >>> sum_as_typed(Formula("y ~ x + a + b + a:b").predictors["mu"].terms)
    ['x', 'a * b']
    """
    keys = [term.key for term in terms]
    crossed: dict[str, list[int]] = {}
    for term in terms:
        below = [i for i, key in enumerate(keys) if key <= term.key]
        largest = not any(term.key < key for key in keys)
        if largest and len(term.atoms) > 1 and len(below) == 2 ** len(term.atoms) - 1:
            crossed[" * ".join(Term((atom,)).name for atom in term.atoms)] = below
    covered = {i for below in crossed.values() for i in below}
    firsts = {text: below[0] for text, below in crossed.items()}
    firsts |= {term.name: i for i, term in enumerate(terms) if i not in covered}
    return sorted(firsts, key=lambda text: firsts[text])


def bar_as_typed(bar: Bar) -> str:
    """A bar in short: (a * b | g), an intercept beside other columns left out."""
    parts = sum_as_typed(bar.terms)
    lead = [] if bar.intercept and parts else ["1" if bar.intercept else "0"]
    return bar.text.replace(bar.left, " + ".join([*lead, *parts]), 1)


def formula_as_typed(formula: Formula, bars: Sequence[Bar]) -> Formula:
    """The formula with these bars in the place of its own."""
    side = formula.predictors["mu"]
    parts = [*sum_as_typed(side.terms), *(f"offset({deparse(node)})" for node in side.offsets)]
    lead = [] if side.intercept and parts else ["1" if side.intercept else "0"]
    right = " + ".join([*lead, *parts, *(bar_as_typed(bar) for bar in bars)])
    left = "" if formula.response is None else f"{formula.response} "
    return Formula(f"{left}~ {right}", *formula.texts[1:])
