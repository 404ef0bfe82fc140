"""Do the tutorials run, quickly and without a warning, and do they and the guides call only what exists?"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import bayesmixed as bm

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIALS = sorted(path for path in (DOCS / "tutorials").glob("*.py") if path.name != "build.py")
GUIDES = [DOCS / "from" / f"{program}.md" for program in ("bambi", "brms", "lme4")]
NAME = re.compile(r"\bbm\.((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)")
LARGEST = 120_000  # bytes of a picture, which every clone carries


def build() -> ModuleType:
    """The script that makes the pages."""
    for module in ("jupytext", "nbclient", "nbconvert", "ipykernel"):
        pytest.importorskip(module, reason="tutorials are run where the extra 'docs' is installed")
    specification = importlib.util.spec_from_file_location("tutorials_build", DOCS / "tutorials" / "build.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", [*TUTORIALS, *GUIDES], ids=lambda path: path.stem)
def test_every_public_name_that_a_page_uses_exists(path: Path) -> None:
    for dotted in set(NAME.findall(path.read_text(encoding="utf-8"))):
        value: object = bm
        for part in dotted.split("."):
            assert hasattr(value, part), f"{path.name} uses bm.{dotted}"
            value = getattr(value, part)


@pytest.mark.parametrize("source", TUTORIALS, ids=lambda path: path.stem)
def test_a_page_and_its_pictures_are_kept_beside_their_source(source: Path) -> None:
    text = source.with_suffix(".md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    kept = {path.relative_to(source.parent).as_posix() for path in source.parent.glob(f"{source.stem}_pictures/*")}
    assert set(shown) == kept
    assert all((source.parent / name).stat().st_size <= LARGEST for name in kept)


@pytest.mark.parametrize("source", TUTORIALS, ids=lambda path: path.stem)
def test_a_page_has_the_code_of_its_source(source: Path) -> None:
    """Output that was kept belongs to the source as it is now."""
    cells = re.split(r"^# %%.*$", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    code = [cell.strip() for cell in cells if cell.strip() and not cell.strip().startswith("# ")]
    page = source.with_suffix(".md").read_text(encoding="utf-8")
    blocks = [block.strip() for block in re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)]
    assert blocks == code


@pytest.mark.parametrize("source", TUTORIALS, ids=lambda path: path.stem)
def test_the_index_names_every_tutorial(source: Path) -> None:
    assert f"({source.stem}.md)" in (DOCS / "tutorials" / "index.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("source", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_without_warnings_in_two_minutes(source: Path) -> None:
    script = build()
    page = script.run(source)  # raises at an error, a warning or too long a time
    kept = source.with_suffix(".md").read_text(encoding="utf-8")
    assert set(page.pictures) == set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", kept))


@pytest.mark.slow
@pytest.mark.parametrize("guide", [path for path in GUIDES if "lme4" not in path.stem], ids=lambda path: path.stem)
def test_every_call_that_a_guide_gives_runs(guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second column of its tables, after its first example; 'f' stands for a column as well as for a formula."""
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    text = guide.read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example is not None
    exec(compile(example[1], str(guide), "exec"), scope)
    scope |= {"new": pd.DataFrame({"Days": [1], "Subject": ["308"]}), "d": scope["sleep"]}
    scope |= {"f": "Reaction ~ Days + (1 | Subject)", "fit1": scope["fit"], "fit2": scope["fit"]}
    calls = [call for call in calls_in(text) if "..." not in call]
    assert len(calls) > 20
    for call in calls:
        eval(compile(call.replace('"f"', '"Days"'), f"{guide.name}: {call}", "eval"), scope)


def calls_in(text: str) -> list[str]:
    """What stands in backticks in the second column of a guide's tables and is a whole call."""
    rows = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.startswith("| `")]
    found = [code.replace(r"\|", "|") for cells in rows for code in re.findall(r"`([^`]+)`", cells[2])]
    return [code for code in found if code.startswith(("fit.", "model.", "bm.", "print(", "(fit")) and "(" in code]


def test_a_source_that_warns_gives_no_page(tmp_path: Path) -> None:
    script = build()
    source = tmp_path / "warns.py"
    source.write_text('# %%\nimport warnings\n\nwarnings.warn("not like this")\n', encoding="utf-8")
    with pytest.raises(script.TutorialFault, match="not like this"):
        script.run(source)


def test_a_source_that_fails_gives_no_page_and_names_the_cell(tmp_path: Path) -> None:
    script = build()
    source = tmp_path / "fails.py"
    source.write_text("# %%\nfirst = 1\n\n# %%\nsecond = first / 0\n", encoding="utf-8")
    with pytest.raises(script.TutorialFault, match="ZeroDivisionError(.|\n)*second = first / 0"):
        script.run(source)


def test_every_picture_of_a_notebook_is_shown_and_not_the_first_alone(tmp_path: Path) -> None:
    """A drawing that restored matplotlib's "interactive" would hide those after it."""
    script = build()
    source = tmp_path / "draws.py"
    fit = 'fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")'
    drawn = "bm.plot.caterpillar(fit);"
    kept = "bm.plot.caterpillar(fit)"  # the value of a cell, which the end of the cell must not show again
    cells = "\n\n# %%\n".join(["# %%\nimport bayesmixed as bm", fit, drawn, drawn, kept])
    source.write_text(f"{cells}\n", encoding="utf-8")
    page = script.run(source)
    assert len(page.pictures) == 3
