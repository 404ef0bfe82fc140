"""Where do links lead that leave docs/? To the page that a committed table has here, else to the repository."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
REPOSITORY = DOCS.parent
TABLES = "benchmarks/results"
ADDRESS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
LINK = re.compile(r"(?P<before>(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\()(?P<target>[^)\s#]+)(?P<after>(?:#[^)\s]*)?\))")


def on_source_read(app: Any, docname: str, source: list[str]) -> None:
    """What Sphinx calls with the text of each page."""
    if Path(app.env.doc2path(docname)).suffix == ".md":
        source[0] = rewritten(source[0], (DOCS / docname).parent)


def rewritten(text: str, folder: Path) -> str:
    """A page's Markdown as a page of the site in `folder`."""

    def led(match: re.Match[str]) -> str:
        return match["before"] + led_to(match["target"], folder) + match["after"]

    return LINK.sub(led, text)


def led_to(target: str, folder: Path) -> str:
    """A link's target on the site.

    Files of docs/ are themselves, committed tables have pages, all else is in the repository.
    """
    if "://" in target or target.startswith(("mailto:", "#")):
        return target
    path = (folder / target).resolve()
    if path.is_relative_to(DOCS) or not path.is_relative_to(REPOSITORY):
        return f"{target.rstrip('/')}/index.md" if (path / "index.md").is_file() else target
    within = path.relative_to(REPOSITORY).as_posix()
    if within == TABLES:
        return "/results/index.md"
    if within.startswith(TABLES) and within.endswith(".md"):
        return f"/results/{path.name}"
    kind = "tree" if path.is_dir() else "blob"
    return f"{ADDRESS}/{kind}/main/{within}"
