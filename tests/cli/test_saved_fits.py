"""``summary``, ``diagnose``, ``report`` and ``simulate`` of a saved fit."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

from .typed import FORMULA, Shell


def test_a_summary_is_that_of_the_fit(shell: Shell, saved: str) -> None:
    fit = bm.load(saved)
    assert shell("summary", saved).out == f"{fit.summary()}\n"
    assert shell("summary", "fit").out == f"{fit.summary()}\n", "without its end, as bm.load"
    assert shell("summary", saved, "--ddf", "satterthwaite").out == f"{fit.summary(ddf='satterthwaite')}\n"
    found = shell("summary", saved, "--json").json["fits"][0]
    assert found["loglik"] == fit.loglik and found["rows"] == 180 and found["formula"] == [FORMULA]


def test_several_fits_stand_side_by_side(shell: Shell, saved: str) -> None:
    shell("fit", FORMULA, "sleepstudy", "--method", "ml", "--save", "ml.nc")
    answer = shell("summary", "ml.nc", saved)
    assert answer.out.endswith(str(bm.side_by_side(bm.load("ml.nc"), bm.load(saved))) + "\n")
    assert [fit["method"] for fit in shell("summary", "ml.nc", saved, "--json").json["fits"]] == ["ml", "reml"]


def test_side_by_side_is_that_of_python_in_every_form(shell: Shell, saved: str) -> None:
    shell("fit", FORMULA, "sleepstudy", "--method", "ml", "--save", "ml.nc")
    arguments = ("side-by-side", "ml.nc", saved)
    expected = bm.side_by_side(bm.load("ml.nc"), bm.load(saved))
    assert shell(*arguments).out == f"{expected}\n"
    assert shell(*arguments, "--format", "html").out.strip() == expected.to_html().strip()
    pytest.importorskip("jinja2")
    pytest.importorskip("tabulate")
    assert shell(*arguments, "--format", "latex").out.strip() == expected.to_latex().strip()
    assert shell(*arguments, "--format", "markdown").out.strip() == expected.to_markdown().strip()
    named = bm.side_by_side(bm.load("ml.nc"), bm.load(saved), labels=["one", "two"], level=0.9)
    assert shell(*arguments, "--label", "one", "--label", "two", "--level", 0.9).out == f"{named}\n"
    found = shell(*arguments, "--json").json
    assert found["fits"] == ["ML", "REML"] and found["rows"] == {"ML": 180, "REML": 180}
    for row, (name, values) in zip(found["parameters"], expected.iterrows(), strict=True):
        assert row["name"] == name
        numbers = [row[label][column] for label in ("ML", "REML") for column in ("estimate", "se")]
        assert numbers == [None if value != value else value for value in values]


def test_a_summary_for_a_paper(shell: Shell, saved: str) -> None:
    pytest.importorskip("jinja2")
    assert shell("summary", saved, "--format", "latex").out.strip() == bm.load(saved).summary().to_latex().strip()


def test_a_diagnosis_is_that_of_the_fit(shell: Shell, saved: str) -> None:
    assert shell("diagnose", saved).out == f"{bm.diagnose(bm.load(saved))}\n"
    found = shell("diagnose", saved, "--no-refit", "--json").json
    assert found["clean"] is True and found["method"] == "reml" and found["findings"] == []


def test_a_report_has_the_sentences_of_python(shell: Shell, saved: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    expected = bm.report(bm.load(saved))
    assert shell("report", saved).out.split() == str(expected).split()
    assert shell("report", saved, "--json").json["report"]["estimates"] == expected.estimates
    answer = shell("report", saved, "--html", "page.html")
    assert answer.err == "Wrote page.html\n" and "<html" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_to_cite_is_written_as_bibtex(shell: Shell, saved: str, tmp_path: Path) -> None:
    assert shell("report", saved, "--bib", "fit.bib").err == "Wrote fit.bib\n"
    assert (tmp_path / "fit.bib").read_text(encoding="utf-8") == f"{bm.cite(bm.load(saved))}\n"


def test_lines_are_as_wide_as_the_terminal(shell: Shell, saved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (60, 90):
        monkeypatch.setenv("COLUMNS", str(width))
        widest = max(map(len, shell("report", saved).out.splitlines()))
        assert width - 15 < widest <= width


def test_replicates_of_a_fit_are_those_of_its_simulate(shell: Shell, saved: str) -> None:
    fit = bm.load(saved)
    found = pd.read_csv(StringIO(shell("simulate", saved, "--seed", 2, "-n", 3).out))
    assert list(found.columns) == ["Reaction", "Days", "Subject", "replicate"] and len(found) == 540
    assert np.allclose(found["Reaction"], fit.simulate(3, seed=2).ravel(), rtol=1e-15)
    held = shell("simulate", saved, "--seed", 2, "--re", "none", "--json").json
    assert held["values"] == fit.simulate(1, seed=2, re="none").tolist() and held["response"] == "Reaction"


def test_responses_from_stated_parameters_are_those_of_simulate(shell: Shell, tmp_path: Path) -> None:
    stated = {
        "Intercept": 250,
        "Days": 10,
        "1|Subject_sigma": 25,
        "Days|Subject_sigma": 6,
        "Subject_corr": 0.1,
        "sigma": 25,
    }
    settings = [word for name, value in stated.items() for word in ("--set", f"{name}={value}")]
    expected = bm.simulate(FORMULA, bm.load_data("sleepstudy"), stated, seed=1)[0]
    answer = shell("simulate", FORMULA, "sleepstudy", *settings, "--seed", 1, "--out", "new.csv")
    assert answer.err == "Wrote new.csv\n" and np.allclose(pd.read_csv("new.csv")["Reaction"], expected, rtol=1e-15)
    (tmp_path / "params.json").write_text(pd.Series(stated).to_json(), encoding="utf-8")
    again = shell("simulate", FORMULA, "sleepstudy", "--params", "params.json", "--seed", 1, "--json")
    assert again.json["values"] == [expected.tolist()]


def test_successes_stand_in_a_column_of_their_own(shell: Shell) -> None:
    settings = ("--set", "Intercept=-1", "--set", "period=-1,-1,-2", "--set", "1|herd_sigma=0.6")
    formula = "prop(incidence, size) ~ period + (1 | herd)"
    answer = shell("simulate", formula, "cbpp", "--family", "binomial", *settings, "--seed", 1)
    cbpp, found = bm.load_data("cbpp"), pd.read_csv(StringIO(answer.out))
    params = {"Intercept": -1, "period": [-1, -1, -2], "1|herd_sigma": 0.6}
    assert found["simulated"].tolist() == bm.simulate(formula, cbpp, params, family="binomial", seed=1)[0].tolist()
    assert found["incidence"].tolist() == cbpp["incidence"].tolist()


def test_missing_parameters_are_listed_as_they_are_typed(shell: Shell) -> None:
    message = shell("simulate", "Reaction ~ Days + (1 | Subject)", "sleepstudy", "--set", "Days=10").mistake
    assert "--set Intercept=0.0 --set Days=10" in message and '--set "1|Subject_sigma=1.0" --set sigma=1.0' in message
