"""Intervals of parameters as they are returned: a page, and a frame with lower, upper and kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..messages import Told
from ..page import SCIENTIFIC, Page, Printed, Section, column, listed, places

BENT = 0.2  # standard errors between a profile limit and the Wald limit from which the printout says so
ALIKE = 2  # decimals between the rows of a column that may be bridged to make them agree
WORDS = {"crossed": "profile", "boundary": "boundary", "endless": "endless", "failed": "failed"}


@dataclass(frozen=True)
class Interval:
    """The limits of one parameter `label`.

    `found` says how the lower and the upper one were: "crossed" (zeta is there what the level asks), "boundary" (the
    parameter ends before), "endless" (the likelihood stays flat as far as one looks), "failed" (the search broke off).
    `se` is the standard error by the curvature, NaN where there is none.
    """

    label: str
    estimate: float
    lower: float
    upper: float
    found: tuple[str, str]
    se: float
    level: float

    @property
    def kind(self) -> str:
        """The word "profile" where both limits were crossed, else what the worse one is."""
        order = list(WORDS)
        return WORDS[max(self.found, key=order.index)]

    @property
    def bend(self) -> float:
        """The largest distance of a limit from the Wald limit, in standard errors; NaN without either.

        It is zero where zeta is a straight line: then the likelihood is that of a normal estimate.
        """
        return self._off([abs(limit - self.estimate) / self.se for limit in self._crossed()] if self.se > 0 else [])

    @property
    def log_bend(self) -> float:
        """The same of the logarithm; NaN of what need not be positive."""
        if not (self.se > 0 and self.estimate > 0 and self.lower > 0):
            return float("nan")
        unit = self.se / self.estimate
        return self._off([abs(np.log(limit / self.estimate)) / unit for limit in self._crossed()])

    def _off(self, distances: list[float]) -> float:
        half = float(ndtri(0.5 + self.level / 2))
        return max((abs(distance - half) for distance in distances), default=float("nan"))

    def _crossed(self) -> list[float]:
        pairs = zip((self.lower, self.upper), self.found, strict=True)
        return [limit for limit, how in pairs if how == "crossed"]


def said(intervals: list[Interval] | tuple[Interval, ...]) -> tuple[str, ...]:
    """What to know of profile limits: which are ends of a parameter, which were not found, where Wald's are off."""
    lines = []
    for how, words in (
        ("boundary", "reached where the parameter ends, before the likelihood is low enough for a limit"),
        ("endless", "no limit: the likelihood stays too high however far the parameter goes"),
        ("failed", "NOT FOUND: the likelihood could not be maximised beside it (bm.diagnose(fit))"),
    ):
        names = [
            f"{side} limit of {each.label}"
            for each in intervals
            for side, found in zip(("lower", "upper"), each.found, strict=True)
            if found == how
        ]
        if names:
            start = listed(names)
            lines.append(Told("limits", f"{start[0].upper()}{start[1:]}: {words}."))
    bent = [f"{each.label} ({each.bend:.1f} se)" for each in intervals if each.bend > BENT]
    if bent:
        lines.append(
            Told(
                "bend",
                f"Bent: {listed(bent)}. Wald limits, estimate +- z se, are off by as much: the scale is wrong for "
                "them.",
            )
        )
    straight = [each.label for each in intervals if each.bend > BENT and each.log_bend < min(BENT, 0.5 * each.bend)]
    if straight:
        lines.append(Told("bend", f"Straight as a logarithm: {listed(straight)}."))
    return tuple(lines)


def limits(table: pd.DataFrame) -> pd.DataFrame:
    """estimate, lower and upper as text, at decimals that rows share, or each row's own where widths differ much."""
    own = [_decimals(width) for width in table["upper"] - table["lower"]]
    fixed = [digits for digits in own if digits != SCIENTIFIC]
    if fixed and max(fixed) - min(fixed) <= ALIKE:
        own = [digits if digits == SCIENTIFIC else max(fixed) for digits in own]
    shown = {}
    for name in ("estimate", "lower", "upper"):
        shown[name] = [column([value], digits)[0] for value, digits in zip(table[name], own, strict=True)]
    return pd.DataFrame(shown, index=table.index)


def _decimals(width: float) -> int:
    return places([width / 10], 2) if np.isfinite(width) else 3


@dataclass(frozen=True, repr=False)
class Intervals(Printed):
    """Limits by parameter. Printing gives a page; `.frame` has lower, upper and kind, one row per parameter.

    Attributes
    ----------
    table
        What is printed, one row per parameter.
    notes
        How the limits were found, and what is doubtful.
    """

    title: str
    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """lower, upper, kind by parameter; a copy may be changed at will."""
        return self.table[["lower", "upper", "kind"]].copy()

    @property
    def page(self) -> Page:
        """The table, with estimates, and its notes."""
        return Page((Section(self.title, limits(self.table).assign(kind=list(self.table["kind"])), self.notes),))

    def __len__(self) -> int:
        return len(self.table)
