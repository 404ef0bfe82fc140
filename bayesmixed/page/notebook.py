"""How do several pages that are the value of one cell keep their HTML?

IPython asks the value for HTML and a tuple has none, so that it shows the text of what is in it. When a page is asked
for its text inside of another value, the notebook that is running gets a way to show tuples and lists of pages, once.
Nothing is changed at import, in a terminal, or for any other tuple.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from typing import Any

TOGETHER = (tuple, list)


def in_notebook() -> bool:
    """Whether output goes to a notebook (Jupyter, VS Code, Colab) rather than to a terminal or a file.

    Asked of IPython where that is loaded, without loading it.

    >>> in_notebook()
    False
    """
    return getattr(_shell(), "kernel", None) is not None


def pretty(page: Any, kind: type, printer: Any) -> None:
    """Write a page's text with IPython's `printer`; inside of another value see that such pages keep their HTML."""
    if len(printer.stack) > 1 and in_notebook():
        _keep_html(kind)
    for number, line in enumerate(repr(page).splitlines()):
        if number:
            printer.break_()
        printer.text(line)


def together(values: Iterable[Any], kind: type) -> str | None:
    """The HTML of values one below another; None where none of them is a page, so that they are shown as ever.

    >>> together((1, 2), str) is None
    True
    """
    values = list(values)
    if not any(isinstance(value, kind) for value in values):
        return None
    return "".join(f'<div style="margin-bottom: 1em">{_html(value)}</div>' for value in values)


def _html(value: Any) -> str:
    own = getattr(value, "_repr_html_", None)
    html = own() if callable(own) else None
    return f"<pre>{escape(repr(value))}</pre>" if html is None else str(html)


def _keep_html(kind: type) -> None:
    """Once for each notebook; where something else shows tuples already, it goes on doing so."""
    shown = _shown_as_html()
    for container in TOGETHER:
        try:
            shown.lookup_by_type(container)
        except KeyError:
            shown.for_type(container, lambda values: together(values, kind))


def _shown_as_html() -> Any:
    return _shell().display_formatter.formatters["text/html"]


def _shell() -> Any:
    interactive: Any = sys.modules.get("IPython")
    return interactive.get_ipython() if interactive is not None else None
