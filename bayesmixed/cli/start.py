"""How a run of the program starts: its library is there or named, and its exit code is the shell's."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

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

    if hasattr(signal, "SIGPIPE") and arguments is None:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that has seen enough (| head) ends us without a word
    sys.exit(exit_code(sys.argv[1:] if arguments is None else arguments))
