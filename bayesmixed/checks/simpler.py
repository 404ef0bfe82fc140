"""Which simpler formulas have the same likelihood as a singular fit, or nearly?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pandas as pd

from ..errors import BayesMixedError
from ..fits.point import PointFit
from ..formula.formula import Formula
from ..formula.parts import Bar, Term
from ..formula.syntax import deparse

SAME = 1e-4  # of the log-likelihood: MATHEMATICS' tolerance of a boundary optimum, ten times over
ALL_SUBSETS = 3  # terms of a bar up to which every subset of them is tried, beyond it those with one term less
MOST = 12  # simpler formulas fitted per bar

Bars = tuple[Bar, ...]


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


def simpler_formulas(fit: PointFit, terms: Sequence[int]) -> Simpler:
    """Fit what remains when columns, correlations or whole bars are left out of the bars at `terms`.

    Each bar is simplified alone; the simplest of each that keep the likelihood are then taken together.
    """
    formula = fit.model.design.encoding.formula
    bars = formula.bars
    rows, reduced = [_row(fit, str(formula), fit)], list[Bars]((bar,) for bar in bars)
    for j in terms:
        tried = [(found, _fitted(fit, formula, [*bars[:j], *found, *bars[j + 1 :]])) for found in _reductions(fit, j)]
        kept = [(found, other) for found, other in tried if other is not None and _is_simpler(other, fit)]
        rows += [_row(other, _text(other), fit) for _, other in kept]
        same = [(other.n_parameters, i) for i, (_, other) in enumerate(kept) if _is_same(other, fit)]
        if same:
            reduced[j] = kept[min(same)[1]][0]
    if sum(part != (bar,) for part, bar in zip(reduced, bars, strict=True)) > 1:
        together = _fitted(fit, formula, [bar for part in reduced for bar in part])
        rows += [] if together is None else [_row(together, _text(together), fit)]
    return _sorted(pd.DataFrame(rows).drop_duplicates("formula"), str(formula))


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


def _reductions(fit: PointFit, j: int) -> Iterator[Bars]:
    """What could stand in a bar's place, fewer columns first."""
    bar = fit.model.design.encoding.formula.bars[j]
    summands: list[Term | None] = [*([None] if bar.intercept else []), *bar.terms]
    sizes = range(len(summands)) if len(summands) <= ALL_SUBSETS else [0, 1, len(summands) - 1]
    found: list[Bars] = [(_part(bar, chosen),) if chosen else () for m in sizes for chosen in combinations(summands, m)]
    if not bar.intercept:
        found.append((replace(bar, intercept=True, terms=(), covariance="us", double=False),))
    if bar.covariance == "us" and len(fit.model.design.groups[j].columns) > 1:
        whole = [part for part in found if part and part[0].terms and (len(part[0].terms) + part[0].intercept > 1)]
        found += [tuple(_uncorrelated(one) for one in part) for part in [*whole, (bar,)]]
        found += _nested(fit, j)
    yield from found[:MOST]


def _part(bar: Bar, chosen: Sequence[Term | None]) -> Bar:
    kept = replace(bar, intercept=None in chosen, terms=tuple(term for term in chosen if term is not None))
    columns_of_one = len(chosen) == 1 and (None in chosen or bar.double)
    return replace(kept, covariance="us", double=False) if columns_of_one else kept


def _uncorrelated(bar: Bar) -> Bar:
    return replace(bar, covariance="diag", double=True)


def _nested(fit: PointFit, j: int) -> list[Bars]:
    """(1 | g) + (1 | g:f) for a bar of one factor f: one sd and one correlation for all of its levels."""
    bar, term = fit.model.design.encoding.formula.bars[j], fit.model.design.groups[j]
    if len(bar.terms) != 1 or not all(name == "Intercept" or "[" in name for name in term.columns):
        return []
    plain = replace(bar, intercept=True, terms=(), covariance="us", double=False)
    return [(plain, replace(plain, factor=(*bar.factor, *bar.terms[0].atoms)))]


def _fitted(fit: PointFit, formula: Formula, bars: Sequence[Bar]) -> PointFit | None:
    """The same engine on the simpler formula; None where it cannot be built or uses other rows."""
    others = formula.texts[1:]
    text = formula_with(formula, bars)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = fit.model.replace(formula=Formula(text, *others) if others else text)
            if model.n_obs != fit.n_obs:
                return None
            engine = replace(fit.engine, start=None)  # type: ignore[type-var]  # every engine that optimises has one
            return model.fit(engine)  # type: ignore[return-value]
    except BayesMixedError:
        return None


def _is_simpler(other: PointFit, fit: PointFit) -> bool:
    return other.n_parameters < fit.n_parameters and other.status.converged


def _is_same(other: PointFit, fit: PointFit) -> bool:
    return other.loglik > fit.loglik - SAME


def _text(fit: PointFit) -> str:
    return " ".join(str(fit.model.formula).split())


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
