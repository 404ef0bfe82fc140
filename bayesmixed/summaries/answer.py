"""A tidy frame of numbers with a heading and notes, printed as a page."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from ..messages import retold
from ..page import Page, Printed, Section, column, number, places


@dataclass(frozen=True, repr=False)
class Answer(Printed):
    """Numbers as data (`frame`) and as a page: printing it gives text, notebooks get HTML.

    Attributes
    ----------
    title, frame
        Its heading and its numbers.
    notes
        What the numbers are conditional on.
    """

    title: str
    frame: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def page(self) -> Page:
        """The page that is printed."""
        notes = tuple(retold(note, f"  {note}") for note in self.notes)
        return Page((Section(self.title, shown(self.frame)), *([Section("", lines=notes)] if notes else [])))


def shown(frame: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """The frame as texts; columns without any number are left out, levels of the index become one label."""
    kept = frame.loc[:, [bool(frame[name].notna().any()) for name in frame]]
    labels = [" ".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in frame.index]
    texts = {name: _texts(kept[name], digits) for name in kept}
    return pd.DataFrame(texts, index=labels)


def _texts(values: pd.Series, digits: int) -> list[str]:
    """Numbers in one format, at as many decimals as the smallest needs; words and counts as they are."""
    if values.dtype.kind != "f":
        return [number(value, digits) if isinstance(value, float) else str(value) for value in values]
    return column(values, places(values, digits))
