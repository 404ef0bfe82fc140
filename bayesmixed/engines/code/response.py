"""The lines of a script for the response: the parameters of its distribution row by row, and the likelihood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...families import observed
from ...interop.naming import safe
from .priors import PriorLines
from .scope import Scope, comment, quoted

if TYPE_CHECKING:
    from ...model import Model

Addends = Sequence[tuple[str, str]]  # what each term adds to a predictor, and what it is


def dispersion_lines(model: Model, scope: Scope) -> list[str]:
    """The family's parameters that are one number for all rows, under their own names."""
    lines = []
    for name in model.dispersion:
        if name in model.constants:
            lines += [
                *comment(f"{name} of the {model.family.name} family, held constant"),
                f"{name} = {float(model.constants[name])!r}",
            ]
        else:
            what = f"{name} of the {model.family.name} family"
            lines += PriorLines(model).one(name, scope.site(safe(name)), name, what)
    return lines


def predictor_lines(variable: str, addends: Addends) -> list[str]:
    """The sum of what the terms add, one line each."""
    if not addends:
        return [f"{variable} = 0.0"]
    texts = [f"    + {text}" for text, _ in addends]
    texts[0] = texts[0].replace("+ ", "", 1)
    width = max(map(len, texts))
    pairs = zip(texts, addends, strict=True)
    said = [f"{text:<{width}}  # {' '.join(what.split())}" if what else text for text, (_, what) in pairs]
    return [f"{variable} = (", *said, ")"]


def link_lines(model: Model, name: str, eta: str) -> list[str]:
    """What a predictor makes of the parameter `name`."""
    link = model.family.parameter(name).link
    return [] if link.linear else [f"{name} = {link.written(eta)}"]


def likelihood_lines(model: Model, scope: Scope) -> list[str]:
    """The response given mu and the other parameters; `eta` is its predictor where the link is not the identity."""
    seen, family = observed(model.design, model.design.used), model.family
    assert model.design.response is not None  # `observed` has asked
    y = scope.array(model.design.response.name, seen.y, "the response")
    trials = "" if seen.trials is None else scope.array("trials", seen.trials, "the trials of each row")
    weights = "" if seen.weights is None else scope.array("weights", seen.weights, "the weights of the rows")
    precise = family.weights == PRECISION
    text = family.written(weights if precise else "", trials).distribution
    lines = _domain(model)
    if re.search(r"\bmu\b", text):
        lines += link_lines(model, "mu", "eta")
    within = [f"numpyro.plate({quoted(scope.aside('rows'))}, {len(seen.y)})"]
    if weights and not precise:
        within.append(f"numpyro.handlers.scale(scale={weights})")
    site = quoted(scope.site(safe(model.design.response.name)))
    return [*lines, f"with {', '.join(within)}:", f"    numpyro.sample({site}, {text}, obs={y})"]


PRECISION = "precision"


def _domain(model: Model) -> list[str]:
    """No density where the predictor leaves the domain of the link or of the family's means."""
    low, high = model.family.eta_range
    variable = "mu" if model.family.link.linear else "eta"
    ends = [f"jnp.all({variable} > {low!r})"] * (low > -np.inf) + [f"jnp.all({variable} < {high!r})"] * (high < np.inf)
    if not ends:
        return []
    inside = " & ".join(ends)
    return [
        *comment(f"outside of these ends {variable} makes no mean"),
        f"numpyro.factor({quoted(f'domain of {variable}')}, jnp.where({inside}, 0.0, -jnp.inf))",
    ]
