"""What is the model, in sentences: response, family, rows, predictors and their coding, random effects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...formula.syntax import deparse
from ...page import told
from ...prediction.new_rows import responses_per_row
from .words import listed

if TYPE_CHECKING:
    from ...formula.parts import Bar, Term
    from ...model import Model

CONTRASTS = {"sum": "sum-to-zero", "helmert": "Helmert", "poly": "orthogonal polynomial"}


def sentences(model: Model) -> Iterator[str]:
    """The sentences in order."""
    yield _response(model)
    yield _predictors(model)
    yield from _other_predictors(model)
    yield from _coding(model)
    yield from _random(model)
    yield f"Formula: {model.formula.line}."


def _response(model: Model) -> str:
    design, family = model.design, model.family
    kind = "linear" if model.linear else "generalized linear"
    mixed = "mixed model" if design.groups else "model"
    name = design.response.name if design.response else "The response"
    says = f"{name} was analysed with a {kind} {mixed} (distribution: {family.words or family.name}; "
    says += f"link: {family.link.words}) of {model.n_obs} observations"
    says += _left_out(model)
    levels = {term.factor: term for term in design.groups}
    counted = [_counted(name, term.codes[design.used]) for name, term in levels.items()]
    if counted:
        says += f" in {listed(counted)}"
    held = [f"{key} held at {value:g}" for key, value in model.constants.items()]
    return f"{'; '.join(filter(None, [says, *held, _weights(model)]))}."


def _left_out(model: Model) -> str:
    """The rows of the table that the fit does not have, and why."""
    design = model.design
    absent = design.n_rows - model.n_obs
    why = "of weight zero" if design.encoding.weights is not None else "without trials"
    parts = [f"{design.n_dropped} with missing values"] if design.n_dropped else []
    parts += [f"{absent} {why}"] if absent else []
    return f" ({listed(parts)} {'was' if design.n_dropped + absent == 1 else 'were'} left out)" if parts else ""


def _counted(factor: str, codes: np.ndarray) -> str:
    """How many levels the rows of the fit have, and how many rows each of them."""
    counts = np.bincount(codes[codes >= 0])
    counts = counts[counts > 0]
    low, high = counts.min(initial=len(codes)), counts.max(initial=0)
    rows = f"{low} row{'' if high == 1 else 's'} each" if low == high else f"{low} to {high} rows each"
    return f"{len(counts)} levels of {factor} ({rows})"


def _weights(model: Model) -> str:
    """What was given as weights; those of proportions are their trials."""
    if model.design.encoding.weights is None:
        return ""
    if model.family.weights == "precision":
        return "precision weights"
    return f"frequency weights that sum to {responses_per_row(model).sum():,.6g}"


def _predictors(model: Model) -> str:
    side = model.design.encoding.formula.predictors["mu"]
    names = [_crossed(term) for term in side.terms]
    every = [*names, *(f"the offset {deparse(node)}" for node in side.offsets), *_given_offset(model)]
    constant = "an intercept" if side.intercept else "no intercept"
    opening = "Its predictor was" if len(every) == 1 else "Its predictors were"
    says = f"{opening} {listed(every)}, with {constant}." if every else f"It had {constant} and no predictors."
    dropped = model.design.mu.aliased
    if not dropped:
        return says
    return f"{says} {listed(dropped)} {'was' if len(dropped) == 1 else 'were'} left out as determined by others."


def _other_predictors(model: Model) -> Iterator[str]:
    """What other parameters than the mean were predicted by."""
    for name, side in list(model.design.encoding.formula.predictors.items())[1:]:
        terms = [_crossed(term) for term in side.terms] + [f"the offset {deparse(node)}" for node in side.offsets]
        constant = "an intercept" if side.intercept else "no intercept"
        link = "logarithm of " if model.family.parameter(name).link.multiplicative else ""
        yield f"The {link}{name} was predicted by {listed([*terms, constant])}."


def _given_offset(model: Model) -> list[str]:
    """The offset that was no part of the formula: as it was written, else the range of its numbers."""
    given = model.design.encoding.offset
    if given is None:
        return []
    if given.array is None:
        return [f"the offset {given.text}"]
    low, high = np.min(given.array), np.max(given.array)
    return [f"the offset {told(low)}" if low == high else f"an offset given row by row ({told(low)} to {told(high)})"]


def _crossed(term: Term) -> str:
    """An interaction as papers write it."""
    return " \N{MULTIPLICATION SIGN} ".join(deparse(atom) for atom in term.atoms)


def _coding(model: Model) -> Iterator[str]:
    """How factors became columns, and what was centred and scaled."""
    side, encoding = model.design.encoding.formula.predictors["mu"], model.design.encoding
    atoms = dict.fromkeys(deparse(atom) for term in side.terms for atom in term.atoms)
    for name in atoms:
        state: dict[str, Any] = encoding.states.get(name, {})
        if state.get("kind") == "factor":
            yield f"{name} had {_contrast(model, name, state)}."
        elif {"center", "scale"} <= state.keys():
            yield f"{name} was {_standardised(state)}."


def _contrast(model: Model, name: str, state: dict[str, Any]) -> str:
    levels = [str(level) for level in state["levels"]]
    columns = len(model.design.mu.terms.get(name, ()))
    if columns == len(levels):
        return f"a column for each of its levels, {listed(levels)}"
    asked = model.design.encoding.contrasts.get(name, "poly" if state["ordered"] else "treatment")
    if isinstance(asked, str) and asked == "treatment":
        return f"treatment contrasts with the reference {levels[0]} (levels {listed(levels)})"
    kind = CONTRASTS.get(asked, asked) if isinstance(asked, str) else "the user's"
    return f"{kind} contrasts (levels {listed(levels)})"


def _standardised(state: dict[str, Any]) -> str:
    spread = state["scale"] if _is_number(state["scale"]) else float("nan")
    parts = [
        f"centred at {told(state['center'], spread)}" if _is_number(state["center"]) else "",
        f"divided by {state['scale']:.4g}" if _is_number(state["scale"]) else "",
    ]
    return " and ".join(filter(None, parts)) or "as it is"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _random(model: Model) -> Iterator[str]:
    bars = model.design.encoding.formula.bars
    if not bars:
        return
    described = [_bar(model, bar) for bar in bars]
    yield f"Its random effects were {listed(described)}."


def _bar(model: Model, bar: Bar) -> str:
    """by-Subject intercepts and slopes for Days (correlated)."""
    what = ["intercepts"] if bar.intercept else []
    states = model.design.encoding.states
    slopes = [_crossed(term) for term in bar.terms if not _is_factor(states, term)]
    effects = [_crossed(term) for term in bar.terms if _is_factor(states, term)]
    what += [f"slopes for {listed(slopes)}"] if slopes else []
    what += [f"effects of {listed(effects)}"] if effects else []
    position = bars_position(model, bar)
    several = len(model.design.groups[position].columns) > 1
    kind = model.covariances[position]
    related = (" (correlated)" if kind.correlated else " (uncorrelated)") if several else ""
    return f"by-{bar.group} {listed(what)}{related}"


def bars_position(model: Model, bar: Bar) -> int:
    """Where a bar's group term is in the design."""
    return model.design.encoding.formula.bars.index(bar)


def _is_factor(states: dict[str, dict[str, Any]], term: Term) -> bool:
    return any(states.get(deparse(atom), {}).get("kind") == "factor" for atom in term.atoms)
