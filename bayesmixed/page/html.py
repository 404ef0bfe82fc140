"""How does a page look in HTML: in a notebook, and as a document by itself?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ..errors import BayesMixedError
from ..messages import TOPICS
from ..messages.topic import NOTE
from .addresses import explained
from .columns import Column, columns, said_once
from .style import DOCUMENT, PAGE
from .text import letters

if TYPE_CHECKING:
    from .page import Page, Section

LONG = 44  # letters of a cell that is wrapped
WIDEST_CAPTION = 60  # letters of a line of a caption
_FACT = re.compile(r"\s*([A-Za-z][\w .-]{0,15}):\s+(\S.*)")
_CONTINUED = " " * 8  # how a line that goes on with the fact above begins


def html(page: Page) -> str:
    """The page as one element with its style, as notebooks show it."""
    return f'<div class="bayesmixed"><style>{PAGE}</style>{"".join(part(each) for each in page.sections)}</div>'


def unstyled(page: Page, level: int = 3) -> str:
    """The page as one element, in a document that has the style and headings above that `level`."""
    return f'<div class="bayesmixed">{"".join(part(each, level) for each in page.sections)}</div>'


def document(title: str, body: str, style: str = "") -> str:
    """A whole document with nothing to fetch, light or dark as its reader likes."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f"<style>{DOCUMENT}{PAGE}{style}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def part(section: Section, level: int = 4) -> str:
    """A section: its heading, which is a table's caption, the table, and the lines below it."""
    lines = section.lines
    if section.table is None or not len(section.table):
        parts = [f"<h{level}>{told(section.heading)}</h{level}>"] if section.heading else []
    else:
        found, shared = said_once(columns(section.table, section.index), section.once)
        parts = [table(found, section.heading)]
        lines = (*shared, *lines)
    if lines and section.verbatim:
        parts.append(_verbatim(lines))
    elif lines:
        parts.append((section.table is None and _facts(lines)) or paragraphs(lines))
    return "".join(parts)


def table(found: Sequence[Column], caption: str = "") -> str:
    """A table that scrolls by itself where it is wider than what it is in; reachable by keyboard."""
    heads = "".join(_head(each) for each in found)
    rows = "".join(
        "<tr>" + "".join(_cell(each, each.cells[i]) for each in found) + "</tr>"
        for i in range(len(found[0].cells) if found else 0)
    )
    width = min(letters(caption), WIDEST_CAPTION)  # in lines of a caption's own width, be the table as narrow as it may
    above = f'<caption style="min-width: min({width}ch, 80vw)">{told(caption)}</caption>' if caption else ""
    label = escape(caption or "Table", quote=True)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{label}"><table>{above}'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def paragraphs(lines: Sequence[str]) -> str:
    """Lines below each other, each of which may be longer than the page is wide."""
    return '<div class="lines">' + "".join(f"<p>{told(line)}</p>" for line in lines if line.strip()) + "</div>"


def refused(error: BayesMixedError) -> str:
    """In the place of what cannot be shown, the sentence that says why."""
    return f"<p>{_linked(str(error), error.topic)}</p>"


def told(line: str) -> str:
    """A line as HTML, with a link to what is written of its topic, where it has one."""
    return _linked(line, getattr(line, "topic", ""))


def _linked(line: str, topic: str) -> str:
    """A line and, after it, the link to what it means: in words where something is wrong, a sign where it is a note."""
    address = explained(topic)
    if not address:
        return escape(line.strip())
    meaning = f"What this means: {TOPICS[topic].title}" if topic in TOPICS else "What this means"
    sign = "?" if topic in TOPICS and TOPICS[topic].kind == NOTE else "what this means"
    says = f'title="{escape(meaning)}" aria-label="{escape(meaning)}"'
    return f'{escape(line.strip())}<a class="topic" href="{escape(address)}" {says}>{sign}</a>'


def _head(column: Column) -> str:
    if not column.head.strip():
        return "<td></td>"  # a corner, or one of several columns under the head before it, heads nothing
    return f'<th scope="col"{_kind(column)}>{escape(column.head)}</th>'


def _cell(column: Column, cell: str) -> str:
    if column.label:
        return f'<th scope="row"{_kind(column)}>{told(cell)}</th>'
    return f"<td{_kind(column)}>{told(cell)}</td>"


def _kind(column: Column) -> str:
    if column.number:
        return ""
    long = max(map(letters, column.cells), default=0) > LONG
    return ' class="words long"' if long else ' class="words"'


def _verbatim(lines: Sequence[str]) -> str:
    return "<pre>" + "\n".join(escape(line) for line in lines) + "</pre>"


def _facts(lines: Sequence[str]) -> str:
    """Lines that all say "name: what it is", as a list of that; nothing where they do not."""
    pairs: list[list[str]] = []
    for line in lines:
        found = _FACT.fullmatch(line)
        if found and not getattr(line, "topic", ""):
            pairs.append([found[1], escape(found[2])])
        elif pairs and line.startswith(_CONTINUED):
            pairs[-1][1] += f"<br>{escape(line.strip())}"
        else:
            return ""
    if len(pairs) < 2:
        return ""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{what}</dd>" for name, what in pairs) + "</dl>"
