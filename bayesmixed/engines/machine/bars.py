"""How is a bar of progress shown: in a terminal, in a notebook, or as lines of a file?"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from html import escape
from threading import Lock
from time import monotonic
from typing import Any

NOTEBOOK_WAIT, LINE_WAIT = 0.25, 10.0  # seconds between two updates of a notebook's bar, between two lines of a file
BAR = "application/vnd.bayesmixed.progress"  # metadata of a notebook's bar, by which pages that keep none know it
PLAIN = (
    "{desc}{percentage:3.0f}% {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"  # without characters that a file may lack
)


class Bar(ABC):
    """Something done of a total."""

    @abstractmethod
    def say(self, words: str) -> None:
        """Name what is being done."""

    @abstractmethod
    def note(self, words: str) -> None:
        """Show a line above the bar."""

    @abstractmethod
    def count(self, number: float, words: str | None = None) -> None:
        """Add what was done, perhaps in another thread, and what it is."""

    @abstractmethod
    def close(self, whole: bool) -> None:
        """Show the end; if `whole`, the total is what was done."""


class TerminalBar(Bar):
    """A line that is written over, on stderr; one with a delay is gone at the end."""

    def __init__(self, total: float, delay: float = 0.0) -> None:
        from tqdm import tqdm

        self._tqdm = tqdm(total=total, unit="it", delay=delay, leave=delay == 0)

    def say(self, words: str) -> None:
        self._tqdm.set_description(words)

    def note(self, words: str) -> None:
        self._tqdm.write(words, file=sys.stderr)

    def count(self, number: float, words: str | None = None) -> None:
        if words is not None:
            self._tqdm.set_description(words, refresh=False)
        self._tqdm.update(number)

    def close(self, whole: bool) -> None:
        if whole:
            self._tqdm.total = self._tqdm.n
        self._tqdm.close()


class _Told(Bar):
    """A bar that is shown anew at intervals."""

    def __init__(self, total: float, delay: float, every: float) -> None:
        self._lock, self._done, self._total, self._words = Lock(), 0.0, total, ""
        self._begun, self._every = monotonic(), every
        self._due, self._shown = self._begun + delay, False
        self._notes: list[str] = []

    def say(self, words: str) -> None:
        with self._lock:
            self._words = words
            if self._shown or monotonic() >= self._due:
                self._tell()

    def count(self, number: float, words: str | None = None) -> None:
        with self._lock:
            self._done += number
            self._words = words or self._words
            if monotonic() >= self._due:
                self._tell()

    def close(self, whole: bool) -> None:
        with self._lock:
            self._total = self._done if whole else self._total
            self._notes.clear()
            if self._shown or monotonic() >= self._due:
                self._tell()

    def _tell(self) -> None:
        self._shown = True
        self._show()
        self._due = monotonic() + self._every

    def _line(self, form: str | None = None) -> str:
        from tqdm import tqdm

        done, total = round(self._done), round(self._total)  # work is counted by halves as well
        return str(
            tqdm.format_meter(done, total, monotonic() - self._begun, prefix=f"{self._words}: ", bar_format=form)
        )

    @abstractmethod
    def _show(self) -> None:
        """Show the state."""


class WrittenBar(_Told):
    """Lines of stderr where that is a file or a pipe, a few a minute."""

    def __init__(self, total: float, delay: float = 0.0) -> None:
        super().__init__(total, delay, LINE_WAIT)

    def note(self, words: str) -> None:
        print(words, file=sys.stderr)

    def _show(self) -> None:
        print(self._line(PLAIN), file=sys.stderr, flush=True)


class NotebookBar(_Told):
    """An output of the cell that is replaced as work proceeds: what a saved notebook keeps is its end.

    No widget: it needs no extension of the notebook, and reads in every program that shows notebooks.
    """

    def __init__(self, total: float, delay: float = 0.0) -> None:
        super().__init__(total, delay, NOTEBOOK_WAIT)
        self._handle: Any = None

    def note(self, words: str) -> None:
        with self._lock:
            self._notes.append(words)

    def _show(self) -> None:
        from IPython import display

        line, share = self._line(), self._done / self._total if self._total else 1.0
        notes, end = "".join(f"{escape(note)}<br>" for note in self._notes), line.split("|")[-1].strip()
        words = f"{escape(self._words)} {100 * share:.0f} % {escape(end)}".strip()
        html = f'<div>{notes}<progress max="1" value="{share:.4f}"></progress> {words}</div>'
        bundle = {"text/plain": "\n".join([*self._notes, line]), "text/html": html}
        if self._handle is None:
            self._handle = display.display(bundle, raw=True, metadata={BAR: True}, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True, metadata={BAR: True})
