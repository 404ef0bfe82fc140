"""Newton's method for the modes of effects: how steps are shortened, and when they have come to an end.

Of one function, or of many side by side, each of which climbs by steps of its own: whoever asks brings the values and
solves the equations of its curvature (`Ascent`). A full step is halved until the value does not fall by more than its
rounding, and a step that promises next to nothing is the last.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

SETTLED = 1e-8  # Newton decrement (squared length of a step in sds) after which a step leaves an error of its square
HALVINGS = 30
LAST = 1e-8  # by which a last step may lower the value: it is below what values show, and makes gradients exact
ULPS = 1e-12  # of a value's size: its rounding, where nothing more is known of it
HIDDEN = 1e-13  # of a value's size: a decrement that is its rounding


@dataclass(frozen=True)
class Abreast:
    """Arrays of many functions at once, whose number is the first axis of every field; of one, whatever it needs."""

    def of(self, some: np.ndarray) -> Any:
        """Those of some of the functions."""
        return type(self)(*(_of(getattr(self, part.name), some) for part in fields(self)))

    def put(self, some: np.ndarray, new: Any) -> None:
        """Take some functions' from elsewhere."""
        for part in fields(self):
            _put(getattr(self, part.name), some, getattr(new, part.name))

    def unless(self, kept: np.ndarray, old: Any) -> Any:
        """These, but `old` where `kept`, a mask over the first axis or the first few."""
        return type(self)(*(_unless(kept, getattr(old, f.name), getattr(self, f.name)) for f in fields(self)))


@dataclass(frozen=True)
class Point(Abreast):
    """Where an ascent has come to, with its `value`: (N,) of N functions, (N, L) of N sums over L; a number of one."""

    value: Any


@dataclass(frozen=True)
class Step(Abreast):
    """What a full step adds, and the squared length in sds, its `decrement`, as values have it; NaN where it fails."""

    decrement: Any


P = TypeVar("P", bound=Point)
S = TypeVar("S", bound=Step)


class Ascent(ABC, Generic[P, S]):
    """A function of effects, or several side by side, whose maximum is looked for.

    `in_step` says that functions that have ended are stepped on while others are: where calls cost more than numbers.
    """

    in_step: ClassVar[bool] = False

    @abstractmethod
    def step(self, at: P) -> S | None:
        """Newton's full step from a point; None where no equations can be solved."""

    @abstractmethod
    def moved(self, at: P, step: S, size: Any, last: Any) -> P:
        """The point `size` steps on, with value -inf or NaN outside the domain; `last` says that none will follow."""

    def of(self, some: np.ndarray) -> Ascent[P, S]:
        """Some of the functions, where there are several."""
        return self

    def negligible(self, at: P, step: S) -> Any:
        """Whether a step's decrement is so small that it is the last."""
        return step.decrement < SETTLED + HIDDEN * np.abs(at.value)

    def rounding(self, at: P) -> Any:
        """What the value is known to."""
        return ULPS * (1 + np.abs(at.value))


@dataclass(frozen=True)
class Climbed(Generic[P]):
    """Where an ascent ended, whether each function `settled` there, a mask (N,) or of one a truth; `steps` taken."""

    at: P
    settled: Any
    steps: int


def climb(ascent: Ascent[P, S], at: P, steps: int) -> Climbed[P]:
    """Newton's steps from a point, at most `steps`; functions that have ended stay where they are, unless `in_step`."""
    whole, left, settled, count = at, None, np.zeros(np.shape(at.value)[:1], dtype=bool), 0
    for count in range(1, steps + 1):
        step = ascent.step(at)
        if step is None:
            break
        at, there, moves = _stepped(ascent, at, step)
        going = moves & np.logical_not(there)
        if _every(going):
            continue
        if ascent.in_step and _some(going):
            settled = there
            continue
        if left is None:
            whole, settled = at, there
        else:
            whole.put(left, at)
            settled[left] = there
        if not _some(going):
            return Climbed(whole, settled, count)
        some = np.flatnonzero(going)
        left = some if left is None else left[some]
        at, ascent = at.of(some), ascent.of(some)
    if left is None:
        return Climbed(at, settled, count)
    whole.put(left, at)
    return Climbed(whole, settled, count)


def _stepped(ascent: Ascent[P, S], at: P, step: S) -> tuple[P, Any, Any]:
    """The next point, which functions have their mode there, and which moved.

    What cannot be improved beyond its rounding is a mode.
    """
    small = ascent.negligible(at, step)
    new = ascent.moved(at, step, 1.0, small)
    fell = np.logical_not(new.value >= at.value)
    there = small
    if _some(fell):
        slack = ascent.rounding(at) + np.where(small, LAST, 0.0)
        new, fell = _halved(ascent, at, step, small, new, slack)
        there = small | (fell & (np.abs(step.decrement) < slack))
    return new, _of_all(there), _of_any(~fell) & _of_all(np.isfinite(step.decrement))


def _halved(ascent: Ascent[P, S], at: P, step: S, small: Any, new: P, slack: Any) -> tuple[P, Any]:
    """The first of the full, half, quarter ... steps of each function that does not lower it by more than `slack`.

    And where none does, or what is left of the step promises less: there the point is the old one.
    """
    size: Any = np.ones(np.shape(at.value))[()]
    fell = np.logical_not(new.value >= at.value - slack)
    for _ in range(HALVINGS - 1):
        size = np.where(fell, size / 2, size)[()]
        trying = fell & (size * step.decrement >= slack)
        if not _some(trying):
            break
        if np.ndim(trying) == 0:
            new = ascent.moved(at, step, size, small)
        else:
            some = np.flatnonzero(_of_any(trying))
            new.put(some, ascent.of(some).moved(at.of(some), step.of(some), size[some], small[some]))
        fell = fell & ~(new.value >= at.value - slack)
    if np.ndim(fell) == 0:
        return (at if fell else new), fell
    return new.unless(fell, at), fell


def _every(mask: Any) -> bool:
    return bool(mask.all() if isinstance(mask, np.ndarray) else mask)


def _some(mask: Any) -> bool:
    return bool(mask.any() if isinstance(mask, np.ndarray) else mask)


def _of_all(mask: Any) -> Any:
    """Per function whether all of its sums are in a mask."""
    return mask.all(axis=tuple(range(1, mask.ndim))) if isinstance(mask, np.ndarray) and mask.ndim > 1 else mask


def _of_any(mask: Any) -> Any:
    return mask.any(axis=tuple(range(1, mask.ndim))) if isinstance(mask, np.ndarray) and mask.ndim > 1 else mask


def _of(values: Any, some: np.ndarray) -> Any:
    return tuple(part[some] for part in values) if isinstance(values, tuple) else values[some]


def _put(values: Any, some: np.ndarray, new: Any) -> None:
    if isinstance(values, tuple):
        for part, fresh in zip(values, new, strict=True):
            part[some] = fresh
    else:
        values[some] = new


def _unless(kept: np.ndarray, old: Any, new: Any) -> Any:
    if isinstance(new, tuple):
        return tuple(_unless(kept, a, b) for a, b in zip(old, new, strict=True))
    return np.where(kept.reshape(kept.shape + (1,) * (new.ndim - kept.ndim)), old, new)
