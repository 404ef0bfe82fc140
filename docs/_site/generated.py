"""Which pages are made at build time? Reference, tables of registries, thumbnails, committed tables, messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import committed, gallery, told
from .reference import api, registries

FOLDERS = ("reference", "results")  # nothing else is in them


def pages() -> dict[str, str]:
    """Text by path below docs/."""
    return {**api.pages(), **registries.pages(), **gallery.pages(), **committed.pages(), **told.pages()}


def write(folder: Path) -> None:
    """Write what changed, so that a second build reads the rest from its cache; remove what is no more."""
    made = pages()
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for kept in FOLDERS:
        for path in (folder / kept).rglob("*"):
            if path.is_file() and path.relative_to(folder).as_posix() not in made:
                path.unlink()
    gallery.write_thumbnails(folder)


def outdated(app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Pages of the reference link to each other by names: where one has changed, all are read again."""
    moved = any(name.startswith("reference/") for name in (added | changed | removed))
    return [name for name in env.found_docs if moved and name.startswith("reference/")]
