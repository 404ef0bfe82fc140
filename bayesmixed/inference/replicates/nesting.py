"""How the grouping factors of a model lie in each other: which is outermost, which inside."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...design.design import GroupTerm
from ...errors import FitError
from ...model import Model

INSTEAD = {"wild": 'kind="parametric"', "case": 'kind="parametric"', "bca": 'kind="percentile"'}


def nested_factors(model: Model) -> list[GroupTerm] | None:
    """One bar per factor, the outermost first; None where two factors cross."""
    factors: dict[str, GroupTerm] = {}
    for term in model.design.groups:
        factors.setdefault(term.factor, term)
    ordered = sorted(factors.values(), key=lambda term: term.n_levels)
    for outer, inner in pairwise(ordered):
        if not _inside(inner, outer):
            return None
    return ordered


def outermost(model: Model, what: str) -> GroupTerm:
    """The bar of the factor that all others are nested in.

    Raises
    ------
    FitError
        Where factors cross or there is none; `what` asked for it.
    """
    return nesting(model, what)[0]


def nesting(model: Model, what: str) -> list[GroupTerm]:
    """One bar per factor, the outermost first.

    Raises
    ------
    FitError
        Where factors cross or there is none; `what` asked for it.
    """
    ordered = nested_factors(model)
    instead = INSTEAD[what]
    if ordered is None:
        names = " and ".join(dict.fromkeys(term.factor for term in model.design.groups))
        raise FitError(
            f'"{what}" draws whole levels of an outermost factor, and {names} are crossed: no factor holds the others. '
            f"Use {instead}.",
            topic="bootstrap-kind",
        )
    if not ordered:
        raise FitError(
            f'"{what}" draws whole levels of a grouping factor, and the model has none. Use {instead}.',
            topic="bootstrap-kind",
        )
    if np.any(ordered[0].codes < 0):
        raise FitError(
            f'"{what}" needs a level of {ordered[0].factor} in every row, and some have none. Use {instead}.',
            topic="bootstrap-kind",
        )
    return ordered


def _inside(inner: GroupTerm, outer: GroupTerm) -> bool:
    """Whether every level of one factor lies in one level of the other."""
    pairs = np.unique(np.column_stack([inner.codes, outer.codes]), axis=0)
    return len(pairs) == len(np.unique(inner.codes))
