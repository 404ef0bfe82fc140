"""A printable page: headings, tidy frames and notes, rendered as text, HTML, LaTeX or Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..errors import FitError, nearest
from . import html, latex, markdown, notebook
from .files import HTML, written
from .text import text


@dataclass(frozen=True)
class Section:
    """One part of a page: a heading, then a frame of strings or lines of text; `index` shows row labels.

    Headings and lines that are longer than the terminal is wide are wrapped, but for `verbatim` lines: tables made
    elsewhere. Columns are `gap` blanks apart; those of numbers that are said `once` are so where all rows have one
    value, and the table would else not fit.
    """

    heading: str
    table: pd.DataFrame | None = None
    lines: tuple[str, ...] = ()
    index: bool = True
    verbatim: bool = False
    gap: int = 1
    once: tuple[str, ...] = ()


class Printed:
    """A result that prints as its `page`, shows it in notebooks, and gives it for papers."""

    if TYPE_CHECKING:

        @property
        def page(self) -> Page:
            """What is printed."""

    def __str__(self) -> str:
        return str(self.page)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html.html(self.page)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        notebook.pretty(self, Printed, printer)

    def to_latex(self, path: str | Path | None = None) -> str:
        r"""The printed tables in LaTeX, each with its caption and notes.

        Parameters
        ----------
        path
            A file to write as well, in a folder that exists.

        Returns
        -------
        str
            One ``table`` environment per table, for a document with ``\usepackage{booktabs}``. Names are escaped;
            letters beyond Latin ones need LuaLaTeX or XeLaTeX. Numbers have the digits that are printed.

        Raises
        ------
        BayesMixedError
            Where jinja2 is missing: ``pip install "bayesmixed[tables]"``; for a path that cannot be written.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
        >>> print(bm.side_by_side(fit).to_latex().splitlines()[2])
        \begin{tabular}{lr}
        """
        return written(latex.latex(self.page), path, "to_latex", ".tex")

    def to_markdown(self, path: str | Path | None = None) -> str:
        """The printed tables in Markdown, for GitHub, Quarto and R Markdown.

        Parameters
        ----------
        path
            A file to write as well, in a folder that exists.

        Returns
        -------
        str
            Headings in bold, pipe tables, and the lines below them.

        Raises
        ------
        BayesMixedError
            Where tabulate is missing: ``pip install "bayesmixed[tables]"``; for a path that cannot be written.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
        >>> print(bm.side_by_side(fit).to_markdown().splitlines()[2])
        | Intercept              | 1527.5 (19.4) |
        """
        return written(markdown.markdown(self.page), path, "to_markdown", ".md", ".markdown", ".qmd", ".rmd")

    def to_html(self, path: str | Path | None = None) -> str:
        """The printed page in HTML, as notebooks show it; ``fit.to_html(path)`` writes all that there is to a fit.

        Parameters
        ----------
        path
            A file to write as well, in a folder that exists: a document by itself, with nothing to fetch. A word
            processor takes the tables from a browser that shows it.

        Returns
        -------
        str
            One ``div`` with its style, to be put into a page of yours.

        Raises
        ------
        BayesMixedError
            For a path that cannot be written.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
        >>> "<td>42.00</td>" in bm.side_by_side(fit).to_html()
        True
        """
        page = self.page
        written(html.document(page.title, html.unstyled(page)) if path is not None else "", path, "to_html", *HTML)
        return html.html(page)


@dataclass(frozen=True, repr=False)
class Page(Printed):
    """Sections in order. `str()` gives text, notebooks get HTML."""

    sections: tuple[Section, ...]

    @property
    def page(self) -> Page:
        """Itself."""
        return self

    @property
    def title(self) -> str:
        """The first heading, if there is one."""
        return next((section.heading for section in self.sections if section.heading), "Table")

    def only(self, *headings: str) -> Page:
        """The sections whose headings begin so, such as one table of a summary for a paper.

        Raises
        ------
        FitError
            Where no heading begins so, naming those that there are.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
        >>> print(fit.summary().only("Fixed effects"))
        Fixed effects:
                  Estimate Std. Error t value
        Intercept 1527.500     19.383  78.805
        """
        known = [section.heading for section in self.sections if section.heading]
        for heading in headings:
            if not (isinstance(heading, str) and any(one.startswith(heading) for one in known)):
                raise FitError(
                    f"No heading begins with {heading!r}. {nearest(str(heading), known, 'Headings')}",
                    topic="unknown-option",
                )
        return Page(tuple(section for section in self.sections if section.heading.startswith(headings)))

    def __str__(self) -> str:
        return "\n\n".join(text(section) for section in self.sections)

    __repr__ = __str__
