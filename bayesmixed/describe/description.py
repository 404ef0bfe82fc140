"""What ``print(model)`` shows: response, terms, groups, parameters, priors as they will be used, and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..design.mistaken import Mistaken, mistaken
from ..errors import ModelError
from ..messages import Told
from ..page import Page, Section
from .implied import draw
from .origin_words import origin_notes
from .prior_summary import centred_notes, implied_lines, short_table

if TYPE_CHECKING:
    from ..covariance import Covariance
    from ..model import Model

_ENGINES = "  ML and REML use no priors; NUTS uses those above."


def description(model: Model) -> Page:
    """The page that ``print(model)`` and notebooks show."""
    sections = [
        Section("Model", lines=tuple(_facts(model))),
        Section("Fixed effects", _fixed(model), index=False),
    ]
    if model.design.groups:
        sections.append(Section("Random effects", _groups(model), index=False))
    sections.append(_priors(model))
    notes = _notes(model)
    if notes:
        sections.append(Section("Notes", lines=tuple(notes)))
    return Page(tuple(sections))


def _priors(model: Model) -> Section:
    try:
        drawn = draw(model)
        table = short_table(model, drawn)
        lines = (*implied_lines(model, drawn), _ENGINES, *centred_notes(table), *origin_notes(model))
        return Section("Priors", table, lines, index=False)
    except ModelError as error:  # ML and REML need no priors, so their absence must not hide the model
        return Section("Priors", lines=(f"  {error}",))


def _facts(model: Model) -> list[str]:
    design = model.design
    dropped = f", {design.n_dropped} dropped for missing values" if design.n_dropped else ""
    held = "".join(f"; {name} = {value:g} held fixed" for name, value in model.constants.items())
    first, *others = model.formula.texts
    return [
        f"  formula:  {first}",
        *(f"            {text}" for text in others),
        f"  response: {_response(model)}",
        f"  family:   {model.family.name}, link {model.family.link.words}{held}{_weights(model)}",
        f"  rows:     {design.n_rows}{dropped}",
    ]


def _response(model: Model) -> str:
    """Its name, and what counts as a success or out of how many."""
    response, trials = model.design.response, model.design.trials
    if response is None:
        return ""
    if trials is not None:
        share = "shares of successes" if response.proportion else "successes"
        return f"{response.name} ({share} in {trials.sum():g} trials)"
    return response.name + (f" (success: {response.levels[1]!r})" if response.levels else "")


def _weights(model: Model) -> str:
    if model.design.weights is None or (model.design.encoding.weights is None and model.design.trials is not None):
        return ""
    precision = model.family.weights == "precision"
    return "; precision weights: Var(e_i) = sigma^2 / w_i" if precision else "; weights: a weight of 2 is the row twice"


def _fixed(model: Model) -> pd.DataFrame:
    rows = [
        {"term": f"{each.prefix}{name}", "coefficients": ", ".join(each.names[i] for i in where) or "(dropped)"}
        for each in model.design.predictors.values()
        for name, where in each.terms.items()
    ]
    return pd.DataFrame(rows, columns=["term", "coefficients"])


def _groups(model: Model) -> pd.DataFrame:
    rows = [
        {
            "term": term.text,
            "factor": term.factor,
            "levels": term.n_levels,
            "columns": ", ".join(term.columns),
            "covariance": _covariance(structure, len(term.columns)),
            "parameters": structure.n_theta(len(term.columns)),
        }
        for term, structure in zip(model.design.groups, model.covariances, strict=True)
    ]
    return pd.DataFrame(rows)


def _covariance(structure: Covariance, k: int) -> str:
    """The structure's name and what it means for k columns."""
    if k == 1:
        return "one sd"
    return f"{structure.name}, {'correlated' if structure.correlated else 'uncorrelated'}"


def doubtful_columns(model: Model) -> tuple[Mistaken, ...]:
    """The columns that may not be what they were taken for."""
    return mistaken(model.design, model.frame, not model.family.discrete)


def _notes(model: Model) -> list[str]:
    notes: list[str] = []
    every = model.design.predictors.values()
    aliased = [f"{predictor.prefix}{name}" for predictor in every for name in predictor.aliased]
    if aliased:
        dropped = "  Dropped because other columns determine them: " + ", ".join(aliased) + "."
        notes.append(Told("dropped-columns", dropped))
    notes += [Told("mistaken-column", f"  {one.what}; {one.remedy}.") for one in doubtful_columns(model)]
    for bar in model.formula.bars:
        if bar.double:
            notes.append(
                Told(
                    "double-bar",
                    f"  {bar.text} is read as diag({bar.left} | {bar.group}): every column has its own sd and none "
                    "are correlated, those of a factor included. lme4 splits it into terms and keeps those of one "
                    "factor correlated.",
                )
            )
    return notes
