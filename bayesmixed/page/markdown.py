"""How does a page look in Markdown?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from ..errors import BayesMixedError
from .columns import Column, columns, said_once

if TYPE_CHECKING:
    from .page import Page, Section

_MARKS = re.compile(r"([\\`*_{}\[\]<>|~#$&])")


def markdown(page: Page) -> str:
    """Headings in bold, pipe tables and lines of text."""
    return "\n\n".join(part for section in page.sections for part in _parts(section))


def escaped(text: str) -> str:
    r"""A text whose marks are letters.

    >>> print(escaped("a_b * (1 | g)"))
    a\_b \* (1 \| g)
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _parts(section: Section) -> Iterator[str]:
    if section.heading:
        yield f"**{escaped(section.heading)}**"
    lines = section.lines
    if section.table is not None and len(section.table):
        found, shared = said_once(columns(section.table, section.index), section.once)
        yield _table(found)
        lines = (*shared, *lines)
    if section.verbatim and lines:
        yield "\n".join(["```text", *lines, "```"])
    elif lines:
        yield "  \n".join(map(escaped, lines))  # two blanks: the next line is a line of its own


def _table(found: list[Column]) -> str:
    cells = {i: [escaped(cell) for cell in each.cells] for i, each in enumerate(found)}
    frame = pd.DataFrame(cells).set_axis([escaped(each.head) for each in found], axis=1)
    align = ["right" if each.number else "left" for each in found]
    try:
        # Without disable_numparse 42.00 would become 42: digits are part of what is said.
        made = frame.to_markdown(index=False, tablefmt="pipe", disable_numparse=True, colalign=align)
    except ImportError as error:
        raise BayesMixedError(
            'to_markdown needs tabulate. Install it with: pip install "bayesmixed[tables]"', topic="optional-library"
        ) from error
    return str(made)
