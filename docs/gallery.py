"""What does each picture look like? `guide/plots.md` is run block by block, and each picture it shows is drawn.

    python docs/gallery.py                draws all pictures of docs/guide/plots.md
    python docs/gallery.py curves pairs   only those whose name begins so

A block of Python that is followed by ``![...](../images/NAME.png)`` draws that picture, so that the call on the page is
the call behind the picture. Blocks without a picture (data and fits) are run always. A picture of a plot that this
version of the package does not have is left as it is, and said.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt
from PIL import Image

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER / "guide" / "plots.md"
DPI = 130
LARGEST = 120_000  # bytes of a picture, so that the page loads at once
BLOCK = re.compile(
    r"```python\n(?P<code>.*?)```(?:\s*!\[[^\]]*\]\(\.\./(?P<picture>images/[\w.-]+\.png)\))?", re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """Python of the page, and the picture below it (None where there is none)."""

    code: str
    picture: str | None


def blocks(page: Path = PAGE) -> Iterator[Block]:
    """The blocks of Python of a page, from the top down."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield Block(found["code"], found["picture"])


def draw(prefixes: list[str]) -> list[str]:
    """Run the page and write its pictures; returns what was not drawn, in words."""
    names: dict[str, Any] = {}
    left: list[str] = []
    for block in blocks():
        wanted = block.picture is None or not prefixes or Path(block.picture).name.startswith(tuple(prefixes))
        if not wanted:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                exec(compile(block.code, str(PAGE), "exec"), names)  # the page is part of the repository
        except AttributeError as error:
            if "bm.plot has no" not in str(error) or block.picture is None:
                raise
            left.append(f"{block.picture}: {error}")
            continue
        if block.picture is not None:
            write(FOLDER / block.picture)
        plt.close("all")
    return left


def write(path: Path) -> None:
    """The current figure as a PNG of 128 colours, which no eye tells from all of them."""
    drawn, data = BytesIO(), BytesIO()
    plt.gcf().savefig(drawn, format="png", dpi=DPI)
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(data, format="png", optimize=True)
    if len(data.getvalue()) > LARGEST:
        raise RuntimeError(
            f"{path.name} takes {len(data.getvalue()):,} bytes, more than {LARGEST:,}: draw fewer marks."
        )
    path.write_bytes(data.getvalue())
    print(f"{path.name}: {len(data.getvalue()):,} bytes")


if __name__ == "__main__":
    for sentence in draw(sys.argv[1:]):
        print("not drawn", sentence)
