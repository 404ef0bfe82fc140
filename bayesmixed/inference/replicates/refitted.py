"""Responses drawn and fitted again by one or several models: the estimates of each replicate, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...engines.refits.refits import Refits, Refitter
from ...errors import FitError
from ...fits.point import PointFit
from .redraw import Redraw
from .run import children

Statistic = Callable[[PointFit], Any]


@dataclass(frozen=True, eq=False)
class Refitted:
    """The task of refitting: responses of `redraw` fitted by each of the `refitters`."""

    redraw: Redraw
    refitters: tuple[Refitter, ...]
    seed: int
    rows: int

    @property
    def together(self) -> bool:
        """Whether many replicates cost little more than a few."""
        return all(refitter.together for refitter in self.refitters)

    def __call__(self, numbers: range) -> tuple[Refits, ...]:
        y = self.redraw.responses(children(self.seed, numbers))
        return tuple(refitter.refits(y) for refitter in self.refitters)


@dataclass(frozen=True)
class Outcome:
    """A statistic of a replicate: its `values` by name, or why there are none."""

    number: int
    values: dict[str, float] | None
    converged: bool
    singular: bool
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Evaluated:
    """The task of asking a function of the user's of the fit of each replicate."""

    redraw: Redraw
    refitter: Refitter
    statistic: Statistic
    seed: int
    rows: int

    together = False

    def __call__(self, numbers: range) -> tuple[Outcome, ...]:
        y = self.redraw.responses(children(self.seed, numbers))
        pairs = zip(numbers, self.refitter.fits(y), strict=True)
        return tuple(outcome(number, fit, self.statistic) for number, fit in pairs)


def outcome(number: int, fit: PointFit | None, statistic: Statistic) -> Outcome:
    """The statistic of one replicate's fit."""
    if fit is None:
        return Outcome(number, None, False, False, "the model could not be fitted")
    converged, singular = fit.status.converged, fit.status.singular_scaled
    if not converged:
        return Outcome(number, None, False, singular, "the fit did not converge")
    try:
        return Outcome(number, named(statistic(fit)), True, singular)
    except Exception as problem:  # whatever the user's function raises is a failure of its replicate
        return Outcome(number, None, True, singular, f"{type(problem).__name__}: {problem}")


def named(value: Any) -> dict[str, float]:
    """A statistic's values by name: of a Series or a dict its own, else "statistic", numbered where there are several.

    Raises
    ------
    FitError
        For what is no number.
    """
    if isinstance(value, pd.Series | Mapping):
        return {str(name): float(one) for name, one in value.items()}
    try:
        flat = np.ravel(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        raise FitError(
            f"statistic must give numbers, a Series or a dict of them, not {type(value).__name__}.",
            topic="own-statistic",
        ) from None
    if len(flat) == 1:
        return {"statistic": float(flat[0])}
    return {f"statistic[{i + 1}]": float(one) for i, one in enumerate(flat)}


def refits_of(parts: Sequence[tuple[Refits, ...]]) -> tuple[Refits, ...]:
    """The refits of every model, the parts one after the other."""
    return tuple(Refits.joined(each) for each in zip(*parts, strict=True))
