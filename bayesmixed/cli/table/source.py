"""Which table does the user mean: a file, standard input, or a data set of the package?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ...errors import DataError, nearest
from ..command import Given
from .labels import as_factors, factor_option
from .text import TextOptions, text_options

if TYPE_CHECKING:
    import pandas as pd

STDIN = "-"


def table_argument(required: bool = True) -> click.Argument:
    """The table itself."""
    return click.Argument(["table"], metavar="TABLE", required=required, shell_complete=_complete)


def table_options() -> list[click.Option]:
    """How its file is read, and which of its columns are labels."""
    sheet = click.Option(["--sheet"], metavar="NAME", help="The sheet of an Excel file; its first by default.")
    return [factor_option(), *text_options(), sheet]


def table_of(given: Given) -> pd.DataFrame:
    """The table that was typed, its columns typed as asked.

    Raises
    ------
    DataError
        There is none, or it cannot be read: what to type instead.
    """
    return as_factors(_found(given), given["factor"])


def _found(given: Given) -> pd.DataFrame:
    from .formats import read

    name, options = given["table"], TextOptions.of(given)
    if name == STDIN:
        from .text import read_text

        return read_text(sys.stdin.buffer.read(), "standard input", options)
    path = Path(name)
    if path.is_file():
        return read(path, options, given["sheet"])
    if path.is_dir():
        raise DataError(f"{name!r} is a folder: name a file in it{_of(path)}.", topic="path")
    from ...data.catalogue import catalogue

    if name in catalogue():
        from ...data import load_data

        return load_data(name)
    raise DataError(_missing(path, list(catalogue())), topic="path")


def _of(folder: Path) -> str:
    from .formats import FORMATS

    first = next((file for file in sorted(folder.iterdir()) if file.suffix.lower() in FORMATS), None)
    return "" if first is None else f", such as {str(first)!r}"


def _missing(path: Path, sets: list[str]) -> str:
    if "~" in str(path):
        return f"{str(path)!r} is a formula, and stands where the table does: the formula comes first, FORMULA TABLE."
    if not path.parent.is_dir():
        return f"There is no folder {str(path.parent)!r}, so no file {str(path)!r}."
    files = [str(path.parent / file.name) for file in path.parent.iterdir() if file.is_file()]
    plain = path.parent == Path(".") and not path.suffix
    near = nearest(str(path), [*files, *sets] if plain else files)
    near = near if near.startswith("Did") else ""
    also = " and no data set of that name (bayesmixed data list)" if plain else ""
    return f"There is no file {str(path)!r}{also}. {near}".rstrip()


def _complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[Any]:
    from ...data.catalogue import catalogue

    names = [CompletionItem(name) for name in catalogue() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]
