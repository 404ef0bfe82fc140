"""Where is a text written, if anywhere?"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ..errors import FitError, brief

HTML = (".html", ".htm", ".xhtml")
TEXT = (".txt", "")  # names that any text may have


def written(text: str, path: str | PathLike[str] | None, verb: str, *endings: str) -> str:
    """The text, which is in the file at `path` too, if there is one.

    Raises
    ------
    FitError
        For a folder, a file in one that does not exist, or a name that says that something else is in it.
    """
    if path is not None:
        target = checked(path, f'{verb}("table{endings[0]}")', *endings, *TEXT)
        target.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return text


def checked(path: str | PathLike[str], call: str, *endings: str) -> Path:
    """The path of a file in a folder that exists, named by one of `endings`; `call` shows how to give one.

    A table of the user's, `scores.csv` typed for `scores.html`, must not be written over.
    """
    try:
        target = Path(path)
    except TypeError:
        raise FitError(f"A file is named by a text, e.g. {call}, not by {brief(path)}.", topic="path") from None
    if target.is_dir() or not target.parent.is_dir():
        missing = f"{str(target)!r} is a folder" if target.is_dir() else f"There is no folder {str(target.parent)!r}"
        raise FitError(f"{missing}. Give a file in a folder that exists, e.g. {call}.", topic="path")
    if endings and target.suffix.lower() not in endings:
        raise FitError(
            f"What is written is {endings[0]}, which {target.name!r} does not say: name it "
            f"{target.stem + endings[0]!r}.",
            topic="path",
        )
    return target
