"""``bayesmixed fit``: the numbers of the Python interface, printed, saved, reported, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

from .typed import FORMULA, Shell

NUTS = ("--draws", 100, "--chains", 2, "--tune", 100, "--seed", 3)
CBPP = "prop(incidence, size) ~ period + (1 | herd)"


def reml() -> Any:
    return bm.Model(FORMULA, bm.load_data("sleepstudy")).fit("reml")


def nuts() -> Any:
    return bm.Model(FORMULA, bm.load_data("sleepstudy")).fit(bm.NUTS(draws=100, chains=2, tune=100), seed=3)


def agrees(found: dict[str, Any], fit: Any) -> None:
    """JSON has the fit's numbers to the last digit, NaN as null."""
    coefficients = pd.DataFrame(found["coefficients"]).set_index("name").astype(float)
    pd.testing.assert_frame_equal(
        coefficients, pd.DataFrame(fit.coefficients), check_exact=True, check_names=False, check_dtype=False
    )
    for row, (_, expected) in zip(found["varcorr"], fit.varcorr().iterrows(), strict=True):
        assert [row["group"], row["name"], row["sd"]] == list(expected[["group", "name", "sd"]])
        assert row["correlations"] == expected.iloc[3:].dropna().to_dict()
    for factor, effects in fit.ranef().items():
        table = pd.DataFrame(found["ranef"][factor]).set_index("level")
        assert np.array_equal(table.to_numpy(), effects.to_numpy()) and list(table.index) == list(effects.index)
    assert found["status"]["problems"] == list(fit.status.problems)


def test_a_fit_prints_what_its_summary_prints(shell: Shell) -> None:
    assert shell("fit", FORMULA, "sleepstudy", "--method", "reml").out == f"{reml().summary()}\n"


def test_several_methods_are_printed_side_by_side_as_well(shell: Shell) -> None:
    answer = shell("fit", FORMULA, "sleepstudy", "--method", "reml", "--method", "nuts", *NUTS)
    fits = reml(), nuts()
    assert answer.out == "\n\n".join([*(str(fit.summary()) for fit in fits), str(bm.side_by_side(*fits))]) + "\n"
    assert answer.code == 0


def test_json_has_every_number_of_the_fits(shell: Shell) -> None:
    found = shell("fit", FORMULA, "sleepstudy", "-m", "reml", "-m", "nuts", *NUTS, "--json").json
    assert (found["formula"], found["family"], found["rows"], found["groups"]) == (
        [FORMULA],
        "gaussian",
        180,
        {"Subject": 18},
    )
    point, draws = found["fits"]
    agrees(point, reml())
    agrees(draws, nuts())
    fit = reml()
    for name in ("loglik", "deviance", "aic", "bic", "n_parameters"):
        assert point[name] == getattr(fit, name)
    assert point["theta"] == fit.theta.tolist()
    assert draws["seed"] == 3 and draws["method"] == "nuts" and "loglik" not in draws
    assert point["dispersion"]["sigma"] == fit.sigma


def test_options_reach_the_methods_that_have_them(shell: Shell) -> None:
    arguments = ("--family", "binomial", "--method", "ml", "--method", "laplace", "--quadrature", 5, "--draws", 50)
    point, draws = shell("fit", CBPP, "cbpp", *arguments, "--seed", 1, "--json").json["fits"]
    model = bm.Model(CBPP, bm.load_data("cbpp"), family="binomial")
    agrees(point, model.fit(bm.ML(quadrature=5)))
    agrees(draws, model.fit(bm.Laplace(draws=50), seed=1))
    assert point["label"] == "ML, 5 nodes"


def test_the_options_of_a_model_are_those_of_model(shell: Shell, tmp_path: Path) -> None:
    rng = np.random.default_rng(20240601)
    table = pd.DataFrame(
        {"f": np.tile(["a", "b", "c"], 20), "g": np.repeat(np.arange(10), 6), "e": np.exp(rng.normal(size=60))}
    )
    table["w"], table["y"] = rng.integers(1, 4, 60), rng.poisson(3 * table["e"]) + rng.poisson(1, 60)
    table.loc[7, "y"] = np.nan
    table.to_csv("own.csv", index=False)
    found = shell(
        "fit", "y ~ f + (1 | g)", "own.csv", "--method", "map", "--family", "poisson", "--link", "log",
        "--weights", "w", "--offset", "log(e)", "--contrasts", "f=treatment:b", "--json",
    ).json  # fmt: skip
    model = bm.Model(
        "y ~ f + (1 | g)", pd.read_csv("own.csv"), family="poisson", link="log", weights="w", offset="log(e)",
        contrasts={"f": ("treatment", "b")},
    )  # fmt: skip
    agrees(found["fits"][0], model.fit("map"))
    assert found["dropped"] == 1 and found["rows"] == 59
    assert [row["name"] for row in found["fits"][0]["coefficients"]] == ["Intercept", "f[a]", "f[c]"]
    refused = shell("fit", "y ~ f + (1 | g)", "own.csv", "--method", "ml", "--missing", "error")
    assert "y" in refused.mistake


def test_constants_priors_and_further_formulas(shell: Shell) -> None:
    held = shell("fit", FORMULA, "sleepstudy", "--method", "ml", "--constant", "sigma=30", "--json").json
    assert held["constants"] == {"sigma": 30.0} and held["fits"][0]["dispersion"] == {"sigma": 30.0}
    other = shell("fit", FORMULA, "sleepstudy", "--and", "sigma ~ Days", "--method", "ml", "--json").json
    fit = bm.Model(bm.Formula(FORMULA, "sigma ~ Days"), bm.load_data("sleepstudy")).fit("ml")
    agrees(other["fits"][0], fit)
    arguments = ("--method", "laplace", "--draws", 50, "--seed", 1)
    flat = shell("fit", FORMULA, "sleepstudy", *arguments, "--priors", "brms", "--json").json
    agrees(
        flat["fits"][0], bm.Model(FORMULA, bm.load_data("sleepstudy"), priors="brms").fit(bm.Laplace(draws=50), seed=1)
    )


def test_a_drawn_seed_is_told_and_repeats_the_draws(shell: Shell) -> None:
    first = shell("fit", FORMULA, "sleepstudy", "--method", "laplace", "--draws", 20, "--json")
    seed = first.json["fits"][0]["seed"]
    assert f"--seed {seed}" in first.err
    again = shell("fit", FORMULA, "sleepstudy", "--method", "laplace", "--draws", 20, "--json", "--seed", seed)
    assert again.json == first.json and again.err == ""


def test_files_have_the_methods_in_their_names_where_there_are_several(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    answer = shell(
        "fit", FORMULA, "sleepstudy", "--method", "ml", "--method", "reml", "--save", "fit.nc", "--report", "page.html"
    )
    names = ["fit-ml.nc", "fit-reml.nc", "page-ml.html", "page-reml.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert sorted(line.removeprefix("Wrote ") for line in answer.err.splitlines()) == names
    assert bm.load("fit-reml.nc").loglik == reml().loglik
    assert "<html" in (tmp_path / "page-ml.html").read_text(encoding="utf-8")


def test_one_method_keeps_the_name_and_an_end_is_added(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert shell("fit", FORMULA, "sleepstudy", "-m", "ml", "--save", "fit", "--report", "page").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.nc", "page.html"]


def test_a_diagnosis_is_that_of_python(shell: Shell) -> None:
    arguments = ("fit", "Yield ~ 1 + (1 | Batch)", "Dyestuff2", "--method", "ml", "--diagnose")
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    expected = bm.diagnose(fit)
    assert shell(*arguments).out == f"{fit.summary()}\n\n{expected}\n"
    found = shell(*arguments, "--json").json["fits"][0]["diagnosis"]
    assert [row["what"] for row in found["findings"]] == list(expected.table["what"])
    assert found["clean"] is False and found["simpler"]["same"] == "Yield ~ 1"


def test_warnings_are_one_line_each(shell: Shell) -> None:
    table = bm.load_data("sleepstudy").assign(Twice=lambda t: 2 * t["Days"])
    table.to_csv("own.csv", index=False)
    answer = shell("fit", "Reaction ~ Days + Twice + (1 | Subject)", "own.csv", "--method", "ml")
    lines = answer.err.splitlines()
    assert answer.code == 0 and len(lines) == 1 and lines[0].startswith("Warning: ") and "Twice" in lines[0]
