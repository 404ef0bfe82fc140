"""What the user sees while something takes long: one bar over all of it, with the wait for the compiler named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ...page.notebook import in_notebook
from .bars import Bar, NotebookBar, TerminalBar, WrittenBar


class Progress:
    """A bar of iterations over all chains; silent when made with ``bar=None``."""

    def __init__(self, bar: Bar | None = None, prefix: str = "") -> None:
        self._bar, self._prefix, self._whole = bar, prefix, True

    def say(self, words: str) -> None:
        """Name what is being done."""
        if self._bar is not None:
            self._bar.say(self._prefix + words)

    def note(self, words: str) -> None:
        """Show a line above the bar."""
        if self._bar is not None:
            self._bar.note(words)

    def add(self, iterations: int) -> None:
        """Count iterations of sampling; called from worker threads (bars guard themselves)."""
        if self._bar is not None:
            self._bar.count(iterations, self._prefix + "sampling")

    def step(self, number: float) -> None:
        """Count what is done, whatever it is called."""
        if self._bar is not None:
            self._bar.count(number)

    def interrupted(self) -> None:
        """What was done is not all that was wanted."""
        self._whole = False
        self.say("interrupted")

    def close(self) -> None:
        """Show the end; what was wanted is then what was done, where a limit was not reached."""
        if self._bar is not None:
            self._bar.close(self._whole)


@contextmanager
def progress_bar(wanted: bool | None, total: int, prefix: str = "", *, delay: float = 0.0) -> Iterator[Progress]:
    """A bar of `total` iterations; None shows it in a terminal or notebook only, False never.

    With a `delay` in seconds it is shown only once that much time has passed, and is gone from a terminal at the end.
    """
    progress = Progress(_bar(wanted, total, delay), prefix)
    try:
        yield progress
    except BaseException:
        progress.interrupted()
        raise
    finally:
        progress.close()


def _bar(wanted: bool | None, total: int, delay: float) -> Bar | None:
    terminal, notebook = sys.stderr is not None and sys.stderr.isatty(), in_notebook()
    if wanted is False or (wanted is None and not terminal and not notebook):
        return None
    if notebook:
        return NotebookBar(total, delay)
    return TerminalBar(total, delay) if terminal else WrittenBar(total, delay)
