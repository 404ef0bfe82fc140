"""Which effects does the page of a fit show? Means along the columns of its fixed part, jointly where they interact."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import prod
from typing import TYPE_CHECKING

from ..effects.emmeans import emmeans
from ..effects.rows.used_columns import Variable, only_in_offsets, variables
from ..errors import BayesMixedError
from ..formula.variables import columns_in
from ..page.html import refused, unstyled
from .pictures import figure

if TYPE_CHECKING:
    from ..fits.base import Fit

MOST_TABLES = 6
MOST_ROWS = 24  # of a table of columns that interact
MOST_PANELS = 6


def effects(fit: Fit) -> str:
    """A picture of the means along each column, and a table per group of columns; empty without columns."""
    from ..plots import effects as drawn

    try:
        known = _known(fit)
    except BayesMixedError as error:
        return refused(error)
    if not known:
        return ""
    described = "Marginal means of the response along each predictor, with intervals"
    asked = list(_asked(fit, known))
    more = len(asked) - MOST_TABLES
    note = f"<p>{more} more: bm.emmeans(fit, {escape(repr(asked[MOST_TABLES][0]))}) and so on.</p>" if more > 0 else ""
    picture = figure(drawn, described, fit, list(known)[:MOST_PANELS])
    return picture + "".join(_means(fit, names) for names in asked[:MOST_TABLES]) + note


def _known(fit: Fit) -> dict[str, Variable]:
    exposures = only_in_offsets(fit.model)
    return {name: found for name, found in variables(fit.model).items() if name not in exposures}


def _asked(fit: Fit, known: dict[str, Variable]) -> Iterator[list[str]]:
    """Columns to be shown together: those of a term that no other contains, where their table is short enough."""
    terms = fit.model.design.encoding.formula.predictors["mu"].terms
    sets = [[name for name in known if name in {c for atom in term.atoms for c in columns_in(atom)}] for term in terms]
    seen: list[list[str]] = []
    for names in sets:
        inside = any(set(names) < set(other) for other in sets)
        short = prod(len(known[name].shown()) for name in names) <= MOST_ROWS
        for each in [names] if short else [[name] for name in names]:
            if each and not inside and each not in seen:
                seen.append(each)
                yield each


def _means(fit: Fit, names: list[str]) -> str:
    try:
        return unstyled(emmeans(fit, names, scale="response").page)
    except BayesMixedError as error:
        return refused(error)
