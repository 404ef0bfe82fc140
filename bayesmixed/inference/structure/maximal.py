"""Which random effects does a design support?"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import FormulaError, with_known_options
from ...families import Family
from ...formula.formula import Formula
from ...formula.parts import Bar, RightSide, Term
from ...messages import Told
from ...model import Model
from ...page import Page, Printed, Section
from ..lrt.reductions import with_side
from ..lrt.spans import spanned
from .as_typed import bar_as_typed, formula_as_typed
from .varies import Within

COLUMNS = ["group", "term", "levels", "varies_in", "kept", "reason"]
RESIDUAL = ": confounded with the residual"
FEW = 0.5  # of the levels: a term that varies within fewer may vary there by mistake


@dataclass(frozen=True, eq=False, repr=False)
class MaximalStructure(Printed):
    """What `maximal` returns. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    formula
        The fixed part with the maximal bar of each factor, for `bm.Model`.
    bars
        Those bars as text, by grouping factor; a factor without one is not there.
    frame
        One row per factor and fixed term: group, term, levels, varies_in (how many levels show the variation), kept
        (whether the bar has the term), reason.
    notes
        What was left out, and what to look at.
    """

    formula: Formula
    bars: Mapping[str, str]
    frame: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def page(self) -> Page:
        """The page that is printed."""
        sections = []
        for group, rows in self.frame.groupby("group", sort=False):
            counts = zip(rows["varies_in"], rows["levels"], strict=True)
            shown = pd.DataFrame({"varies within": [f"{m} of {n}" for m, n in counts]})
            shown["in the bar"] = ["yes" if kept else "no" for kept in rows["kept"]]
            shown[""] = list(rows["reason"])
            shown.index = pd.Index(list(rows["term"]))
            heading = f"{group}, {rows['levels'].iloc[0]} levels: {self.bars.get(str(group), 'no bar')}"
            sections.append(Section(heading, shown))
        return Page((*sections, Section("The maximal structure:", None, (f"  {self.formula}", *self.notes))))


@with_known_options
def maximal(
    formula: str | Formula,
    data: Any,
    groups: str | Sequence[str] | None = None,
    *,
    family: str | Family = "gaussian",
    namespace: Mapping[str, Any] | None = None,
) -> MaximalStructure:
    """The largest random-effects structure that a design supports: a slope for every term that varies within levels.

    A term whose effect can differ between the levels of a factor, because it varies within them, should be allowed to
    where it is tested: without its slope the test counts rows as independent that are not. This reads the design, not
    the response: whether the data can *estimate* so much is another question (`bm.simplify`, `fit.repca`).

    Parameters
    ----------
    formula
        Response and fixed terms; bars it has are replaced.
    data
        A table, as for `bm.Model`.
    groups
        Grouping factors as bars have them: "subject", "school/class", "a:b". By default those of the formula's bars.
    family, namespace
        As for `bm.Model`. A family without residual, such as the binomial, keeps terms with one row per cell.

    Returns
    -------
    MaximalStructure
        Prints what varies within what; `formula` is for `bm.Model`.

    Raises
    ------
    FormulaError
        Without grouping factors.

    Notes
    -----
    An interaction varies within a level only where its combinations do: with ``a`` constant within subjects and ``b``
    not, ``a:b`` is ``b`` within each of them. A variance needs two levels at least that show the variation. A bar with
    as many dimensions as a level has rows is confounded with the residual: the terms that make it so (interactions
    last) are left out, and their variance is part of sigma. The same of a bar with as many as a level has levels of a
    factor inside it: ``(f | g)`` cannot be told from ``(1 | g:f)``, which stays.

    References
    ----------
    Barr, Levy, Scheepers & Tily (2013), J. Mem. Lang. 68, 255-278; Barr (2013), Front. Psychol. 4, 328, for
    interactions.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> found = bm.maximal("Reaction ~ Days", bm.load_data("sleepstudy"), "Subject")
    >>> found.bars, found.frame["varies_in"].tolist()
    ({'Subject': '(Days | Subject)'}, [18, 18])
    """
    read = Formula(formula) if isinstance(formula, str) else formula
    side = read.predictors["mu"]
    bars = _intercepts(side, groups)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        plain = with_side(read, "mu", replace(side, bars=bars))
        model = Model(plain, data, family=family, namespace=namespace, check="warn")
    design = model.design
    side = model.design.encoding.formula.predictors["mu"]
    rows: list[dict[str, Any]] = []
    found: list[Bar] = []
    constant = spanned(np.ones((design.n_rows, 1)), design.mu.X)
    every = [Within.of(design.mu, group, design.used) for group in design.groups]
    for bar, within in zip(side.bars, every, strict=True):
        inner = {other.name: within.by_levels(other) for other in every if other.inside(within)}
        kept = list(_judged(within, inner, side.terms, constant, "sigma" in model.free))
        rows += [{"group": bar.group, "levels": within.n_levels, **row} for row in kept]
        terms = tuple(term for term, row in zip(side.terms, kept[constant:], strict=True) if row["kept"])
        if terms or (constant and kept[0]["kept"]):
            found.append(replace(bar, intercept=constant, terms=terms))
    texts = {bar.group: bar_as_typed(bar) for bar in found}
    structure = formula_as_typed(model.design.encoding.formula, found)
    return MaximalStructure(structure, texts, pd.DataFrame(rows, columns=COLUMNS), tuple(_notes(model, rows)))


def _intercepts(side: RightSide, groups: str | Sequence[str] | None) -> tuple[Bar, ...]:
    """An intercept for each of the grouping factors, nested ones opened."""
    if groups is None:
        bars = {bar.group: replace(bar, intercept=True, terms=(), covariance="us", double=False) for bar in side.bars}
        found = tuple(replace(bar, options=()) for bar in bars.values())
    else:
        if not isinstance(groups, Iterable):
            raise FormulaError(
                f'groups must be names of grouping factors, such as ["subject", "item"], not {groups!r}.',
                topic="no-such-group",
            )
        names = [groups] if isinstance(groups, str) else list(groups)
        text = " + ".join(f"(1 | {name})" for name in names)
        found = Formula(f"~ {text}").predictors["mu"].bars if names else ()
    if not found:
        raise FormulaError(
            'maximal needs grouping factors: groups=["subject", "item"], or bars in the formula.',
            topic="no-random-effects",
        )
    return found


def _judged(
    within: Within, inner: Mapping[str, Within], terms: Sequence[Term], constant: bool, residual: bool
) -> Iterator[dict[str, Any]]:
    """Whether the bar has each term, the intercept first where there is one, and why."""
    kept: list[Term] = []
    confounded: list[Term] = []
    if constant:
        alone = residual and within.saturated([], True)
        reason = f"one row per level{RESIDUAL}" if alone else ""
        yield {"term": "Intercept", "varies_in": within.n_levels, "kept": not alone, "reason": reason}
    for term in terms:
        varies = int(np.sum(within.beyond(term, terms)))
        reason = "" if varies > 1 else _too_few(term, varies)
        if not reason:
            reason = _confounded(within, inner, [*kept, term], constant, residual)
            reason = reason or next((f"contains {one.name}" for one in confounded if one.key < term.key), "")
            confounded += [term] * bool(reason)
        ok = not reason
        if ok:
            kept.append(term)
            reason = "few levels: see that these are right" if varies < FEW * within.n_levels else ""
        yield {"term": term.name, "varies_in": varies, "kept": ok, "reason": reason}


def _too_few(term: Term, varies: int) -> str:
    if varies == 1:
        return "one level shows no variance: a mistake there?"
    return "constant within levels" if len(term.atoms) == 1 else "within levels no more than its parts"


def _confounded(
    within: Within, inner: Mapping[str, Within], terms: Sequence[Term], constant: bool, residual: bool
) -> str:
    """What a bar of these terms cannot be told from, once it has the last of them; empty where nothing."""
    names = [term.name for term in terms]
    if residual and within.saturated(names, constant):
        return f"one row per cell{RESIDUAL}"
    for factor, levels in inner.items():
        if names[-1] in levels.columns and levels.saturated([n for n in names if n in levels.columns], constant):
            return f"one level of {factor} per cell: confounded with (1 | {factor})"
    return ""


def _notes(model: Model, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if model.design.n_dropped:
        yield Told("missing-values", f"{model.design.n_dropped} rows with missing values were left out.")
    if any(row["reason"].endswith(RESIDUAL) for row in rows):
        yield (
            Told(
                "as-many-effects-as-rows",
                "Confounded with the residual: rows are as many as effects, so that the variance of what was left "
                "out is part of sigma.",
            )
        )
    aliased = model.design.mu.aliased
    if aliased:
        yield Told("dropped-columns", f"Columns that depend on others do not count: {', '.join(aliased)}.")
    yield Told(
        "maximal-structure",
        "Whether the data can estimate so much: fit it, then fit.repca(), bm.diagnose(fit), bm.simplify(model).",
    )
