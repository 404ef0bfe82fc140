"""What pages of docs/ show is what their Python prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "guide"
PAGES = ["comparing-models.md", "power.md", "which-p-value.md", "random-effects-structure.md", "influence.md"]
PAGES += ["tables-for-papers.md"]
WIDTH = 102  # of the lines that pages show


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_python_prints(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    page = (DOCS / name).read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    shown = 0
    for language, text in re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        if language == "python":
            exec(compile(text, name, "exec"), scope)
        else:
            printed = capsys.readouterr().out.splitlines()
            assert [line.rstrip() for line in printed] == text.splitlines()
            shown += 1
    assert shown
