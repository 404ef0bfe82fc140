"""How a table is written: to a file by the end of its name, or as CSV to standard output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .formats import FORMATS, required

if TYPE_CHECKING:
    import pandas as pd

ENDS = (".csv", ".tsv", ".parquet")


def write(table: pd.DataFrame, path: Path | None) -> None:
    """Write a table without its row labels; None is standard output.

    Raises
    ------
    DataError
        A library that is missing.
    """
    if path is None:
        click.echo(table.to_csv(index=False, lineterminator="\n"), nl=False)
    elif path.suffix.lower() in FORMATS:
        required(path.suffix.lower(), "Writing")
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix.lower() == ".tsv" else ",", lineterminator="\n")
