"""``bayesmixed data``: the data sets of the package, listed, shown and exported."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ...errors import DataError
from ..command import Given, command_of, json_option
from ..ending import note
from ..outputs import target
from ..program import SETTINGS

if TYPE_CHECKING:
    from ...data.catalogue import Entry

ROWS = 6  # of a table that are shown


def _list(given: Given) -> None:
    from ...data.catalogue import catalogue

    entries = list(catalogue().values())
    if given["as_json"]:
        from ..plain import print_json

        print_json({"data": [_facts(entry) for entry in entries]})
        return
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        shipped = "" if entry.shipped else "  (not shipped)"
        click.echo(f"{entry.name:<{width}}  {entry.rows:>6} rows  {entry.title}{shipped}")


def _facts(entry: Entry) -> dict[str, Any]:
    """Keys: name, title, description, citation, source, licence, shipped, rows, columns."""
    facts = asdict(entry)
    return {
        name: facts[name]
        for name in ("name", "title", "description", "citation", "source", "licence", "shipped", "rows", "columns")
    }


def _show(given: Given) -> None:
    from ...data.catalogue import find
    from ...page import wrapped

    entry = find(given["name"])
    table = _table(entry)
    if given["as_json"]:
        from ..plain import print_json, records

        print_json(_facts(entry) | {"head": [] if table is None else records(table.head(ROWS))})
        return
    lines = [f"{entry.name}: {entry.title} ({entry.rows} rows)", "", *wrapped(entry.description)]
    lines += wrapped(f"Citation: {entry.citation}") + wrapped(f"Source: {entry.source}. Licence: {entry.licence}.")
    lines += ["", "Columns:"]
    for name, column in entry.columns.items():
        levels = f": {', '.join(column.levels)}" if column.levels is not None else ""
        lines += wrapped(f"  {name}, {'ordered ' if column.ordered else ''}{column.type}{levels}")
    if table is not None:
        lines += ["", table.head(ROWS).to_string(index=False), f"... {len(table)} rows"]
    click.echo("\n".join(lines))


def _table(entry: Entry) -> Any:
    """The table; None of one that is not shipped and not at hand."""
    from ...data import load_data

    try:
        return load_data(entry.name)
    except DataError:
        if entry.shipped:
            raise
        return None


def _export(given: Given) -> None:
    from ...data import load_data
    from ..table.writing import ENDS, write

    table = load_data(given["name"])
    name = given["path"] or f"{given['name']}{ENDS[0]}"
    if name == "-":
        write(table, None)
        return
    path = target(name, "data export", ENDS)
    if path.exists() and not given["overwrite"]:
        raise DataError(
            f"There is a file {str(path)!r} already: give another name after the data set's, or --overwrite.",
            topic="path",
        )
    write(table, path)
    note(f"Wrote {path}")


def _names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    from ...data.catalogue import catalogue

    return [name for name in catalogue() if name.startswith(incomplete)]


def _name() -> click.Argument:
    return click.Argument(["name"], metavar="NAME", shell_complete=_names)


command = click.Group(
    "data",
    help="List, show and export data sets of the package.\n\nCommands take their names in place of a file.",
    epilog="\b\nExample:\n  bayesmixed data list\n",
    context_settings=SETTINGS,
    commands=[
        command_of("list", _list, [json_option()], says="List them.", examples=["bayesmixed data list"]),
        command_of(
            "show",
            _show,
            [_name(), json_option()],
            says="Say what a data set is, where it is from, and what its columns hold.",
            examples=["bayesmixed data show sleepstudy"],
        ),
        command_of(
            "export",
            _export,
            [
                _name(),
                click.Argument(["path"], metavar="[FILE]", required=False, type=click.Path()),
                click.Option(["--overwrite"], is_flag=True, help="Replace a file of that name."),
            ],
            says="Write a data set to a file: .csv, .tsv or .parquet; NAME.csv by default, - for standard output.",
            examples=["bayesmixed data export sleepstudy sleep.csv"],
        ),
    ],
)
