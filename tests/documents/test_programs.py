"""The pages that compare four programs show what this one prints, and outputs of the others with their versions."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import bayesmixed as bm

FROM = Path(__file__).resolve().parents[2] / "docs" / "from"
PROGRAMS = FROM / "programs"
ANALYSES = ["sleepstudy", "cbpp", "singular"]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
DRAWN = 0.1  # of the size of a number or of 1: draws differ between machines, by less than this with a fixed seed


def output_of(script: Path) -> str:
    """What is kept of a script's output, without the line of versions."""
    return script.with_suffix(".txt").read_text(encoding="utf-8").split("\n\n", 1)[1]


def printed(script: Path, capsys: pytest.CaptureFixture[str]) -> str:
    exec(compile(script.read_text(encoding="utf-8"), str(script), "exec"), {})
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("analysis", ANALYSES)
def test_point_fits_print_what_the_page_shows(
    analysis: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "102")
    script = PROGRAMS / analysis / "in_bayesmixed.py"
    assert printed(script, capsys) == output_of(script)


@pytest.mark.slow
@pytest.mark.parametrize("analysis", ANALYSES)
def test_draws_print_the_words_that_the_page_shows_and_numbers_near_its_own(
    analysis: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "102")
    script = PROGRAMS / analysis / "in_bayesmixed_nuts.py"
    now, kept = printed(script, capsys).splitlines(), output_of(script).splitlines()
    assert [NUMBER.sub("", line).split() for line in now] == [NUMBER.sub("", line).split() for line in kept]
    table = slice(0, [line.startswith(("The random", "Every coef")) for line in kept].index(True))
    for ours, shown in zip(now[table], kept[table], strict=True):
        estimates = [np.array(NUMBER.findall(line), float)[:2] for line in (ours, shown)]
        assert np.allclose(*estimates, rtol=DRAWN, atol=DRAWN), f"{ours}\n{shown}"


@pytest.mark.parametrize("analysis", ANALYSES)
def test_a_page_shows_every_script_and_every_output(analysis: str) -> None:
    page = (FROM / f"{analysis}.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\{literalinclude\} (\S+)", page))
    assert shown == {path.relative_to(FROM).as_posix() for path in (PROGRAMS / analysis).glob("in_*")}


@pytest.mark.parametrize(
    "path", sorted(PROGRAMS.glob("*/in_*.txt")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_the_first_line_of_an_output_names_versions(path: Path) -> None:
    name = path.stem.removeprefix("in_").removesuffix("_nuts")
    first, rest = path.read_text(encoding="utf-8").split("\n\n", 1)
    assert re.match(rf"{name} \d+\.\d+", first) and ("R version" in first or "Python" in first)
    assert "Traceback" not in rest and "Error" not in rest.replace("Std. Error", "").replace("Est.Error", "")


@pytest.mark.parametrize(("analysis", "method"), [("sleepstudy", "reml"), ("singular", "reml"), ("cbpp", "ml")])
def test_glmmtmb_printed_the_coefficients_that_we_have(analysis: str, method: str) -> None:
    formula, table, family = {
        "sleepstudy": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "gaussian"),
        "singular": ("yield ~ nitro + Variety + (nitro | Block) + (1 | Block:Variety)", "Oats", "gaussian"),
        "cbpp": ("cbind(incidence, size - incidence) ~ period + (1 | herd)", "cbpp", "binomial"),
    }[analysis]
    fit = bm.Model(formula, bm.load_data(table), family=family).fit(method)
    after = output_of(PROGRAMS / analysis / "in_glmmTMB.R").split("Std. Error z value", 1)[1].splitlines()[1:]
    theirs = [float(line.split()[1]) for line in after[: len(fit.fixef())]]
    assert np.allclose(fit.fixef(), theirs, rtol=1e-4, atol=6e-4)


def test_the_runner_knows_every_script() -> None:
    sys.path.insert(0, str(PROGRAMS))
    try:
        import run
    finally:
        sys.path.remove(str(PROGRAMS))
    assert {path.parent.name for path in run.scripts([])} == set(ANALYSES)
    assert len(list(run.scripts([]))) == len(list(PROGRAMS.glob("*/in_*.txt")))
