"""How does a page look in LaTeX?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ..errors import BayesMixedError
from .columns import Column, columns, said_once
from .text import letters

if TYPE_CHECKING:
    from .page import Page, Section

LONG = 50  # letters of a cell that is broken into lines
_LETTERS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}
_POWER = re.compile(r"(\d(?:\.\d+)?)e([-+])0*(\d+)")


def latex(page: Page) -> str:
    """One table environment per table; text without a table as paragraphs."""
    return "\n\n".join(_section(section) for section in page.sections if _says(section))


def escaped(text: str) -> str:
    r"""A text whose special letters are set as they are.

    >>> print(escaped("50 % of a_b | g"))
    50 \% of a\_b \textbar{} g
    """
    made = "".join(_LETTERS.get(letter, letter) for letter in " ".join(text.split()))
    # behind the end of a row these would belong to it: an option, and its form without a page break
    return f"{{{made[0]}}}{made[1:]}" if made.startswith(("[", "*")) else made


def number(text: str) -> str:
    r"""A number with a minus sign in the place of a hyphen, and powers of ten; all its digits as they are.

    >>> print(number("-0.50"), number("1.20e-05"), number("<0.005"))
    $-$0.50 1.20$\times 10^{-5}$ \textless{}0.005
    """
    signed = escaped(text)
    powers = _POWER.sub(lambda found: f"{found[1]}$\\times 10^{{{found[2].strip('+')}{found[3]}}}$", signed)
    return re.sub(r"(^|[ (\[])-(?=[\d.]|inf)", r"\1$-$", powers)


def _says(section: Section) -> bool:
    return bool(section.heading or section.lines or (section.table is not None and len(section.table)))


def _section(section: Section) -> str:
    if section.table is None or not len(section.table):
        heading = [f"\\paragraph{{{escaped(section.heading)}}}"] if section.heading else []
        return "\n".join([*heading, *_text(section.lines, section.verbatim)])
    found, shared = said_once(columns(section.table, section.index), section.once)
    caption = [f"\\caption{{{escaped(section.heading.rstrip(':'))}}}"] if section.heading else []
    notes = list(_text((*shared, *section.lines), section.verbatim))
    below = ["\\par\\smallskip", "\\begin{minipage}{\\linewidth}\\footnotesize", *notes, "\\end{minipage}"]
    parts = ["\\begin{table}[htbp]", "\\centering", *caption, tabular(found), *(below if notes else [])]
    return "\n".join([*parts, "\\end{table}"])


def tabular(found: Sequence[Column]) -> str:
    """The table proper, with the rules of booktabs."""
    cells = {i: [_cell(each, cell) for cell in each.cells] for i, each in enumerate(found)}
    try:
        style = pd.DataFrame(cells).style.hide(axis="index")
    except (ImportError, AttributeError) as error:  # pandas gives the latter where jinja2 is missing
        raise BayesMixedError(
            'to_latex needs jinja2. Install it with: pip install "bayesmixed[tables]"', topic="optional-library"
        ) from error
    # relabel_index takes each label for a format: braces stand for themselves where they are doubled
    labels = [escaped(each.head).replace("{", "{{").replace("}", "}}") for each in found]
    style = style.relabel_index(labels, axis="columns")
    made = style.to_latex(hrules=True, column_format="".join(map(_format, found)))
    return str(made).rstrip("\n")


def _cell(column: Column, cell: str) -> str:
    if column.number:
        return number(cell)
    if not _long(column):
        return escaped(cell)
    return re.sub(r"(\\_|:)", r"\1\\allowbreak{}", escaped(cell))  # names have no blanks to be broken at


def _format(column: Column) -> str:
    if column.number:
        return "r"
    return "p{0.5\\linewidth}" if _long(column) else "l"


def _long(column: Column) -> bool:
    return max(map(letters, column.cells), default=0) > LONG


def _text(lines: Sequence[str], verbatim: bool) -> Iterator[str]:
    if verbatim and lines:
        yield "\n".join(["\\begin{verbatim}", *lines, "\\end{verbatim}"])
        return
    said = [escaped(line) for line in lines if line.strip()]
    yield from (f"{line}\\\\" for line in said[:-1])  # what follows is a line of its own
    yield from said[-1:]
