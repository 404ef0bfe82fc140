"""``bayesmixed completion``: what a shell needs to complete commands, options and names of data sets."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..command import Given, command_of
from ..program import NAME, program

SHELLS = ("bash", "zsh", "fish")


def _run(given: Given) -> None:
    kind = get_completion_class(given["shell"])
    assert kind is not None  # of the shells that there are
    click.echo(kind(program(), {}, NAME, f"_{NAME.upper()}_COMPLETE").source())


command = command_of(
    "completion",
    _run,
    [click.Argument(["shell"], type=click.Choice(SHELLS))],
    says="Print what a shell needs to complete words.\n\nCommands, options, names of files and of data sets.",
    examples=[
        'eval "$(bayesmixed completion bash)"',
        "bayesmixed completion fish > ~/.config/fish/completions/bayesmixed.fish",
    ],
)
