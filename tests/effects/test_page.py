"""The pages on effects and on ranks: their code runs and prints what they show."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "guide"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["effects.md", "ranks.md"])
def test_a_page_shows_what_its_code_prints(name: str) -> None:
    page = DOCS / name
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    scope: dict[str, Any] = {}
    for (language, code), (following, shown) in zip(blocks, [*blocks[1:], ("python", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec"), scope)
        if following == "":
            assert [line.rstrip() for line in printed.getvalue().splitlines()] == shown.splitlines()
