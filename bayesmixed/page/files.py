"""Where is a text written, if anywhere?"""

from __future__ import annotations

from pathlib import Path

from ..errors import FitError


def written(text: str, path: str | Path | None, verb: str, ending: str) -> str:
    """The text, which is in the file at `path` too, if there is one.

    Raises
    ------
    FitError
        For a folder, or a file in one that does not exist.
    """
    if path is not None:
        checked(path, f'{verb}("table{ending}")').write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return text


def checked(path: str | Path, call: str) -> Path:
    """The path of a file in a folder that exists; `call` shows how to give one."""
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        missing = f"{str(target)!r} is a folder" if target.is_dir() else f"There is no folder {str(target.parent)!r}"
        raise FitError(f"{missing}. Give a file in a folder that exists, e.g. {call}.", topic="path")
    return target
