"""The README's Python runs as it stands, and its table is what it prints; one version everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import bayesmixed as bm

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


@pytest.mark.slow
def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "102")  # of the lines that it shows
    scope: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), scope)
    assert {path.name for path in tmp_path.iterdir()} == {"shrinkage.png", "caterpillar.png", "sleep.nc", "report.html"}
    printed = capsys.readouterr().out
    tables = [block for block in blocks("") if "log-likelihood" in block and block.startswith("  ")]
    for line in tables[0].splitlines()[1:-2]:  # draws differ between machines in their last digits: point fits do not
        assert line[:58] in printed
    of_points = [table for table in tables if "NUTS" not in table.splitlines()[0]]
    assert of_points
    of_tests = [part for block in blocks("") if "profile" in block for part in block.split("\n\n")]
    for table in [*of_points, *of_tests]:
        assert table in printed


def test_the_package_alone_says_its_version_and_the_citation_repeats_it() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    cited = re.search(r"^version: (.+)$", (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert cited is not None
    assert "version" in project["project"]["dynamic"] and "version" not in project["project"]
    assert project["tool"]["hatch"]["version"] == {"path": "bayesmixed/__init__.py"}
    assert bm.__version__ == cited.group(1)
