"""docs/guide/program.md shows the script and the graph of sleepstudy as they are."""

from __future__ import annotations

import re
from pathlib import Path

import bayesmixed as bm
from bayesmixed.engines.graph import words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "program.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_shows_the_script_and_the_words() -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    assert str(model.code()) in blocks("python")
    assert f"{words(model)}\n" in blocks("text")
