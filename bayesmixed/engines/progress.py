"""What the user sees while chains run: one bar over all chains, with the wait for the compiler named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """A bar of iterations over all chains; silent when made with ``bar=None``."""

    def __init__(self, bar: Any = None) -> None:
        self._bar = bar

    def say(self, words: str) -> None:
        """Name what is being done."""
        if self._bar is not None:
            self._bar.set_description(words)

    def add(self, iterations: int) -> None:
        """Count iterations of sampling; called from worker threads (tqdm guards itself)."""
        if self._bar is not None:
            self._bar.set_description("sampling", refresh=False)
            self._bar.update(iterations)


@contextmanager
def progress_bar(wanted: bool | None, total: int) -> Iterator[Progress]:
    """A bar of `total` iterations; None shows it in a terminal or notebook only, False never."""
    if wanted is None:
        wanted = sys.stderr.isatty() or "ipykernel" in sys.modules
    if not wanted:
        yield Progress()
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, unit="it") as bar:
        yield Progress(bar)
