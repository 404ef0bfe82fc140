"""What docs/guide/command-line.md shows is what its commands print.

``python tests/documents/test_command_line_page.py`` writes the answers into the page.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "command-line.md"
WIDTH = "102"  # of the lines that pages show
BLOCK = re.compile(r"^```(console|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def answered(page: str) -> str:
    """The page with each command followed by what it prints; blocks of text are files that commands read."""

    def fill(block: re.Match[str]) -> str:
        language, text = block.groups()
        if language == "text":
            Path("drug.csv").write_text(text, encoding="utf-8")
            return block[0]
        lines = [f"$ {command}\n{answer(command)}" for command in commands(text)]
        return "```console\n" + "".join(lines) + "```"

    return BLOCK.sub(fill, page)


def commands(text: str) -> Iterator[str]:
    return (line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ "))


def answer(command: str) -> str:
    from bayesmixed.cli.ending import exit_code

    name, *arguments = shlex.split(command)
    assert name == "bayesmixed"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        exit_code(arguments)
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def test_the_page_shows_what_its_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("click")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", WIDTH)
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("\n$ ") >= 10
    assert without_versions(answered(page)) == without_versions(page)


def without_versions(page: str) -> str:
    return re.sub(r"^Software: .*?\.\n(?=```)", "", page, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    import tempfile

    os.environ["COLUMNS"] = WIDTH
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        PAGE.write_text(answered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
