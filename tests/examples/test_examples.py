"""The scripts of examples/ run by themselves, say what they do, and end in a picture."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUICK = ("own_data", "predictive_check", "thresholds")  # the others compile programs for NUTS
SLOW = ("bayes_beside_ml", "quickstart", "regularised")
INSTALLED = {"__future__", "pathlib", "sys", "bayesmixed", "matplotlib", "pandas"}  # by the wheel with its extra
PNG = b"\x89PNG"


def run(name: str, folder: Path, *arguments: str) -> str:
    """What the script prints, run from an empty folder."""
    environment = os.environ | {"MPLBACKEND": "Agg", "COLUMNS": "102"}
    command = [sys.executable, "-W", "error::FutureWarning", str(EXAMPLES / f"{name}.py"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(printed: str, folder: Path) -> list[Path]:
    """The files that the script says it wrote."""
    return [folder / found for found in re.findall(r"[\w.-]+\.(?:png|html)", "".join(printed.split("Wrote")[1:]))]


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_an_example_runs_and_ends_in_a_picture(name: str, tmp_path: Path) -> None:
    printed = run(name, tmp_path)
    files = written(printed, tmp_path)
    pictures = [path for path in files if path.suffix == ".png"]
    assert pictures and all(path.read_bytes().startswith(PNG) for path in pictures)
    assert all(path.stat().st_size > 5_000 for path in files)


def test_a_table_and_a_formula_of_ones_own_are_given_on_the_command_line(tmp_path: Path) -> None:
    table = pd.DataFrame({"y": [1.0, 2.5, 3.0, 4.5, 2.0, 3.5, 5.0, 5.5], "g": list("aabbccdd")})
    table.to_csv(tmp_path / "mine.csv", index=False)
    printed = run("own_data", tmp_path, "mine.csv", "y ~ 1 + (1 | g)")
    assert "mine.csv: 8 rows, columns y, g" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv", "own_data.png", "own_data.html"}


def test_every_example_is_run_and_listed() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {*QUICK, *SLOW}
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert names == set(re.findall(r"\]\((\w+)\.py\)", index))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_needs_nothing_but_what_is_installed(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} <= INSTALLED
