"""Does a column of text hold numbers, with other decimal marks or thousands than was said?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from ...errors import DataError

if TYPE_CHECKING:
    import pandas as pd

WHOLE = re.compile(r"[-+]?\d+")
POINT = re.compile(r"[-+]?(\d+|\d*\.\d+)([eE][-+]?\d+)?")
# (decimal mark, what parts thousands) -> numbers written so; the first that fit are what was most likely meant
_EXPONENT = r"([eE][-+]?\d+)?"
STYLES: dict[tuple[str, str | None], re.Pattern[str]] = {
    (",", None): re.compile(rf"[-+]?(\d+|\d*,\d+){_EXPONENT}"),
    (".", ","): re.compile(r"[-+]?\d{1,3}(,\d{3})*(\.\d+)?"),
    (",", "."): re.compile(r"[-+]?\d{1,3}(\.\d{3})*(,\d+)?"),
    (".", " "): re.compile(r"[-+]?\d{1,3}([ \u00a0\u202f]\d{3})*(\.\d+)?"),
}


def refuse_other_marks(
    table: pd.DataFrame, where: str, said: tuple[str | None, str | None], labels: Collection[str]
) -> None:
    """Refuse a column that would be taken for labels; `said` are the marks typed, `labels` columns that are labels.

    Raises
    ------
    DataError
        With the options under which every value of the column is a number.

    Examples
    --------
    >>> import pandas as pd
    >>> refuse_other_marks(pd.DataFrame({"x": ["1,5"]}), "it", (None, None), [])  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    bayesmixed.errors.DataError: Column 'x' of it holds numbers written as '1,5': add --decimal ","
    (--factor x if these are labels).
    """
    for name, column in table.items():
        if not _is_text(column) or name in labels:
            continue
        values = column.dropna().astype(str).str.strip()
        found = list(_options(values.tolist(), said))
        written = f"Column {name!r} of {where} holds numbers written as"
        labelled = f"(--factor {name} if these are labels)"
        if found:
            raise DataError(
                f"{written} {_example(values)!r}: add {' or '.join(found)} {labelled}.", topic="text-of-a-table"
            )
        if said[0] == "," and _all(POINT, values) and not _all(WHOLE, values):
            marks = "and --decimal is a comma: a file has one decimal mark"
            raise DataError(f"{written} {_example(values)!r}, {marks} {labelled}.", topic="text-of-a-table")


def _options(values: list[str], said: tuple[str | None, str | None]) -> Iterator[str]:
    """The options, one text for each style that all values have."""
    if not values or all(map(WHOLE.fullmatch, values)):
        return
    for (decimal, thousands), style in STYLES.items():
        if said[0] not in (None, decimal) or said[1] not in (None, thousands) or said == (decimal, thousands):
            continue
        if not all(map(style.fullmatch, values)):
            continue
        asked = [f'--decimal "{decimal}"'] if decimal == "," and said[0] is None else []
        asked += [] if thousands is None or said[1] is not None else [f'--thousands "{thousands}"']
        yield " ".join(asked)
        if (decimal, thousands) == (",", None) and not all(map(STYLES[".", ","].fullmatch, values)):
            return  # plain decimal commas: the thousands of the others are not there


def refuse_other_thousands(table: pd.DataFrame, raw: pd.DataFrame, where: str, marks: tuple[str, str]) -> None:
    """Refuse numbers that lost a mark which parts no thousands: 337.4 is not 3374, whatever was typed.

    `raw` is the table with every value as the text that it was.

    Raises
    ------
    DataError
        With the column and the value.
    """
    style = STYLES.get(marks)
    for name, column in table.items():
        if style is None or _is_text(column):
            continue
        values = raw[name].dropna().str.strip()
        odd = [value for value in values if marks[1] in value and not style.fullmatch(value)]
        if odd:
            raise DataError(
                f"Column {name!r} of {where} holds {odd[0]!r}, in which {marks[1]!r} parts no thousands.",
                topic="text-of-a-table",
            )


def _all(style: re.Pattern[str], values: pd.Series) -> bool:
    return len(values) > 0 and all(map(style.fullmatch, values))


def _example(values: pd.Series) -> str:
    return str(next(value for value in values if not WHOLE.fullmatch(value)))


def _is_text(column: pd.Series) -> bool:
    return column.dtype.kind == "O" or str(column.dtype).startswith("str")
