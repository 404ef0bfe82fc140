"""Which files can be read: by the end of their name, each with the library that reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError, nearest
from .text import MISSING, TextOptions, read_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Format:
    """One kind of file: `read` takes its path, the sheet, what stands for missing values; `libraries` can read it."""

    words: str
    read: Callable[[Path, str | None, Sequence[str]], pd.DataFrame]
    libraries: tuple[str, ...] = ()


def read(path: Path, options: TextOptions, sheet: str | None = None) -> pd.DataFrame:
    """The table in a file.

    Raises
    ------
    DataError
        A name that does not say what the file is, a library that is missing, a file that is damaged.
    """
    ends = [suffix.lower() for suffix in path.suffixes]
    packed = ends and ends[-1] in COMPRESSED
    end = next(iter(ends[-2:-1] if packed else ends[-1:]), "")
    if end in TEXT or (options.sep is not None and end not in FORMATS):
        return read_text(_content(path, ends[-1] if packed else ""), repr(str(path)), options, TEXT.get(end, ","))
    if end not in FORMATS:
        raise DataError(_unknown(path, end), topic="kind-of-file")
    kind = FORMATS[end]
    required(end, "Reading")
    _refuse_options(path, kind, options, sheet)
    try:
        table = kind.read(path, sheet, options.missing)
    except DataError:
        raise
    except Exception as problem:  # every reader has its own for a file that is not what its name says
        words = str(problem).strip().split("\n")[0].rstrip(".")
        raise DataError(
            f"{str(path)!r} cannot be read as {kind.words}; is it one? ({words})", topic="kind-of-file"
        ) from None
    return table.rename(columns=lambda name: name.strip() if isinstance(name, str) else name)


def _refuse_options(path: Path, kind: Format, options: TextOptions, sheet: str | None) -> None:
    """Options that would do nothing."""
    for name in ("sep", "decimal", "thousands", "encoding"):
        if getattr(options, name) is not None:
            raise DataError(f"--{name} is of text files; {str(path)!r} is {kind.words}.", topic="kind-of-file")
    for name, asked in (("sheet", sheet is not None), ("na", bool(options.missing))):
        if asked and kind is not EXCEL:
            raise DataError(
                f"--{name} is of Excel{' and text' * (name == 'na')} files; {str(path)!r} is {kind.words}.",
                topic="kind-of-file",
            )


def required(end: str, doing: str) -> None:
    """Refuse a format whose library is missing, naming what to install."""
    libraries = FORMATS[end].libraries
    if libraries and not any(map(find_spec, libraries)):
        raise DataError(
            f"{doing} {end} files needs the library {libraries[0]}: pip install {libraries[0]}", topic="kind-of-file"
        )


def _unknown(path: Path, end: str) -> str:
    if end in _ELSEWHERE:
        return f"{str(path)!r} {_ELSEWHERE[end]}"
    known = nearest(end, [*TEXT, *FORMATS], "Known ends")
    text = "A text file of any name is read with --sep ',' or --sep '\\t'."
    return f"The name of {str(path)!r} does not say what the file is. {known} {text}"


def _content(path: Path, packed: str) -> bytes:
    if not packed:
        return path.read_bytes()
    import bz2
    import gzip
    import lzma
    import zlib

    unpacked: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.decompress,
        ".bz2": bz2.decompress,
        ".xz": lzma.decompress,
    }
    try:
        return unpacked[packed](path.read_bytes())
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as problem:
        raise DataError(f"{str(path)!r} cannot be unpacked: {problem}.", topic="kind-of-file") from None


def _excel(path: Path, sheet: str | None, missing: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    with pd.ExcelFile(path) as book:
        names = [str(name) for name in book.sheet_names]
        if sheet is not None and sheet not in names:
            raise DataError(
                f"{str(path)!r} has no sheet {sheet!r}. {nearest(sheet, names, 'It has')}", topic="kind-of-file"
            )
        if sheet is None and len(names) > 1:
            from ..ending import note

            note(f"Note: {path.name} has the sheets {', '.join(map(repr, names))}; the first is read (--sheet NAME).")
        values = [*MISSING, *missing]
        table = pd.read_excel(book, sheet_name=sheet or names[0], keep_default_na=False, na_values=values)
        return table.dropna(how="all", ignore_index=True)


def _parquet(path: Path, *_: object) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(path)


def _feather(path: Path, *_: object) -> pd.DataFrame:
    import pandas as pd

    return pd.read_feather(path)


def _spss(path: Path, *_: object) -> pd.DataFrame:
    import pandas as pd

    return pd.read_spss(path)


def _stata(path: Path, *_: object) -> pd.DataFrame:
    import pandas as pd

    # labelled values are labels: ordered ones would be given polynomial contrasts
    return pd.read_stata(path, order_categoricals=False)


def _sas(path: Path, *_: object) -> pd.DataFrame:
    import pandas as pd

    return pd.read_sas(path, encoding="infer")


EXCEL = Format("an Excel file", _excel, ("openpyxl", "python_calamine"))
TEXT = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
FORMATS = {
    ".parquet": Format("a parquet file", _parquet, ("pyarrow", "fastparquet")),
    ".feather": Format("a feather file", _feather, ("pyarrow",)),
    ".arrow": Format("a feather file", _feather, ("pyarrow",)),
    ".xlsx": EXCEL,
    ".sav": Format("an SPSS file", _spss, ("pyreadstat",)),
    ".dta": Format("a Stata file", _stata),
    ".sas7bdat": Format("a SAS file", _sas),
}
COMPRESSED = (".gz", ".bz2", ".xz")
_ELSEWHERE = {
    ".rds": 'is of R, whose own files are not read: write.csv(table, "table.csv", row.names = FALSE) there.',
    ".nc": "is a saved fit: bayesmixed summary, report and diagnose read it; a TABLE is wanted here.",
    ".xls": "is an Excel file of before 2007: save it as .xlsx or .csv.",
    ".ods": "is of LibreOffice: save it as .xlsx or .csv.",
}
_ELSEWHERE |= dict.fromkeys((".rda", ".rdata"), _ELSEWHERE[".rds"])
