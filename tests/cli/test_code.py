"""``bayesmixed code``: the script that Python writes."""

from __future__ import annotations

from pathlib import Path

import bayesmixed as bm

from .typed import FORMULA, Shell


def test_the_script_is_that_of_the_model(shell: Shell, tmp_path: Path) -> None:
    model = bm.Model(FORMULA, bm.load_data("sleepstudy"), priors="brms")
    arguments = ("code", FORMULA, "sleepstudy", "--priors", "brms")
    assert shell(*arguments).out.strip() == str(model.code()).strip()
    assert shell(*arguments, "--json").json["code"] == str(model.code())
    answer = shell(*arguments, "--out", "sleep.py")
    assert answer.out == "" and answer.err == "Wrote sleep.py and sleep.npz\n"
    (tmp_path / "python").mkdir()
    model.code(tmp_path / "python" / "sleep.py")
    written = [path.read_text(encoding="utf-8") for path in (tmp_path / "sleep.py", tmp_path / "python" / "sleep.py")]
    assert written[0] == written[1] and (tmp_path / "sleep.npz").is_file()


def test_the_script_of_a_saved_fit_is_that_of_its_model(shell: Shell, saved: str) -> None:
    assert shell("code", saved).out.strip() == str(bm.load(saved).model.code()).strip()


def test_a_formula_needs_a_table(shell: Shell) -> None:
    assert "code FORMULA TABLE" in shell("code", FORMULA).mistake
