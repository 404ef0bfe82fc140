"""Which columns are labels although they hold numbers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ...errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd


def factor_option() -> click.Option:
    """Which columns are labels."""
    return click.Option(
        ["--factor"],
        multiple=True,
        metavar="COLUMN",
        help="A predictor whose numbers are labels; text and what follows a bar are factors anyway. Repeatable.",
    )


def as_factors(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The table with these columns as factors, levels in the order of their numbers or letters.

    Raises
    ------
    DataError
        A column that the table lacks: the nearest that it has.

    Examples
    --------
    >>> import pandas as pd
    >>> list(as_factors(pd.DataFrame({"dose": [10, 2, None]}), ["dose"])["dose"].cat.categories)
    [2, 10]
    """
    known = {str(name): name for name in table.columns}
    for column in columns:
        if column not in known:
            raise DataError(
                f"--factor {column}: the table has no such column. {nearest(column, known, 'It has')}",
                topic="no-such-column",
            )
    labelled = table.copy(deep=False) if columns else table
    for column in columns:
        labelled[known[column]] = _factor(table[known[column]])
    return labelled


def _factor(values: pd.Series) -> pd.Series:
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    if values.dtype.kind == "f" and bool((values.dropna() % 1 == 0).all()):  # whole, but for what is missing
        values = values.astype("Int64")
    categories = sorted(values.dropna().unique().tolist())
    return pd.Series(pd.Categorical(values.astype(object), categories=categories), index=values.index)
