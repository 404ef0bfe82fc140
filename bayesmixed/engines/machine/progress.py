"""What the user sees while chains run: one bar over all chains, with the wait for the compiler named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """A bar of iterations over all chains; silent when made with ``bar=None``."""

    def __init__(self, bar: Any = None, prefix: str = "") -> None:
        self._bar, self._prefix = bar, prefix

    def say(self, words: str) -> None:
        """Name what is being done."""
        if self._bar is not None:
            self._bar.set_description(self._prefix + words)

    def note(self, words: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.write(words, file=sys.stderr)

    def add(self, iterations: int) -> None:
        """Count iterations of sampling; called from worker threads (tqdm guards itself)."""
        if self._bar is not None:
            self._bar.set_description(self._prefix + "sampling", refresh=False)
            self._bar.update(iterations)

    def step(self, number: float) -> None:
        """Count what is done, whatever it is called."""
        if self._bar is not None:
            self._bar.update(number)


@contextmanager
def progress_bar(wanted: bool | None, total: int, prefix: str = "", *, delay: float = 0.0) -> Iterator[Progress]:
    """A bar of `total` iterations; None shows it in a terminal or notebook only, False never.

    With a `delay` in seconds it is shown only once that much time has passed, and is gone at the end.
    """
    if wanted is None:
        wanted = sys.stderr.isatty() or "ipykernel" in sys.modules
    if not wanted:
        yield Progress()
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, unit="it", delay=delay, leave=delay == 0) as bar:
        yield Progress(bar, prefix)
