"""In which form is a page printed: as text, or for a paper or a web page?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from .command import Given

if TYPE_CHECKING:
    from ..page import Printed

FORMATS: dict[str, Callable[[Printed], str]] = {
    "text": str,
    "latex": lambda page: page.to_latex(),
    "markdown": lambda page: page.to_markdown(),
    "html": lambda page: page.to_html(),
}


def format_option() -> click.Option:
    """The form of what is printed."""
    return click.Option(
        ["--format", "form"], type=click.Choice(list(FORMATS)), default="text", help="How to print it; text by default."
    )


def print_page(page: Printed, given: Given) -> None:
    """Print a page in the form that was typed."""
    text = FORMATS[given["form"]](page)
    click.echo(text, nl=not text.endswith("\n"))
