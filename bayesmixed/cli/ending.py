"""How a run of the program ends: with which exit code, and with what on stderr."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from ..errors import BayesMixedError, BayesMixedWarning
from .program import NAME, program
from .start import INTERRUPTED
from .wording import typed

MISTAKE = 2


def exit_code(arguments: Sequence[str]) -> int:
    """Run the program; mistakes are one message on stderr, faults of the program itself keep their traceback."""
    with _short_warnings():
        try:
            code = program().main(list(arguments), prog_name=NAME, standalone_mode=False)
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED
        except click.exceptions.NoArgsIsHelpError as asked:
            click.echo(asked.format_message())
            return 0
        except click.ClickException as wrong:
            return _mistake(_of_click(wrong))
        except BayesMixedError as wrong:
            return _mistake(typed(str(wrong)))
        except OSError as wrong:  # a disk that is full, a folder without permission
            return _mistake(f"{wrong.filename or 'The file'}: {wrong.strerror or wrong}.")
    return code if isinstance(code, int) else 0


def note(words: str) -> None:
    """A line on stderr, beside the answer on stdout."""
    click.echo(words, err=True)


def _mistake(message: str) -> int:
    note(f"Error: {message}")
    return MISTAKE


def _of_click(wrong: click.ClickException) -> str:
    """Its message, and where options are described."""
    context = getattr(wrong, "ctx", None)
    asked = "" if context is None else f" {context.command_path} --help says what there is."
    message = wrong.format_message()
    quotes = ' A formula is put in quotes: "y ~ x + (1 | g)".' * ("extra argument" in message)
    return message + "." * message.endswith(("'", ")")) + quotes + asked


@contextmanager
def _short_warnings() -> Iterator[None]:
    """Warnings are one line each, without the place in the code."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        note("Warning: " + typed(" ".join(str(message).split())))

    with warnings.catch_warnings():
        warnings.simplefilter("always", BayesMixedWarning)
        warnings.showwarning = show
        yield
    sys.stdout.flush()
