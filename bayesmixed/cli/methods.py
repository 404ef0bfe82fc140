"""How was a model to be fitted: which engines, with which options?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from .command import Given

if TYPE_CHECKING:
    from ..engines import Engine

METHODS = ("ml", "reml", "map", "laplace", "nuts")  # as help and completion show them; engines know what there is
DEFAULT = "nuts"  # as of Model.fit


def method_options() -> list[click.Option]:
    """The methods and their options; an option is of the methods that have it."""
    return [
        click.Option(
            ["--method", "-m", "methods"],
            multiple=True,
            metavar=f"[{'|'.join(METHODS)}]",
            shell_complete=_complete,
            help=f"How to fit; {DEFAULT} by default. Repeatable: several are printed side by side too.",
        ),
        click.Option(["--seed"], type=click.IntRange(0), help="Same seed, same draws."),
        click.Option(["--draws"], type=int, help="Draws kept: of each chain (nuts), or in all (laplace)."),
        click.Option(["--chains"], type=int, help="Chains (nuts)."),
        click.Option(["--tune"], type=int, help="Warm-up iterations of each chain (nuts); by itself by default."),
        click.Option(["--target-accept"], type=float, help="Acceptance to aim at (nuts); higher where draws diverge."),
        click.Option(
            ["--quadrature"], type=int, help="Nodes of adaptive quadrature (ml, map); 1 is Laplace's approximation."
        ),
        click.Option(["--criterion"], type=click.Choice(["ml", "reml"]), help="What map penalises."),
        click.Option(["--progress/--no-progress"], default=None, help="Show how far it is; in a terminal by default."),
    ]


def engines_of(given: Given) -> dict[str, Engine]:
    """The engines by the name typed, with the options that are theirs.

    Raises
    ------
    UsageError
        A method twice; an option that no method asked for has.
    FitError
        An unknown method, or a value that an option cannot have.
    """
    from ..engines import engine

    names = [name.lower() for name in given["methods"]] or [DEFAULT]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.UsageError(f"--method {twice} is there twice: ask once for each method.")
    engines = {name: engine(name) for name in names}
    asked = {option: given[option] for option in _OPTIONS if given[option] is not None}
    for option in asked:
        _check_used(option, engines)
    return {name: _with_options(found, asked) for name, found in engines.items()}


_OPTIONS = ("draws", "chains", "tune", "target_accept", "quadrature", "criterion")


def _options_of(engine: Engine) -> set[str]:
    return {field.name for field in fields(engine)}  # type: ignore[arg-type]  # all are dataclasses


def _with_options(engine: Engine, asked: dict[str, Any]) -> Engine:
    own = _options_of(engine)
    return type(engine)(**{name: value for name, value in asked.items() if name in own})


def _check_used(option: str, engines: dict[str, Engine]) -> None:
    from ..engines import ENGINES

    if not any(option in _options_of(engine) for engine in engines.values()):
        owners = [name for name, kind in ENGINES.items() if option in {field.name for field in fields(kind)}]  # type: ignore[arg-type]
        raise click.UsageError(
            f"--{option.replace('_', '-')} is an option of --method {_either(owners)}, not of {_either(list(engines))}."
        )


def _either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in METHODS if name.startswith(incomplete)]
