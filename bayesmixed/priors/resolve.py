"""What the user's `priors=` means for a given model: a preset, a function, or distributions laid over the default."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..covariance import CORRELATION, Covariance
from ..design.design import Design
from ..errors import ModelError, nearest
from ..families import Family
from ..parameters.names import (
    EVERY,
    POSITIVE,
    REAL,
    BlockSlot,
    Slot,
    block_slots,
    canonical,
    known_names,
    slots,
    widths,
)
from .default import cautious, default
from .distributions import LKJ, Distribution, Prior
from .from_numpyro import as_prior
from .origin import Placed
from .presets import bambi, boundary_avoiding, brms, flat, flat_on, rstanarm
from .priors import LaidOver, Priors

PRESETS: dict[str, Callable[[Design, Family], Priors]] = {
    "default": default,
    "cautious": cautious,
    "flat": flat,
    "brms": brms,
    "rstanarm": rstanarm,
    "bambi": bambi,
    "boundary_avoiding": boundary_avoiding,
}


def resolve(
    spec: str | Mapping[str, Any] | Callable[[Design, Family], Priors] | None,
    design: Design,
    family: Family,
    covariances: Sequence[Covariance] = (),
    constants: Mapping[str, float] | None = None,
    base: Callable[[Design, Family], Priors] = default,
) -> Priors:
    """The priors as numbers.

    Parameters
    ----------
    spec
        None (the default), a preset's name, a function ``(Design, Family) -> Priors``, or a dict
        {name: numpyro distribution or value of ``bm.priors``} laid over `base`, or over other
        priors, ``model.priors | {...}``; or one of these inside ``bm.priors.centered(...)`` or
        ``bm.priors.as_typed(...)``.
    design, family, covariances
        The parts of the model, covariances aligned with ``design.groups``.
    constants
        Parameters held fixed: they have no prior.
    base
        The preset that a dict is laid over.

    Returns
    -------
    Priors
        A mapping from the name of each parameter to its prior.

    Raises
    ------
    ModelError
        Unknown preset or name; a prior with negative support on an sd; a correlation prior that is
        no LKJ or has the wrong dimension; a vector of the wrong length; both intercepts.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> sorted(bm.priors.resolve("brms", model.design, model.family, model.covariances))
    ['1|Batch_sigma', 'Intercept_centered', 'sigma']
    """
    if isinstance(spec, Placed):
        found = resolve(spec.spec, design, family, covariances, constants, base)
        return replace(found, centered=spec.centered, typed=frozenset())
    parameters, blocks = slots(design, family), block_slots(design, family)
    held = tuple(constants or ())
    if isinstance(spec, LaidOver):
        chosen = overlaid(spec.base, spec.spec, parameters, blocks, held)
    elif isinstance(spec, Mapping) and not isinstance(spec, Priors):
        chosen = overlaid(base(design, family), spec, parameters, blocks, held)
    else:
        chosen = _preset(spec)(design, family)
    return _checked(chosen.without(*held), parameters, blocks, held)


def _preset(spec: Any) -> Callable[[Design, Family], Priors]:
    if spec is None:
        return default
    if isinstance(spec, Priors):
        return lambda design, family: spec
    if callable(spec):
        return spec
    if not isinstance(spec, str):
        raise ModelError(
            f"priors= takes a preset's name, a dict of distributions or a function, not {spec!r}.", topic="prior-form"
        )
    if spec not in PRESETS:
        raise ModelError(
            f"Unknown preset of priors {spec!r}. {nearest(spec, PRESETS, 'Known presets')}", topic="preset"
        )
    return PRESETS[spec]


def overlaid(
    base: Priors,
    spec: Mapping[str, Any],
    parameters: tuple[Slot, ...],
    blocks: tuple[BlockSlot, ...],
    held: tuple[str, ...] = (),
) -> Priors:
    """The priors of `base`, those of `spec` in their place; `held` parameters may not be named."""
    given = _known(spec, known_names(parameters, blocks), held)
    together = {
        member: (block.name, key)
        for block, key in _given_together(given, parameters, blocks)
        for member in block.members
    }
    entries, sources = {}, {}
    width = widths(parameters)
    for slot in parameters:
        if slot.name in together:
            block, whole = together[slot.name]
            entries[block], sources[block] = given[whole], "user"
            continue
        name = _raw_intercept(slot.name, given)
        # Narrow names come first, so the more specific of two overlapping names wins.
        key = next((key for key in (name, *slot.wider) if key in given), None)
        if key is None:
            name = _in_base(base, slot.name, blocks)
        entries[name] = base[name] if key is None else _element(given[key], key, slot, width)
        sources[name] = base.sources.get(name, "user") if key is None else "user"
    _refuse_halves(entries, blocks)
    named = frozenset(name for name, source in sources.items() if source == "user")
    return Priors(entries, sources, base.centered, base.typed | named)


def _in_base(base: Priors, name: str, blocks: tuple[BlockSlot, ...]) -> str:
    """Under which name `base` has the prior of a parameter: its own, its raw intercept's or that of its block."""
    if name in base:
        return name
    raw = name.removesuffix("_centered")
    whole = next((block.name for block in blocks if name in block.members and block.name in base), raw)
    if whole not in base:
        raise ModelError(
            f"The priors lack {name!r}. Add it, priors={{{name!r}: ...}}: every parameter needs one.",
            topic="prior-missing",
        )
    return whole


def _refuse_halves(entries: Mapping[str, Prior], blocks: tuple[BlockSlot, ...]) -> None:
    for block in blocks:
        apart = [member for member in block.members if member in entries]
        if block.name in entries and apart:
            raise ModelError(
                f"{block.name!r} is the prior of all sds and correlations of ({block.bar}) together, and {apart[0]!r} "
                f"that of some of them. Give all of them: {', '.join(block.members)}.",
                topic="prior-of-a-block",
            )


def _given_together(
    given: Mapping[str, Prior], parameters: tuple[Slot, ...], blocks: tuple[BlockSlot, ...]
) -> Iterator[tuple[BlockSlot, str]]:
    """Blocks that a prior of a whole block is given for, with the name it is given under."""
    wider = {slot.name: slot.wider for slot in parameters}
    for block in blocks:
        whole = next((key for key in (block.name, *block.wider) if key in given), None)
        apart = [key for member in block.members for key in (member, *wider[member]) if key in given]
        named = [key for key in apart if key not in EVERY]
        if whole is None or (whole in EVERY and named):
            continue
        if named or (apart and whole in EVERY):
            raise ModelError(
                f"{whole!r} is the prior of all sds and correlations of ({block.bar}) together, and {apart[0]!r} that "
                "of some of them. Give one or the other.",
                topic="prior-of-a-block",
            )
        yield block, whole


def _known(spec: Mapping[str, Any], names: list[str], held: tuple[str, ...]) -> dict[str, Prior]:
    by_canonical = {canonical(name): name for name in reversed(names)}
    given = {}
    for key, value in spec.items():
        name = key if key in names else by_canonical.get(canonical(str(key)))
        if name is None:
            raise ModelError(
                f"There is no parameter {key!r} to put a prior on. {_meant(str(key), names)}"
                f"This model knows: {', '.join(names)}.",
                topic="no-such-prior",
            )
        if name in held:
            raise ModelError(
                f"{key!r} is held constant, so it cannot have a prior. Drop one of the two.", topic="no-such-prior"
            )
        given[name] = as_prior(value, str(key))
    if "Intercept" in given and "Intercept_centered" in given:
        raise ModelError(
            "Give a prior for 'Intercept' (all columns at 0) or for 'Intercept_centered' (all columns at their "
            "means), not for both: they are the same parameter, stated at two places.",
            topic="no-such-prior",
        )
    return given


def _meant(key: str, names: list[str]) -> str:
    """The nearest names, where any is near; all of them follow anyway."""
    near = nearest(key, names)
    return f"{near} " if near.startswith("Did") else ""


def _raw_intercept(name: str, given: Mapping[str, Prior]) -> str:
    raw = name.removesuffix("_centered")
    return raw if raw != name and raw in given else name


def _element(prior: Prior, key: str, slot: Slot, width: Mapping[str, int]) -> Prior:
    if prior.length is None:
        return prior
    expected = 1 if key not in slot.wider else width[key]
    if prior.length != expected:
        raise ModelError(
            f"The prior of {key!r} has {prior.length} elements and {key!r} has {expected}. "
            "Give one distribution for all of them, or one of that length.",
            topic="prior-form",
        )
    return prior.element(0 if key not in slot.wider else slot.position[slot.wider.index(key)])


def _checked(
    chosen: Priors, parameters: tuple[Slot, ...], blocks: tuple[BlockSlot, ...], held: tuple[str, ...]
) -> Priors:
    together = {member: block.name for block in blocks if block.name in chosen for member in block.members}
    entries: dict[str, Prior] = {}
    for slot in parameters:
        raw = slot.name.removesuffix("_centered")
        name = slot.name if slot.name in chosen or raw not in chosen else raw
        if slot.name in held:
            continue
        if slot.name in together and slot.name not in chosen:
            block = together[slot.name]
            entries[block] = _sound(chosen.block(block), block)
            continue
        if name not in chosen:
            raise ModelError(
                f"The priors lack {slot.name!r}. Add it, priors={{{slot.name!r}: ...}}: every parameter needs one.",
                topic="prior-missing",
            )
        entries[name] = _fitting(as_prior(chosen[name], name), name, slot)
    unknown = [name for name in chosen if name not in entries]
    if unknown:
        raise ModelError(
            f"The priors name {unknown[0]!r}, which is not a parameter of this model. {nearest(unknown[0], entries)}",
            topic="no-such-prior",
        )
    return Priors(entries, {name: chosen.sources.get(name, "user") for name in entries}, chosen.centered, chosen.typed)


def _sound(prior: Prior, name: str) -> Prior:
    if prior.fault:
        raise ModelError(f"The prior of {name!r} is {prior.describe()}: {prior.fault}.", topic="prior-support")
    return prior


def _fitting(prior: Prior, name: str, slot: Slot) -> Prior:
    _sound(prior, name)
    if (slot.support == POSITIVE or np.any(np.isfinite(slot.bounds))) and not prior.proper:
        return flat_on(slot)
    if slot.support == CORRELATION:
        return _correlation(prior, name, slot.dimension)
    if prior.support == CORRELATION:
        raise ModelError(
            f"{name!r} is not a correlation matrix, so {prior.describe()} cannot be its prior.",
            topic="prior-of-a-block",
        )
    if prior.support not in (REAL, POSITIVE):
        raise ModelError(
            f"{prior.describe()} is not a prior of a single number, {name!r}. The prior of a whole block goes under "
            "the factor's name and '_cov'.",
            topic="prior-of-a-block",
        )
    if slot.support == POSITIVE and prior.support != POSITIVE:
        raise ModelError(
            f"{name!r} is a standard deviation or dispersion and cannot be negative, but {prior.describe()} reaches "
            "below 0. Use a prior on positive numbers: HalfNormal, HalfStudentT, Exponential or Gamma of bm.priors.",
            topic="prior-support",
        )
    return _within(prior, name, slot)


def _within(prior: Prior, name: str, slot: Slot) -> Prior:
    low, high = slot.bounds
    if np.isfinite(high) and isinstance(prior, Distribution):
        least, most = prior.bounds
        if not (low <= least and most <= high):
            raise ModelError(
                f"{name!r} lies between {low:g} and {high:g}, but {prior.describe()} reaches beyond. Use "
                f"bm.priors.Uniform({low:g}, {high:g}), bm.priors.Beta(2, 2, {low:g}, {high:g}), or a distribution of "
                "NumPyro on that interval.",
                topic="prior-support",
            )
    return prior


def _correlation(prior: Prior, name: str, dimension: int) -> Prior:
    if not isinstance(prior, LKJ):
        raise ModelError(
            f"The prior of {name!r} must be an LKJ, such as bm.priors.LKJ(2), not {prior.describe()}.",
            topic="prior-of-a-block",
        )
    if prior.dimension not in (None, dimension):
        raise ModelError(
            f"{name!r} is a {dimension} x {dimension} correlation matrix, but its LKJ has dimension "
            f"{prior.dimension}. Write bm.priors.LKJ({prior.concentration:g}), which takes the block's.",
            topic="prior-of-a-block",
        )
    return replace(prior, dimension=dimension)
