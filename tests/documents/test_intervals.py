"""The page on intervals runs as it stands and says what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "intervals.md"


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(code, str(PAGE), "exec"), scope)
    printed = capsys.readouterr().out
    assert "refitted by ML" in printed and "boundary" in printed and "bend" in printed
    assert "t with Satterthwaite's degrees of freedom" in printed
