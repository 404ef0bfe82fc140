"""How does text become a table: separators, decimal commas, missing values; what is not plain is asked about."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from ...errors import DataError, brief
from ..command import Given
from .marks import refuse_other_marks, refuse_other_thousands

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # that a file of commas may have in their place
# What stands for a missing value unasked; words such as None or null may be the label of a group without treatment.
MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan")
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?")
_SHOWN = {"\t": "\\t"}


@dataclass(frozen=True)
class TextOptions:
    """How text is to be read; None where the user did not say."""

    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()
    thousands: str | None = None
    labels: tuple[str, ...] = ()  # columns that are labels, whatever they look like

    @classmethod
    def of(cls, given: Given) -> TextOptions:
        """The options that were typed."""
        sep = None if given["sep"] is None else _character(given["sep"])
        named = (given[name] for name in ("decimal", "encoding", "na", "thousands", "factor"))
        return cls(sep, *named)


def text_options() -> list[click.Option]:
    """The options of files of text."""
    return [
        click.Option(
            ["--sep"],
            metavar="CHARACTER",
            help="What separates the values of a text file: ';', '\\t', ...; of .csv a comma.",
        ),
        click.Option(["--decimal"], type=click.Choice([".", ","]), help="The decimal mark of a text file."),
        click.Option(["--thousands"], metavar="CHARACTER", help="What parts the thousands of numbers in a text file."),
        click.Option(["--encoding"], metavar="NAME", help="The encoding of a text file; utf-8 by default."),
        click.Option(
            ["--na"],
            multiple=True,
            metavar="TEXT",
            help="A text that stands for a missing value, beside NA, NaN and nothing. Repeatable.",
        ),
    ]


def read_text(content: bytes, where: str, options: TextOptions, sep: str = ",") -> pd.DataFrame:
    """The table in the bytes of a text file, which messages call `where`.

    Raises
    ------
    DataError
        No text of this encoding; no table; another separator or decimal mark than was said: each with the option.
    """
    text = _decoded(content, where, options.encoding)
    if not text.strip():
        raise DataError(f"{where} is empty: its first line must name the columns.", topic="text-of-a-table")
    sep = sep if options.sep is None else options.sep
    names = _names(text, where, sep)
    table = _parsed(text, where, sep, options).set_axis(names, axis=1)
    if options.thousands is not None:
        raw = _parsed(text, where, sep, options, dtype=str).set_axis(names, axis=1)
        refuse_other_thousands(table, raw, where, (options.decimal or ".", options.thousands))
    table = _without_nameless(table)
    if not len(table):
        raise DataError(f"{where} has names of columns and no rows.", topic="text-of-a-table")
    refuse_other_marks(table, where, (options.decimal, options.thousands), options.labels)
    return table


def _decoded(content: bytes, where: str, encoding: str | None) -> str:
    try:
        text = content.decode(encoding or "utf-8-sig")
    except LookupError:
        raise DataError(
            f"There is no encoding {encoding!r}. Known: utf-8, utf-16, cp1252, latin1, ...", topic="text-of-a-table"
        ) from None
    except UnicodeDecodeError as wrong:
        if encoding is None and content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise DataError(
                f"{where} is text in another encoding: add --encoding utf-16.", topic="text-of-a-table"
            ) from None
        if b"\0" in content:
            raise DataError(f"{where} is no text.", topic="text-of-a-table") from None
        line = content.count(b"\n", 0, wrong.start) + 1
        advice = "add --encoding cp1252, as programs on Windows write it in Western Europe, or the one it has"
        raise DataError(
            f"{where} is not in the encoding {encoding or 'utf-8'} (line {line}): {advice}.", topic="text-of-a-table"
        ) from None
    if "\0" in text:
        raise DataError(f"{where} is no text.", topic="text-of-a-table")
    return text.removeprefix("\ufeff")


def _names(text: str, where: str, sep: str) -> list[str]:
    """The names of the columns, each once, without the spaces around them."""
    import pandas as pd

    try:
        head = pd.read_csv(
            StringIO(text), sep=sep, header=None, nrows=1, dtype=str, keep_default_na=False, skipinitialspace=True
        )
    except (ValueError, pd.errors.ParserError) as problem:
        raise _no_table(where, problem) from None
    names = [str(name).strip() for name in head.iloc[0]]
    if len(names) == 1:
        _refuse_separator(names[0], where, sep)
    if all(NUMBER.fullmatch(name) for name in names):
        raise DataError(
            f"The first line of {where} holds numbers ({', '.join(names[:3])}): put the names of the columns there.",
            topic="text-of-a-table",
        )
    twice = list(dict.fromkeys(name for name in names if name and names.count(name) > 1))
    if twice:
        raise DataError(
            f"{where} has more than one column {', '.join(map(repr, twice))}: rename them.", topic="text-of-a-table"
        )
    return names


def _refuse_separator(name: str, where: str, sep: str) -> None:
    other = next((other for other in (*SEPARATORS, ",") if other in name and other != sep), None)
    if other is None:
        return
    words = SEPARATORS.get(other, "commas")
    decimal = ' (and --decimal "," where numbers have decimal commas)' if other == ";" else ""
    raise DataError(
        f'{where} has one column, {brief(name)}, which holds {words}: add --sep "{_SHOWN.get(other, other)}"{decimal}.',
        topic="text-of-a-table",
    )


def _parsed(text: str, where: str, sep: str, options: TextOptions, **types: Any) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # that values were lost
            return pd.read_csv(
                StringIO(text),
                sep=sep,
                decimal=options.decimal or ".",
                thousands=options.thousands,
                keep_default_na=False,
                na_values=[*MISSING, *options.missing],
                skipinitialspace=True,
                index_col=False,
                low_memory=False,
                **types,
            ).dropna(how="all", ignore_index=True)
    except pd.errors.ParserWarning:
        raise DataError(
            f"{where} has rows with more values than there are names of columns. Name each, or leave the names of rows "
            "out (in R, row.names = FALSE).",
            topic="text-of-a-table",
        ) from None
    except (ValueError, pd.errors.ParserError) as problem:
        raise _no_table(where, problem) from None


def _no_table(where: str, problem: Exception) -> DataError:
    words = str(problem).strip().splitlines()[-1].removeprefix("Error tokenizing data. C error: ")
    return DataError(f"{where} is no table: {words}.", topic="text-of-a-table")


def _without_nameless(table: pd.DataFrame) -> pd.DataFrame:
    """Columns without a name left out, said where they hold anything: a formula cannot name them, but "." would."""
    nameless = [not name for name in table.columns]
    if not any(nameless):
        return table
    if bool(table.loc[:, nameless].notna().any(axis=None)):
        from ..ending import note

        numbers = [str(i + 1) for i, out in enumerate(nameless) if out]
        note(f"Note: a column without a name was left out (number {', '.join(numbers)}).")
    return table.loc[:, [not out for out in nameless]]


def _character(text: str) -> str:
    """A separator as it is typed in a shell, where a tab is two characters."""
    found = {"\\t": "\t", "tab": "\t", "space": " "}.get(text, text)
    if len(found) != 1:
        raise click.UsageError(f"--sep {text!r} is not one character. Write --sep ';' or --sep '\\t'.")
    return found
