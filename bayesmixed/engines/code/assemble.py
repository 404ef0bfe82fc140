"""The body of a script's model, put together from what its coefficients, bars and family say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...parameters.names import term_names
from .bars import Bar, bar_lines
from .coefficients import Coefficients, coefficient_lines
from .response import dispersion_lines, likelihood_lines, link_lines, predictor_lines
from .scope import Scope, identifier, quoted

if TYPE_CHECKING:
    from ...model import Model


@dataclass(frozen=True)
class Body:
    """The parts of a model's function in the order in which they stand, and what made them."""

    model: Model
    scope: Scope
    predictors: dict[str, Coefficients]
    bars: tuple[Bar, ...]
    population: list[str]

    def linear(self, sampled: bool) -> list[str]:
        """The predictors of all parameters; effects are in that of mu where they are sampled."""
        lines: list[str] = []
        for name, predictor in self.model.design.predictors.items():
            addends = list(self.predictors[name].addends)
            if name == "mu" and sampled:
                addends += [(bar.addend, bar.text) for bar in self.bars]
            offset = predictor.offset[self.model.design.used]
            if np.any(offset):
                addends.append((self.scope.array(f"{predictor.prefix}offset", offset, "the offset"), ""))
            eta = _variable(self.model, name)
            lines += predictor_lines(eta, addends)
            lines += [] if name == "mu" else link_lines(self.model, name, eta)
        return lines

    def effects(self) -> list[str]:
        """The lines that name the effects of each column."""
        each = [pair for bar in self.bars for pair in bar.each.items()]
        return [f"numpyro.deterministic({quoted(self.scope.site(name))}, {text})" for name, text in each]


def body(model: Model, named: Iterable[str]) -> Body:
    """What explicit and collapsed scripts have in common; the formula names the draws `named`."""
    scope = Scope(reserved=frozenset(_reserved(model)), named=frozenset(named))
    predictors = {
        name: coefficient_lines(model, predictor, scope) for name, predictor in model.design.predictors.items()
    }
    lines = [line for each in predictors.values() for line in each.lines]
    lines += dispersion_lines(model, scope)
    scale = "sigma" if model.has_scale else ""
    bars = tuple(bar_lines(model, i, names, scale, scope) for i, names in enumerate(term_names(model.design)))
    return Body(model, scope, predictors, bars, lines)


def _reserved(model: Model) -> set[str]:
    """The variables that parameters and their predictors have, and what stands above the model by name."""
    for name in model.family.dispersion:
        if identifier(name) != name:
            raise ModelError(
                f"A script cannot call a parameter {name!r}, as the family {model.family.name!r} does: a script or "
                "Python has that name already. Give the parameter another.",
                topic="not-in-a-script",
            )
    above = re.findall(r"^(?:def|class) (\w+)", model.family.written("", "").definitions, re.MULTILINE)
    return {"mu", "eta", *model.family.dispersion, *(f"eta_{name}" for name in model.family.dispersion), *above}


@dataclass(frozen=True)
class Written:
    """The lines of `model`, what stands before it (`definitions`) and after it, and the text of the draws."""

    model: list[str]
    definitions: str = ""
    after: str = ""
    draws: str = "mcmc.get_samples(group_by_chain=True)"


def explicit_lines(parts: Body) -> Written:
    """Every coefficient and effect is sampled."""
    lines = list(parts.population)
    for bar in parts.bars:
        lines += ["", *bar.block.lines, *bar.sampled]
    lines += ["", *parts.linear(sampled=True), *likelihood_lines(parts.model, parts.scope)]
    named = parts.effects()
    return Written([*lines, *([""] if named else []), *named], parts.model.family.written("", "").definitions)


def _variable(model: Model, name: str) -> str:
    """What the predictor of a parameter is called: the parameter itself where the link is the identity."""
    if model.family.parameter(name).link.linear:
        return name
    return "eta" if name == "mu" else f"eta_{name}"
