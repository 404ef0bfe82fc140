"""A printable page: headings, tidy frames and notes, rendered as text or HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd


@dataclass(frozen=True)
class Section:
    """One part of a page: a heading, then a frame of strings or lines of text; `index` shows row labels."""

    heading: str
    table: pd.DataFrame | None = None
    lines: tuple[str, ...] = ()
    index: bool = True


@dataclass(frozen=True)
class Page:
    """Sections in order. `str()` gives text, notebooks get HTML."""

    sections: tuple[Section, ...]

    def __str__(self) -> str:
        return "\n\n".join(_text(section) for section in self.sections)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return '<div class="bayesmixed">' + "".join(_html(section) for section in self.sections) + "</div>"


def number(value: float, digits: int = 3) -> str:
    """A number at a fixed number of decimals, blank where it is not one; very small or large ones in scientific form.

    >>> number(24.74045), number(float("nan")), number(1.5e-7)
    ('24.740', '', '1.50e-07')
    """
    if value is None or pd.isna(value):
        return ""
    if value != 0 and (abs(value) < 10 ** -(digits + 1) or abs(value) >= 1e8):
        return f"{value:.2e}"
    return f"{value:.{digits}f}"


def _text(section: Section) -> str:
    parts = [section.heading] if section.heading else []
    if section.table is not None:
        text = section.table.to_string(index=section.index, justify="right") if len(section.table) else ""
        parts += [" " + line if not section.index else line for line in text.splitlines()]
    return "\n".join([*parts, *section.lines])


def _html(section: Section) -> str:
    parts = [f"<h4>{escape(section.heading)}</h4>"] if section.heading else []
    if section.table is not None:
        parts.append(section.table.to_html(index=section.index, border=0, escape=True))
    if section.lines:
        parts.append("<p>" + "<br>".join(escape(line) for line in section.lines) + "</p>")
    return "".join(parts)
