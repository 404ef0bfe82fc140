"""How a user gets a classic data set, and a table of those there are."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from ..errors import DataError
from .catalogue import FOLDER, Entry, catalogue, find
from .reading import read_table

VARIABLE = "BAYESMIXED_DATA"
"""Environment variable that names the folder of the data sets that are not shipped."""


def load_data(name: str) -> pd.DataFrame:
    """One of the classic data sets of the mixed-model literature.

    Factors are categoricals in R's level order (ordered where R's are), their labels are strings even
    when they look like numbers, integers are integers. The larger sets are not shipped: they are read
    from the folder that the environment variable ``BAYESMIXED_DATA`` names.

    Parameters
    ----------
    name : str
        A name from `list_data`, such as "sleepstudy".

    Returns
    -------
    pandas.DataFrame
        A fresh table, rows in the order of the source. ``attrs`` holds its title, description,
        citation, source and licence.

    Raises
    ------
    DataError
        If the name is unknown (the message has the nearest ones), or the set is not shipped and its
        file is not in the folder named by ``BAYESMIXED_DATA`` (the message has the line that exports
        it from R).

    Examples
    --------
    >>> sleep = load_data("sleepstudy")
    >>> sleep.shape
    (180, 3)
    >>> list(sleep["Subject"].cat.categories[:3])
    ['308', '309', '310']
    """
    entry = find(name)
    path = FOLDER / "sets" / f"{entry.name}.csv"
    if not path.is_file():  # not shipped, or left out by who shipped this copy
        path = _user_file(entry)
    table = read_table(path, entry.columns)
    facts = ("name", "title", "description", "citation", "source", "licence")
    table.attrs = {fact: getattr(entry, fact) for fact in facts}
    return table


def list_data() -> pd.DataFrame:
    """The data sets that `load_data` knows.

    Returns
    -------
    pandas.DataFrame
        One row per data set: ``name``, ``title``, ``rows``, ``columns`` (how many), ``description``,
        ``citation``, ``source``, ``licence`` and ``shipped`` (False: read from the folder
        ``BAYESMIXED_DATA``). Printing it shows name, rows, title and whether it is shipped.

    Examples
    --------
    >>> known = list_data()
    >>> known.loc[known["name"] == "sleepstudy", ["rows", "columns", "shipped"]].values.tolist()
    [[180, 3, True]]
    """
    return DataSets([_row(entry) for entry in catalogue().values()])


class DataSets(pd.DataFrame):
    """A DataFrame whose printout fits the screen: citations and licences are in the columns not shown."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __str__(self) -> str:
        shown = self[list(_SHOWN)].astype(str)
        widths = {name: max(map(len, shown[name])) for name in ("name", "title")}
        formatters = {name: f"{{:<{width}}}".format for name, width in widths.items()}
        return shown.to_string(index=False, justify="left", formatters=formatters)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self[[*_SHOWN, "description", "licence"]].to_html(index=False, border=0)


_SHOWN = ("name", "rows", "title", "shipped")


def _row(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": entry.title,
        "rows": entry.rows,
        "columns": len(entry.columns),
        "description": entry.description,
        "citation": entry.citation,
        "source": entry.source,
        "licence": entry.licence,
        "shipped": entry.shipped,
    }


def _user_file(entry: Entry) -> Path:
    """The file of a set that is not shipped, plain or gzipped, in the user's folder."""
    folder = os.environ.get(VARIABLE)
    if folder:
        for suffix in (".csv", ".csv.gz"):
            path = Path(folder).expanduser() / f"{entry.name}{suffix}"
            if path.is_file():
                return path
    raise DataError(_how_to_get(entry, folder), topic="data-sets")


def _how_to_get(entry: Entry, folder: str | None) -> str:
    where = f"{VARIABLE} is {folder!r}, which has no {entry.name}.csv" if folder else f"{VARIABLE} is not set"
    return (
        f"The data set {entry.name!r} ({entry.rows} rows, {entry.source}) is not shipped, and {where}. "
        "Export it from R:\n"
        f'    write.csv({entry.r_object}, "{entry.name}.csv", row.names = FALSE)\n'
        f"and set {VARIABLE} to the folder that holds the file."
    )
