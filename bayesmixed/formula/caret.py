"""How a complaint about a formula points at the spot: the line, and a caret under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import FormulaError

_WIDTH = 100  # longer lines are shown around the spot only
_REACH = 45


class Refusal(FormulaError):
    """A FormulaError that knows its place; `pointing_into` turns it into one that shows the place."""

    def __init__(self, message: str, position: int, topic: str = "") -> None:
        super().__init__(message, topic=topic)
        self.message = message
        self.position = position


@contextmanager
def pointing_into(text: str) -> Iterator[None]:
    """Show the place in `text` of every Refusal raised inside.

    Raises
    ------
    FormulaError
        The refusal's message, then the line it concerns with a caret under the spot.

    Examples
    --------
    >>> with pointing_into("y ~ x $ z"):
    ...     raise Refusal("`$` cannot stand in a formula", 6)
    Traceback (most recent call last):
    ...
    bayesmixed.errors.FormulaError: `$` cannot stand in a formula
        y ~ x $ z
              ^
    """
    try:
        yield
    except Refusal as refusal:
        shown = f"\n{_pointed(text, refusal.position)}" if text.strip() else ""
        raise FormulaError(f"{refusal.message}{shown}", topic=refusal.topic) from None


def _pointed(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start:] if end < 0 else text[start:end]
    column = position - start
    if len(line) > _WIDTH:
        line, column = _around(line, column)
    line = "".join(" " if letter.isspace() else letter for letter in line)
    return f"    {line.rstrip()}\n    {' ' * column}^"


def _around(line: str, column: int) -> tuple[str, int]:
    start, end = max(0, column - _REACH), column + _REACH
    before, after = "..." if start else "", "..." if end < len(line) else ""
    return before + line[start:end] + after, column - start + len(before)
