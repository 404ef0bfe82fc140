"""How a run of the program starts: its library is there or named, and its exit code is the shell's."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

INTERRUPTED = 130  # as shells have it
MISSING = 'The command line needs the library click: pip install "bayesmixed[cli]"'


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process.

    Parameters
    ----------
    arguments
        What is typed after ``bayesmixed``; that of this process if None.

    Raises
    ------
    SystemExit
        Always: 0 after an answer, 2 after a mistake, which one message on stderr names, 130 after Ctrl-C.

    Examples
    --------
    >>> main(["--version"])
    Traceback (most recent call last):
    SystemExit: 0
    """
    try:
        import click  # noqa: F401
    except ImportError:
        print(MISSING, file=sys.stderr)
        sys.exit(2)
    from .ending import exit_code

    if arguments is None:
        _end_quietly()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal without the letters of a name shows ? in their place
    sys.exit(exit_code(sys.argv[1:] if arguments is None else arguments))


def _end_quietly() -> None:
    """Let Ctrl-C, and a reader that has seen enough (| head), end this process at once and without a word."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # an exception would wait for compiled code, and be lost where it meets a callback of the compiler's
    signal.signal(signal.SIGINT, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    if sys.stderr is not None and sys.stderr.isatty():
        os.write(sys.stderr.fileno(), b"\n")  # a bar of progress may stand there
    os._exit(INTERRUPTED)
