"""Which commands there are: each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

NAME = "bayesmixed"
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
COMMANDS = ("fit", "summary", "side-by-side", "diagnose", "report", "simulate", "code", "data", "completion")

_HELP = """Mixed models with lme4-style formulas: maximum likelihood, REML and full Bayes from one model.

A TABLE is a file (csv, tsv, parquet, feather, xlsx, sav, dta), - for csv from standard input, or the name of a data set
that comes with the package. A FIT is a file that `bayesmixed fit ... --save` wrote."""
_EXAMPLE = """\b
Example:
  bayesmixed fit "Reaction ~ Days + (Days | Subject)" sleepstudy --method reml --method nuts --seed 1
"""


class Program(click.Group):
    """The commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f".commands.{cmd_name.replace('-', '_')}", __package__).command
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from ..errors import nearest

            raise click.UsageError(f"There is no command {name!r}. {nearest(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


def program() -> Program:
    """The whole command line."""
    version = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_version,
        help="Say which version it is.",
    )
    return Program(NAME, params=[version], help=_HELP, epilog=_EXAMPLE, context_settings=SETTINGS)


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"{NAME} {import_module(NAME).__version__}")
        context.exit()
