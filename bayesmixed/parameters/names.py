"""Which parameters of a model have priors, under which names, and which of two names is more specific."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from ..covariance import CORRELATION, Covariance, Free, stems, structure
from ..design.design import Design, GroupTerm
from ..errors import ModelError
from ..families import Family

EVERY = ("b", "sd", "corr", "cov")  # all slopes, all sds, all correlations, all blocks of the model
REAL, POSITIVE, COVARIANCE = "real", "positive", "covariance"


@dataclass(frozen=True)
class TermNames:
    """The names of one bar: its tag ("Subject", or "Subject#2" where names would collide), effects, sds, matrices.

    `effects` are "1|Subject", "Days|Subject"; `sds` the same with "_sigma", or what the covariance structure has
    instead; `shapes` what else it has, such as "Subject_corr"; `covariance` is "Subject_cov", the sds and the
    correlation as one. `free` says what sds and shapes are, in the same order.
    """

    tag: str
    effects: tuple[str, ...]
    sds: tuple[str, ...]
    shapes: tuple[str, ...]
    covariance: str
    free: Free

    @property
    def members(self) -> tuple[str, ...]:
        """Every parameter of the block."""
        return (*self.sds, *self.shapes)

    @property
    def whole(self) -> bool:
        """Whether its sds and its correlation matrix, if it has one, may have one prior together."""
        return self.free.by_column and all(shape.support == CORRELATION for shape in self.free.shapes)

    @property
    def all_sds(self) -> str:
        """The name that stands for every sd of the block."""
        return f"{self.tag}_sigma"


@dataclass(frozen=True)
class Slot:
    """One parameter that needs a prior: its name, its support, and wider names from narrow to wide.

    `position` is its place within each wider name (for vector priors), `dimension` the number of
    columns of a correlation matrix; `bounds` is the interval that a number lies in.
    """

    name: str
    support: str
    wider: tuple[str, ...] = ()
    position: tuple[int, ...] = ()
    dimension: int = 0
    bounds: tuple[float, float] = (-inf, inf)


@dataclass(frozen=True)
class BlockSlot:
    """A block whose sds and correlation, its `members`, may have one prior together; `bar` is its text."""

    name: str
    bar: str
    members: tuple[str, ...]
    wider: tuple[str, ...]


def term_names(design: Design) -> tuple[TermNames, ...]:
    """The names of every bar, in formula order.

    A second bar on one factor keeps the plain names where its columns are new and gets the tag
    "factor#2" where one is not; the correlation of a second correlated block is "factor#2_corr", the
    covariance of any second block "factor#2_cov".
    """
    taken: set[str] = set()
    named = []
    bars = [(predictor.prefix, group) for predictor in design.predictors.values() for group in predictor.groups]
    for prefix, group in bars:
        names = _term(prefix, group, structure_of(group).parameters(len(group.columns)), taken)
        taken.update((*names.effects, names.covariance, *_of_bar(names)))
        named.append(names)
    return tuple(named)


def structure_of(group: GroupTerm) -> Covariance:
    """The covariance structure that a bar asks for."""
    return structure(group.covariance, group.options)


def _term(prefix: str, group: GroupTerm, free: Free, taken: set[str]) -> TermNames:
    for number in range(1, 100):
        tag = group.factor if number == 1 else f"{group.factor}#{number}"
        effects = tuple(f"{prefix}{'1' if c == 'Intercept' else c}|{tag}" for c in group.columns)
        sds = tuple(sd.name(f"{prefix}{tag}", effects) for sd in free.sds)
        shapes = tuple(f"{prefix}{tag}_{shape.stem}" for shape in free.shapes)
        names = TermNames(f"{prefix}{tag}", effects, sds, shapes, "", free)
        if taken.isdisjoint((*effects, *_of_bar(names))):
            break
    covariances = (f"{prefix}{group.factor}{again}_cov" for again in ("", *(f"#{i}" for i in range(2, 100))))
    return replace(names, covariance=next(name for name in covariances if name not in taken))


def _of_bar(names: TermNames) -> tuple[str, ...]:
    """The names that a bar has beside those of its effects and their sds."""
    return names.shapes if names.free.by_column else names.members


def slots(design: Design, family: Family) -> tuple[Slot, ...]:
    """Every parameter that needs a prior, in the order of the printout.

    Raises
    ------
    ModelError
        Where two parameters would have one name (a column called "sigma").
    """
    found = (*_coefficient_slots(design), *_covariance_slots(design), *_dispersion_slots(design, family))
    counted = Counter(slot.name for slot in found)
    twice = [name for name, count in counted.items() if count > 1]
    if twice:
        raise ModelError(
            f"Two parameters are called {twice[0]!r}: rename the column {twice[0]!r} in the table.", topic="name-taken"
        )
    return tuple(_without(found_one, set(counted)) for found_one in found)


def _without(slot: Slot, names: set[str]) -> Slot:
    """The slot without wider names that a parameter of the model has for its own ("b", "sd")."""
    kept = [(w, at) for w, at in zip(slot.wider, slot.position, strict=True) if w not in names]
    return replace(slot, wider=tuple(w for w, _ in kept), position=tuple(at for _, at in kept))


def block_slots(design: Design, family: Family) -> tuple[BlockSlot, ...]:
    """Every block whose parameters may have one prior together, in formula order."""
    names = {slot.name for slot in slots(design, family)}
    found = []
    for group, named in zip(design.groups, term_names(design), strict=True):
        if not named.whole:
            continue
        wider = dict.fromkeys(w for w in (f"{group.factor}_cov", "cov") if w != named.covariance and w not in names)
        found.append(BlockSlot(named.covariance, group.text, named.members, tuple(wider)))
    return tuple(found)


def _coefficient_slots(design: Design) -> list[Slot]:
    found = []
    for predictor in design.predictors.values():
        prefix = predictor.prefix
        slopes = [c for c in predictor.coefficients if c != "Intercept"]
        term_of = {predictor.coefficients[j]: (t, k) for t, js in predictor.terms.items() for k, j in enumerate(js)}
        if predictor.has_intercept:
            found.append(Slot(f"{prefix}Intercept_centered", REAL))
        for i, name in enumerate(slopes):
            term, place = term_of.get(name, (name, 0))
            wider, position = ((term, "b"), (place, i)) if term != name else (("b",), (i,))
            found.append(Slot(f"{prefix}{name}", REAL, tuple(f"{prefix}{w}" for w in wider), position))
    return found


def _covariance_slots(design: Design) -> list[Slot]:
    named = term_names(design)
    found = []
    width: Counter[str] = Counter()
    for group, names in zip(design.groups, named, strict=True):
        for sd in names.sds:
            wider = tuple(w for w in dict.fromkeys((names.all_sds, f"{group.factor}_sigma", "sd")) if w != sd)
            found.append(Slot(sd, POSITIVE, wider, tuple(width[w] for w in wider)))
            width.update(wider)
    for group, names in zip(design.groups, named, strict=True):
        for name, shape in zip(names.shapes, names.free.shapes, strict=True):
            wider = tuple(w for w in dict.fromkeys((f"{group.factor}_{shape.stem}", shape.stem)) if w != name)
            where = (0,) * len(wider)
            support = CORRELATION if shape.support == CORRELATION else REAL
            found.append(Slot(name, support, wider, where, len(group.columns), shape.ends))
    return found


def _dispersion_slots(design: Design, family: Family) -> list[Slot]:
    return [
        Slot(each.name, POSITIVE if each.bounds[0] >= 0 else REAL, bounds=each.bounds)
        for each in family.others
        if each.name not in design.predictors
    ]


def known_names(parameters: tuple[Slot, ...], blocks: tuple[BlockSlot, ...] = ()) -> list[str]:
    """Every name that a user may give, the raw intercept and the wider names included."""
    names: list[str] = []
    for slot in parameters:
        names.append(slot.name)
        if slot.name.endswith("Intercept_centered"):
            names.append(slot.name.removesuffix("_centered"))
    names += [block.name for block in blocks]
    wider = [w for slot in parameters for w in slot.wider] + [w for block in blocks for w in block.wider]
    return list(dict.fromkeys([*names, *wider]))


def canonical(name: str) -> str:
    """The name with the parts of every interaction in alphabetical order, so that ``b:a`` finds ``a:b``.

    >>> canonical("1|cask:batch_sigma")
    '1|batch:cask_sigma'
    """
    stem, suffix = name, ""
    for ending in (f"_{each}" for each in stems()):
        if name.endswith(ending):
            stem, suffix = name.removesuffix(ending), ending
    return "|".join(":".join(sorted(side.split(":"))) for side in stem.split("|")) + suffix


def widths(parameters: tuple[Slot, ...]) -> Mapping[str, int]:
    """How many parameters each wider name stands for."""
    return Counter(wider for slot in parameters for wider in slot.wider)
