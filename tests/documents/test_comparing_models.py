"""docs/comparing-models.md prints what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "comparing-models.md"


def test_the_page_prints_what_it_shows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "102")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    scope: dict[str, object] = {}
    for language, text in blocks:
        if language == "python":
            exec(compile(text, str(PAGE), "exec"), scope)
        else:
            assert capsys.readouterr().out == text
