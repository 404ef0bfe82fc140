"""What are the columns of a printed table: numbers or words, labels or values, and which say the same in every row?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
# 1.5, <0.005, nan, 251.4 (6.82), 0.4 [0.1, 0.7]
_NUMBERS = re.compile(
    rf"[<>]?(?:{_NUMBER}|[-+]?(?:nan|inf))(?: \({_NUMBER}\)| \[(?:{_NUMBER}|-?inf), (?:{_NUMBER}|-?inf)\])?", re.I
)


@dataclass(frozen=True)
class Column:
    """One column as texts: its head, its cells, whether all of them are numbers, and whether they label the rows."""

    head: str
    cells: tuple[str, ...]
    number: bool
    label: bool = False

    @property
    def same(self) -> bool:
        """Whether it says one thing in all of several rows."""
        return len(self.cells) > 1 and len(set(self.cells)) == 1 and bool(self.head.strip() and self.cells[0].strip())


def columns(table: pd.DataFrame, index: bool) -> list[Column]:
    """The columns of a frame from left to right, with its index as the first where it is shown.

    Cells stay what they are: a sentence that knows its topic is one here too.
    """
    found = [_column(str(name), table.iloc[:, i]) for i, name in enumerate(table.columns)]
    if index:
        found.insert(0, Column("", tuple(map(_text, table.index)), number=False, label=True))
    return found


def is_number(text: str) -> bool:
    """Whether a cell belongs to the right: a number, with its error or limits, or nothing.

    >>> [is_number(text) for text in ("1.5", "<0.005", "251.4 (6.82)", "", "1 to 7")]
    [True, True, True, True, False]
    """
    return not text.strip() or _NUMBERS.fullmatch(text.strip()) is not None


def said_once(found: Sequence[Column], also: Iterable[str] = ()) -> tuple[list[Column], tuple[str, ...]]:
    """The columns without those that say the same in every row, and a line that says it instead.

    Those of words, and of numbers those named by `also`: a coefficient or its error is read in its row.
    """
    named = set(also)
    names_rows = len(found) > 1 and not found[1].number and not found[1].same  # in the place of the first column
    out = [
        i
        for i, each in enumerate(found)
        if (i or names_rows) and each.same and not each.label and (not each.number or each.head in named)
    ]
    if len(out) + 1 == len(found):
        out = out[1:]  # labels alone are no table
    if not out:
        return list(found), ()
    words = ", ".join(f"{found[i].head} = {found[i].cells[0].strip()}" for i in out)
    return [each for i, each in enumerate(found) if i not in out], (f"In every row: {words}.",)


def _column(name: str, values: pd.Series) -> Column:
    cells = tuple(map(_text, values))
    return Column(name, cells, all(map(is_number, cells)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
