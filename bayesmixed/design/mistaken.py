"""Which columns may not be what they were taken for: labels as numbers, numbers as text, two answers as numbers?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..formula.commas import decimal_commas
from ..formula.formula import Formula
from ..formula.parts import Term
from ..formula.syntax import Name, deparse
from ..formula.variables import columns_in
from .design import Design

FEWEST, MOST = 3, 12  # whole numbers that look like labels: of two a slope is the difference, of many it is a number


@dataclass(frozen=True)
class Mistaken:
    """One column: `what` it holds and was taken for, `remedy` what to write where that is wrong; `sure` where it is."""

    column: str
    what: str
    remedy: str
    sure: bool = False


def mistaken(design: Design, frame: pd.DataFrame, continuous: bool) -> tuple[Mistaken, ...]:
    """The columns of a model that deserve a second look; `continuous` where its family takes any number."""
    formula = design.encoding.formula
    found = [*(_two_answers(design) if continuous else ()), *surely_mistaken(design)]
    return (*found, *_labels(formula, design, frame[design.used]))


def surely_mistaken(design: Design) -> tuple[Mistaken, ...]:
    """Those that are a mistake for certain: text of numbers with decimal commas, taken as levels."""
    return tuple(_decimal_commas(design.encoding.formula, design))


def _two_answers(design: Design) -> Iterator[Mistaken]:
    """A response of two values for a family of numbers."""
    response = design.response
    if response is None or design.trials is not None:
        return
    values = np.unique(response.y[design.used])
    if len(values) != 2:
        return
    low, high = (f"{value:.6g}" for value in values)
    coded = "" if (values == [0, 1]).all() else f", with I({response.name} == {high}) on the left"
    yield Mistaken(
        response.name,
        f"{response.name}: {low} and {high} only, taken as numbers",
        f'family="bernoulli" models the probability of {high}{coded}',
    )


def _decimal_commas(formula: Formula, design: Design) -> Iterator[Mistaken]:
    for name in _alone(_terms(formula)):
        state = design.encoding.states.get(deparse(Name(name)), {})
        said = decimal_commas(state["levels"]) if state.get("kind") == "factor" else ""
        if said:
            what, remedy = said.split(": ")
            yield Mistaken(name, f"{name}: a factor of {len(state['levels'])} levels, but {what}", remedy, sure=True)


def _labels(formula: Formula, design: Design, used: pd.DataFrame) -> Iterator[Mistaken]:
    """Whole numbers that are one column of the fixed part, and that nothing in the formula treats as a number."""
    measured = _measured(formula)
    for name in _alone(formula.predictors["mu"].terms):
        text = deparse(Name(name))
        if design.encoding.states.get(text, {}).get("kind") != "number" or name not in used or name in measured:
            continue
        values = np.unique(pd.to_numeric(used[name]).to_numpy(dtype=float, na_value=np.nan))
        if not FEWEST <= len(values) <= MOST or np.any(values != np.round(values)):
            continue
        if name in _alone(_slopes(formula)) and not _counted(values):
            continue
        what = f"{name}: {len(values)} whole numbers, taken as a number"
        yield Mistaken(name, what, f"factor({text}) makes groups of it")


def _counted(values: np.ndarray) -> bool:
    """Whether values are 1, 2, 3, ... without a gap, as labels are and as slopes by group seldom run over."""
    return bool(np.array_equal(values, np.arange(1, len(values) + 1)))


def _terms(formula: Formula) -> tuple[Term, ...]:
    return (*formula.predictors["mu"].terms, *_slopes(formula))


def _slopes(formula: Formula) -> tuple[Term, ...]:
    return tuple(term for bar in formula.bars for term in bar.terms)


def _alone(terms: tuple[Term, ...]) -> list[str]:
    """The columns that stand in terms as they are."""
    return list(dict.fromkeys(atom.identifier for term in terms for atom in term.atoms if isinstance(atom, Name)))


def _measured(formula: Formula) -> set[str]:
    """Columns with which the formula reckons, or of which it makes factors: whoever wrote it knows what they are."""
    atoms = [atom for term in _terms(formula) for atom in term.atoms]
    atoms += list(formula.predictors["mu"].offsets)
    return {name for atom in atoms if not isinstance(atom, Name) for name in columns_in(atom)}
