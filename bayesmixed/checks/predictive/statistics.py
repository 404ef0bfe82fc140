"""What is compared between data and replicates: statistics by name or function, and what happens where one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FitError, nearest

OBSERVED = -1  # the number of the "replicate" that is the data


def _sd(y: np.ndarray) -> np.ndarray:
    if y.shape[-1] < 2:
        return np.full(y.shape[:-1], np.nan)
    return y.std(axis=-1, ddof=1)


NAMED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda y: y.mean(axis=-1),
    "sd": _sd,
    "min": lambda y: y.min(axis=-1),
    "max": lambda y: y.max(axis=-1),
    "median": lambda y: np.median(y, axis=-1),
    "zeros": lambda y: np.mean(y == 0, axis=-1),
}


@dataclass(frozen=True)
class Statistic:
    """A number of a response: `function` of y (n,), or of (m, n) at once where it is `batched`."""

    name: str
    function: Callable[[np.ndarray], Any]
    batched: bool

    def values(self, y: np.ndarray, first: int, where: str) -> np.ndarray:
        """One number per row of y (m, n), which are the replicates from number `first` on; `where` names the group.

        Raises
        ------
        FitError
            Where the function fails on one of them, naming it.
        """
        if self.batched:
            return self.function(y)
        return np.array([self._one(row, first + i, where) for i, row in enumerate(y)])

    def _one(self, y: np.ndarray, number: int, where: str) -> float:
        on = "the observed response" if number == OBSERVED else f"replicate {number}"
        try:
            value = np.asarray(self.function(y.copy()), dtype=float)
        except Exception as error:
            words = " ".join(str(error).split()) or "no message"
            raise FitError(
                f"statistic {self.name!r} fails on {on}{where}: {type(error).__name__}: {words}", topic="own-statistic"
            ) from error
        if value.shape != ():
            raise FitError(
                f"statistic {self.name!r} gives an array of shape {value.shape} on {on}{where}, and one number is "
                "needed: give a list of functions for several.",
                topic="own-statistic",
            )
        if number != OBSERVED and not np.isfinite(value):
            raise FitError(
                f"statistic {self.name!r} is {value} on {on}{where}: give one that is always defined.",
                topic="own-statistic",
            )
        return float(value)


def statistics(asked: str | Callable[..., Any] | Sequence[Any]) -> list[Statistic]:
    """The statistics that a user names or gives as functions.

    Raises
    ------
    FitError
        An unknown name, something else, or two of one name.
    """
    several = list(asked) if isinstance(asked, list | tuple) else [asked]
    if not several:
        raise FitError('statistic=[] asks for nothing: name one, such as "mean".', topic="nothing-named")
    found = [_statistic(one) for one in several]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise FitError(
                f"Two statistics are called {name!r}: give functions of different names (def, not lambda).",
                topic="own-statistic",
            )
    return found


def _statistic(asked: Any) -> Statistic:
    if isinstance(asked, str):
        if asked not in NAMED:
            raise FitError(
                f"statistic={asked!r} is unknown. {nearest(asked, NAMED, 'Known')} A function of y will do.",
                topic="unknown-option",
            )
        return Statistic(asked, NAMED[asked], True)
    if not callable(asked):
        raise FitError(
            f"statistic must be a name ({', '.join(NAMED)}), a function of y or a list, not {asked!r}.",
            topic="unknown-option",
        )
    return Statistic(getattr(asked, "__name__", type(asked).__name__), asked, False)
