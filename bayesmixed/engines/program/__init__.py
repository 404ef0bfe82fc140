"""A model as a NumPyro program: a static structure, its arguments, and what each site means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FitError, nearest
from ..nuts import ROUTES
from .collapsed import CollapsedProgram, collapsed_program, why_not_full, why_not_partial
from .explicit import ExplicitProgram, explicit_program
from .sites import population_meanings

if TYPE_CHECKING:
    from ...model import Model


@dataclass(frozen=True)
class Program:
    """A model as NumPyro sees it.

    Attributes
    ----------
    function
        The NumPyro model; call it as ``function(**data)`` inside ``with bm.x64():``.
    data
        Its arguments: arrays (and nested dicts and tuples of arrays), never closed over.
    sites
        What each sample site means, by name.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> program = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).program(collapsed=False)
    >>> program.sites["Batch_sigma"]
    'sds of (1 | Batch)'
    >>> from numpyro.handlers import seed, trace
    >>> with bm.x64():
    ...     sites = trace(seed(program.function, 1)).get_trace(**program.data)
    >>> sites["Batch_u"]["value"].shape
    (6, 1)
    """

    function: ExplicitProgram | CollapsedProgram
    data: dict[str, Any]
    sites: dict[str, str]

    @property
    def route(self) -> str:
        """How effects are treated, in words."""
        return self.function.route(self.data)

    @property
    def sentence(self) -> str:
        """The same as a sentence."""
        return self.function.sentence(self.data)


def build_program(
    model: Model, collapsed: str | bool = "auto", centering: Sequence[np.ndarray] | None = None
) -> Program:
    """The program of a mixed model.

    Parameters
    ----------
    model
        Any model.
    collapsed
        "full": effects and coefficients with a normal or flat prior are integrated out exactly and drawn
        afterwards. "partial": only those of the largest grouping factor and the coefficients are; the other
        effects are sampled. False: everything is sampled. "auto": the first of these that is possible.
    centering
        Of sampled effects, per bar a vector (k,) between 0 and 1. All zero, or None: spherical effects are
        sampled. Else b over sds^(1 - centering) is: at 1 the effects themselves, between them part of the way
        (Gorinova, Moore & Hoffman 2020, Automatic reparameterisation of probabilistic programs).

    Raises
    ------
    FitError
        Where the route asked for is not possible, with the reason.
    """
    if collapsed not in ROUTES:
        raise FitError(
            f"collapsed={collapsed!r} is not available. {nearest(str(collapsed), map(str, ROUTES))}", topic="collapsed"
        )
    reasons = {"full": why_not_full(model), "partial": why_not_partial(model)}
    reason = reasons.get(str(collapsed))
    if reason:
        raise FitError(
            f"collapsed={collapsed!r} is not possible here: {reason} Use collapsed='auto' or False.", topic="collapsed"
        )
    if centering is None:
        centering = [np.zeros(len(group.columns)) for group in model.design.groups]
    route = next((r for r, why in reasons.items() if why is None), False) if collapsed == "auto" else collapsed
    if route is False:
        return _program(model, *explicit_program(model, centering))
    return _program(model, *collapsed_program(model, centering, held=route == "partial"))


def _program(model: Model, function: ExplicitProgram | CollapsedProgram, data: dict[str, Any]) -> Program:
    return Program(function, data, population_meanings(model, function.predictors, function.terms))
