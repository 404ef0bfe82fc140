"""Which pictures are there, at a glance? Thumbnails of the page of pictures, each linked to the call that draws it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PIL import Image

from .outside import DOCS

PAGE = "guide/plots.md"
PICTURE = re.compile(r"^!\[(?P<words>[^\]]*)\]\(\.\./images/(?P<name>[\w-]+)\.png\)", re.MULTILINE)
CALL = re.compile(r"bm\.plot\.\w+")
WIDTH = 480  # of a thumbnail, twice what it is shown at


def pages() -> dict[str, str]:
    """The page of thumbnails."""
    text = (DOCS / PAGE).read_text(encoding="utf-8")
    cards: list[str] = []
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        found = [_card(section, match) for match in PICTURE.finditer(section)]
        if found:
            cards += [section.splitlines()[0], "", "::::{grid} 2 3 4 4", ":gutter: 2", "", *found, "::::", ""]
    return {"guide/gallery.md": "# Gallery\n\nEach picture leads to the call that draws it.\n\n" + "\n".join(cards)}


def with_places(text: str) -> str:
    """The page of pictures with a place to link to above the Python of each picture."""
    parts, last = [], 0
    for match in PICTURE.finditer(text):
        start = text.rindex("```python\n", 0, match.start())
        parts += [text[last:start], f"({place(match['name'])})=\n", text[start : match.end()]]
        last = match.end()
    return "".join([*parts, text[last:]])


def on_source_read(app: Any, docname: str, source: list[str]) -> None:
    """What Sphinx calls with the text of each page."""
    if f"{docname}.md" == PAGE:
        source[0] = with_places(source[0])


def place(name: str) -> str:
    """What the place of a picture is called."""
    return f"picture-{name.replace('_', '-')}"


def write_thumbnails(folder: Path) -> None:
    """Small pictures for the page of thumbnails, where they are older than the pictures."""
    target = folder / "guide" / "thumbnails"
    target.mkdir(exist_ok=True)
    for name in PICTURE.findall((DOCS / PAGE).read_text(encoding="utf-8")):
        source, small = folder / "images" / f"{name[1]}.png", target / f"{name[1]}.png"
        if not small.is_file() or small.stat().st_mtime < source.stat().st_mtime:
            with Image.open(source) as picture:
                picture.thumbnail((WIDTH, WIDTH))
                picture.save(small, optimize=True)


def _card(section: str, match: re.Match[str]) -> str:
    call = CALL.findall(section[: match.start()])[-1]
    return "\n".join(
        [
            f":::{{grid-item-card}} `{call}`",
            f":img-top: thumbnails/{match['name']}.png",
            f":img-alt: {match['words']}",
            f":link: {Path(PAGE).stem}.html#{place(match['name'])}",
            ":link-type: url",
            ":class-card: thumbnail",
            match["words"],
            ":::",
            "",
        ]
    )
