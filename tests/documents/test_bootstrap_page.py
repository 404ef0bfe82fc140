"""The page on the bootstrap runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "bootstrap.md"


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    scope: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(code, str(PAGE), "exec"), scope)
    printed = capsys.readouterr().out
    assert "Parametric bootstrap of ML, 1000 replicates" in printed
    assert "90 %, bca" in printed and "on the boundary" in printed
    assert "Bartlett" in printed
