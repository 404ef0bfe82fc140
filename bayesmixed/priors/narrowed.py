"""What do the priors of a model say of a part of it, which may lack some of its parameters?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..design.design import Design
from ..families import Family
from ..parameters.names import block_slots, known_names, slots
from .default import default
from .distributions import LKJ, Prior
from .priors import Priors
from .resolve import PRESETS, overlaid


def narrowed(spec: Any, whole: Priors) -> Any:
    """The ``priors=`` of a part of a model.

    Presets scale themselves to the part. Priors that a user gave keep their numbers, parameter by parameter, and go
    where the part lacks the parameter.

    Parameters
    ----------
    spec
        What the whole model was given: a preset's name, a function, distributions by name, or None.
    whole
        The same resolved, with sources.
    """
    if spec is None or isinstance(spec, str):
        return spec
    if isinstance(spec, Mapping):
        return lambda design, family: _laid_over(whole, design, family)
    return lambda design, family: _of_function(spec, design, family)


def given_in(whole: Priors, design: Design, family: Family) -> dict[str, Prior]:
    """The priors of `whole` that come from no preset, of the parameters that a design has."""
    known = _known(design, family)
    return {
        name: _of_any_size(prior)
        for name, prior in whole.items()
        if name in known and whole.sources.get(name) not in PRESETS
    }


def _laid_over(whole: Priors, design: Design, family: Family) -> Priors:
    preset = next((source for source in whole.sources.values() if source in PRESETS), None)
    given = given_in(whole, design, family)
    if preset is not None and not given:
        return PRESETS[preset](design, family)
    base = default(design, family) if preset is None else PRESETS[preset](design, family)
    return overlaid(base, given, slots(design, family), block_slots(design, family))


def _of_function(function: Callable[[Design, Family], Priors], design: Design, family: Family) -> Priors:
    found, known = function(design, family), _known(design, family)
    return found.without(*(name for name in found if name not in known))


def _known(design: Design, family: Family) -> set[str]:
    return set(known_names(slots(design, family), block_slots(design, family)))


def _of_any_size(prior: Prior) -> Prior:
    """A correlation's prior without its dimension, as the part may have fewer columns."""
    return replace(prior, dimension=None) if isinstance(prior, LKJ) else prior
