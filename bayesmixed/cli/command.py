"""What a command is made of: a function of what was typed, its parameters, what its help says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from .program import SETTINGS

Given = Mapping[str, Any]  # what was typed, by the names of the parameters


def command_of(
    name: str,
    run: Callable[[Given], None],
    parameters: Sequence[click.Parameter],
    *,
    says: str,
    examples: Sequence[str],
) -> click.Command:
    """A command that answers by `run`; `examples` are lines to type."""
    lines = "\n".join(f"  {line}" for line in examples)
    return click.Command(
        name,
        callback=lambda **given: run(given),
        params=list(parameters),
        help=says,
        epilog=f"\b\nExample{'s' * (len(examples) > 1)}:\n{lines}\n",
        context_settings=SETTINGS,
    )


def json_option() -> click.Option:
    """Whether the answer is for a script."""
    return click.Option(["--json", "as_json"], is_flag=True, help="Print JSON: numbers with all digits, NaN as null.")


def pair(text: str, option: str, example: str) -> tuple[str, str]:
    """NAME=VALUE as its two parts; the last = parts them, since names may hold one."""
    name, sign, value = text.rpartition("=")
    if not (sign and name.strip() and value.strip()):
        raise click.UsageError(f"{option} {text!r} is not NAME=VALUE. Write {option} {example}.")
    return name.strip(), value.strip()
