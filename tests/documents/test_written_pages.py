"""Pages whose Python runs from the top show what it prints: words as they are, numbers as near as machines agree.

An error that a page provokes is shown as its last line. Lines may be broken elsewhere.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from bayesmixed.errors import BayesMixedError

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ["start/first-five-minutes.md", "guide/priors.md", "guide/saving.md", "guide/writing-it-up.md"]
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
EXACT = 1e-3  # relative: optima of other BLAS libraries, where a printed digit may round the other way
DRAWN = 0.15  # the same of what draws say, with a fixed seed on another machine
WIDTH = "112"  # of the lines that these pages show, as in `docs/_site/printed.py`
TINY = 1e-3  # gradients and what else is rounding


def blocks(page: Path) -> list[tuple[str, str]]:
    """Its Python, and what is shown after each."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    shown = [*found[1:], ("", "")]
    return [
        (text, after if language == "text" else "")
        for (kind, text), (language, after) in zip(found, shown, strict=True)
        if kind == "python"
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_python_prints(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    for table in (DOCS / name).parent.glob("*.csv"):
        shutil.copy(table, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", WIDTH)
    scope: dict[str, object] = {}
    for code, shown in blocks(DOCS / name):
        try:
            exec(compile(code, name, "exec"), scope)
            error = ""
        except BayesMixedError as problem:
            error = f"{type(problem).__name__}: {problem}"
        agree(capsys.readouterr().out + error, shown, DRAWN if "seed=" in code else EXACT)


def agree(printed: str, shown: str, tolerance: float) -> None:
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", shown).split()
    ours, theirs = (np.array(NUMBER.findall(text), float) for text in (printed, shown))
    assert np.allclose(ours, theirs, rtol=tolerance, atol=TINY if tolerance == EXACT else DRAWN)


def test_the_picture_of_the_first_five_minutes_is_shown() -> None:
    page = DOCS / PAGES[0]
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert pictures == ["shrinkage.png"] and (page.parent / "shrinkage.png").stat().st_size < 120_000
