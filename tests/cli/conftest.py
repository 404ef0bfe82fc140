"""The program as tests type it, in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from .typed import FORMULA, Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """What is typed in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


@pytest.fixture
def saved(shell: Shell) -> str:
    """A REML fit of sleepstudy in the folder."""
    assert shell("fit", FORMULA, "sleepstudy", "--method", "reml", "--save", "fit.nc").code == 0
    return "fit.nc"
