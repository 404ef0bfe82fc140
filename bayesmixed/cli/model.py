"""Which model was typed: a formula, a table and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from .command import Given, pair
from .table.source import table_argument, table_of, table_options

if TYPE_CHECKING:
    import pandas as pd

    from ..formula.formula import Formula
    from ..model import Model


def model_parameters(*, table_required: bool = True) -> list[click.Parameter]:
    """The formula, the table and the options of a model."""
    return [
        click.Argument(["formula"], metavar="FORMULA" if table_required else "FORMULA|FIT"),
        table_argument(table_required),
        *family_options(),
        click.Option(["--priors"], metavar="PRESET", help="Priors of laplace and nuts: brms, bambi, cautious, ..."),
        click.Option(
            ["--constant"],
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter held fixed: sigma=1 in a meta-analysis. Repeatable.",
        ),
        click.Option(
            ["--missing"],
            type=click.Choice(["drop", "error"]),
            help="Rows with missing values: dropped and counted by default.",
        ),
        click.Option(
            ["--check"],
            type=click.Choice(["error", "warn"]),
            help="A term with as many effects as there are rows: an error by default.",
        ),
        *table_options(),
    ]


def family_options() -> list[click.Option]:
    """What a formula needs beside its text, whether it is fitted or simulated from."""
    return [
        click.Option(
            ["--and", "others"],
            multiple=True,
            metavar="FORMULA",
            help='A formula of another parameter: "sigma ~ x". Repeatable.',
        ),
        click.Option(
            ["--family"],
            metavar="NAME",
            shell_complete=_families,
            help="Distribution of the response; gaussian by default.",
        ),
        click.Option(["--link"], metavar="NAME", help="Link; the family's own by default."),
        click.Option(["--weights"], metavar="COLUMN", help='A column or an expression, such as "1/se^2".'),
        click.Option(["--offset"], metavar="COLUMN", help='A column or an expression, such as "log(exposure)".'),
        click.Option(
            ["--contrasts"],
            multiple=True,
            metavar="FACTOR=KIND",
            help="treatment, sum, helmert, poly; treatment:LEVEL for another reference. Repeatable.",
        ),
    ]


def model_of(given: Given) -> Model:
    """The model that was typed."""
    from ..model import Model
    from .table.numbers_in_text import warn_of_text

    table, formula = table_of(given), formula_of(given)
    warn_of_text(formula, table)
    constants = dict(pair(text, "--constant", "sigma=1") for text in given["constant"])
    chosen = {name: given[name] for name in ("priors", "missing", "check") if given[name] is not None}
    if constants:
        chosen["constants"] = {name: number(value, "--constant", name) for name, value in constants.items()}
    return Model(formula, table, **family_arguments(given, table), **chosen)


def formula_of(given: Given) -> Formula:
    """The formula, with those of other parameters."""
    from ..formula.formula import Formula

    return Formula(given["formula"], *given["others"])


def family_arguments(given: Given, table: pd.DataFrame) -> dict[str, Any]:
    """Arguments that `Model` and `simulate` share, those that were typed."""
    found = {name: given[name] for name in ("family", "link", "weights", "offset") if given[name] is not None}
    contrasts = dict(pair(text, "--contrasts", "condition=sum") for text in given["contrasts"])
    if contrasts:
        found["contrasts"] = {factor: _contrast(kind, factor, table) for factor, kind in contrasts.items()}
    return found


def number(text: str, option: str, name: str) -> float:
    """The number of NAME=VALUE."""
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{option} {name}={text}: {text!r} is no number.") from None


def _contrast(kind: str, factor: str, table: pd.DataFrame) -> Any:
    """A contrast by name; of treatment:LEVEL the pair, the level as the table has it."""
    name, colon, level = kind.partition(":")
    if not colon:
        return kind
    values = table[factor].dropna().unique() if factor in table.columns else ()
    return name, {str(value): value for value in values}.get(level, level)


def _families(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from ..families import FAMILIES

    return [CompletionItem(name) for name in FAMILIES if name.startswith(incomplete)]
