"""The page on effects: its code runs and prints what the page shows."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "effects.md"


@pytest.mark.slow
def test_the_page_shows_what_its_code_prints() -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    scope: dict[str, Any] = {}
    for (language, code), (following, shown) in zip(blocks, [*blocks[1:], ("python", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(PAGE), "exec"), scope)
        if following == "":
            assert [line.rstrip() for line in printed.getvalue().splitlines()] == shown.splitlines()
