"""What pages of docs/ print is what their Python prints, line by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ["which-p-value.md"]
WIDTH = 102  # of the lines that pages show


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_python_prints(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    page = (DOCS / name).read_text(encoding="utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    scope: dict[str, object] = {}
    for language, text in found:
        if language == "python":
            exec(compile(text, name, "exec"), scope)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    shown = [line for language, text in found if language == "" for line in text.splitlines()]
    assert shown
    assert [line for line in shown if line not in printed] == []
