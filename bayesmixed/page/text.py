"""How does a page look in a terminal: lines that are wrapped, tables that fit its width?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from .columns import Column, columns, said_once

if TYPE_CHECKING:
    from .page import Section

WIDTH, NARROWEST = 102, 60  # of lines where there is no terminal; of lines in a very narrow one
LEAST_CELL = 34  # letters that a column of words keeps when it is wrapped


def text(section: Section) -> str:
    """A section as lines of text."""
    parts = wrapped(section.heading) if section.heading else []
    if section.table is not None and len(section.table):
        parts += _table(section)
    for line in section.lines:
        parts += [str(line)] if section.verbatim else wrapped(line)
    return "\n".join(parts)


def wrapped(line: str, width: int | None = None) -> list[str]:
    """A line as several of the terminal's width, indented alike; code in it is not broken at hyphens.

    >>> wrapped("  one two three", 9)
    ['  one two', '  three']
    """
    width = _width() if width is None else width
    indent = line[: len(line) - len(line.lstrip())]
    if letters(line) <= width:
        return [str(line)]
    return wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def letters(text: str) -> int:
    """The columns of a terminal that a text takes: two of a Chinese, Japanese or Korean letter.

    >>> letters("abc"), letters("被験者")
    (3, 6)
    """
    if text.isascii():
        return len(text)
    return sum(0 if combining(letter) else 1 + (east_asian_width(letter) in "WF") for letter in text)


def _width() -> int:
    return max(get_terminal_size((WIDTH, 24)).columns, NARROWEST)


def _table(section: Section) -> list[str]:
    """The lines of a table: as it is where it fits, else with long names wrapped, else without what rows share."""
    assert section.table is not None
    found, width, gap = columns(section.table, section.index), _width(), section.gap
    margin = 0 if section.index else 1
    gap = gap if margin + _wide(found, gap) <= width else 1
    if margin + _wide(found, gap) <= width:
        return _lines(found, gap, margin)
    shared: tuple[str, ...] = ()
    narrow = _narrower(found, gap, width - margin)
    if _wide(narrow, gap) + margin > width:
        found, shared = said_once(found, section.once)
        narrow = _narrower(found, gap, width - margin)
    folded = list(_blocks(narrow, gap, width - margin))
    blocks = [_lines(_filled(block) if len(folded) > 1 else block, gap, margin) for block in folded]
    parts = [line for i, block in enumerate(blocks) for line in ([""] * (i > 0) + block)]
    return [*parts, *(part for line in shared for part in wrapped(line))]


def _own(column: Column) -> int:
    return max((letters(line) for cell in (column.head, *column.cells) for line in cell.split("\n")), default=0)


def _wide(found: Sequence[Column], gap: int) -> int:
    return sum(map(_own, found)) + gap * (len(found) - 1)


def _narrower(found: Sequence[Column], gap: int, width: int) -> list[Column]:
    """The widest column of words broken into lines of what room there is, though not of fewer letters than are read."""
    words = [i for i, each in enumerate(found) if not each.number]
    if not words:
        return list(found)
    widest = max(words, key=lambda i: _own(found[i]))
    own = _own(found[widest])
    room = max(LEAST_CELL, width - (_wide(found, gap) - own), own if own <= LEAST_CELL else 0)
    if own <= room:
        return list(found)
    cells = tuple("\n".join(_broken(cell, room)) for cell in found[widest].cells)
    return [replace(each, cells=cells) if i == widest else each for i, each in enumerate(found)]


def _broken(cell: str, room: int) -> list[str]:
    """A cell as lines of `room` letters; names without blanks are broken behind a colon, or where they must be."""
    if letters(cell) <= room:
        return [cell]
    room = room * len(cell) // letters(cell) if not cell.isascii() else room
    parts = cell if " " in cell else cell.replace(":", ": ")
    lines = wrap(parts, room, subsequent_indent="  ", break_on_hyphens=False)
    return lines if " " in cell else [line.replace(": ", ":") for line in lines]


def _blocks(found: Sequence[Column], gap: int, width: int) -> Iterator[list[Column]]:
    """Columns that fit beside each other, those that name the rows in front of each block."""
    named = next((i for i, each in enumerate(found) if each.number), 1) or 1
    lead = list(found[:named]) if _wide(found[:named], gap) <= width // 2 else list(found[:1])
    block = list(lead)
    for each in found[len(lead) :]:
        if len(block) > len(lead) and _wide([*block, each], gap) > width:
            yield block
            block = list(lead)
        block.append(each)
    yield block


def _filled(block: Sequence[Column]) -> list[Column]:
    """A block without the rows that have no value in it."""
    valued = [each.cells for each in block if each.number]
    rows = [i for i in range(len(block[0].cells)) if not valued or any(cells[i].strip() for cells in valued)]
    return [replace(each, cells=tuple(each.cells[i] for i in rows)) for each in block]


def _lines(found: Sequence[Column], gap: int, margin: int) -> list[str]:
    """Lines of a table: words to the left, numbers to the right."""
    widths = [_own(each) for each in found]
    made = []
    for row in zip(*([each.head, *each.cells] for each in found), strict=True):
        for parts in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
            cells = (
                _padded(part, width, left=not each.number)
                for part, width, each in zip(parts, widths, found, strict=True)
            )
            made.append(" " * margin + (" " * gap).join(cells).rstrip())
    return made


def _padded(cell: str, width: int, left: bool) -> str:
    blanks = " " * (width - letters(cell))
    return cell + blanks if left else blanks + cell
