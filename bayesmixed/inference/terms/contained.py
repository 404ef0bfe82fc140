"""Which terms of a formula are contained in which others: SAS's rule, which hypotheses of types II and III go by."""

from __future__ import annotations

from collections.abc import Sequence

from .indicators import FixedTerm


def containing(term: FixedTerm, terms: Sequence[FixedTerm]) -> tuple[FixedTerm, ...]:
    """The terms that contain `term`: the same numbers are in them, and more factors besides its own.

    So ``a`` is contained in ``a:b`` and ``x`` in ``x:a``, but ``a`` is not in ``x:a``: that one's slopes are no part
    of what a difference between the levels of ``a`` means.

    References
    ----------
    SAS/STAT User's Guide, "The Four Types of Estimable Functions".
    """
    return tuple(other for other in terms if term.numbers == other.numbers and term.factors < other.factors)


def droppable(terms: Sequence[FixedTerm]) -> tuple[FixedTerm, ...]:
    """The terms that can be dropped alone: no other has all of their variables (marginality, as in R's `drop1`)."""
    variables = {term.name: term.factors | term.numbers for term in terms}
    return tuple(term for term in terms if not any(variables[term.name] < other for other in variables.values()))
