"""One row where rows would repeat, what is said of other values, steps, and names as tables print them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

ALGEBRA = 1e-9


def growth() -> pd.DataFrame:
    """Forty chicks of four diets, numbered, weighed on ten days; the sex of each."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"Chick": np.repeat(np.arange(40), 10), "Time": np.tile(np.arange(0.0, 20.0, 2.0), 40)})
    table["Diet"], table["sex"] = 1 + table["Chick"] // 10, np.where(table["Chick"] % 2, "f", "m")
    slope = 8 + table["Diet"] + rng.normal(size=40)[table["Chick"]]
    table["weight"] = 40 + slope * table["Time"] + 5 * rng.normal(size=len(table))
    return table.assign(heavy=(table["weight"] > 120).astype(int))


@pytest.fixture(scope="module")
def additive() -> Any:
    return bm.Model("weight ~ Time + factor(Diet) + sex + (1 | Chick)", growth()).fit("reml")


@pytest.fixture(scope="module")
def crossed() -> Any:
    return bm.Model("weight ~ Time * factor(Diet) + sex + (1 | Chick)", growth()).fit("reml")


def test_an_additive_effect_is_one_row(additive: Any) -> None:
    found = bm.comparisons(additive, "Time")
    row = found.frame.loc[0]
    assert len(found.frame) == 1 and not {"Diet", "sex"} & set(found.frame)
    assert row[["estimate", "se"]].to_numpy() == pytest.approx(
        additive.coefficients.loc["Time", ["estimate", "se"]].to_numpy(float), rel=ALGEBRA
    )
    assert "The same for every Diet and sex: one row." in str(found)
    slope = bm.slopes(additive, "Time")
    assert len(slope.frame) == 1 and slope.frame["estimate"][0] == pytest.approx(row["estimate"], rel=ALGEBRA)


def test_a_factor_has_one_row_per_contrast(additive: Any) -> None:
    found = bm.comparisons(additive, "Diet")
    assert list(found.frame["contrast"]) == ["2 - 1", "3 - 1", "4 - 1"] and "sex" not in found.frame
    np.testing.assert_allclose(found.frame["estimate"], additive.fixef().iloc[2:5], rtol=ALGEBRA)


def test_only_what_the_effect_depends_on_stays(crossed: Any) -> None:
    found = bm.comparisons(crossed, "Time")
    assert list(found.frame["Diet"]) == [1, 2, 3, 4] and "sex" not in found.frame
    assert "The same for every sex: one row." in str(found)
    assert len(bm.comparisons(crossed, "sex").frame) == 1


def test_what_was_asked_for_stays(additive: Any) -> None:
    assert len(bm.comparisons(additive, "Time", at={"Diet": [1, 2]}).frame) == 2
    assert len(bm.comparisons(additive, "Time", by="Diet").frame) == 4
    assert len(bm.slopes(additive, "Time", newdata="data").frame) == 400


def test_draws_repeat_as_estimates_do(additive: Any) -> None:
    draws = additive.model.fit(bm.Laplace(draws=100), seed=1)
    found = bm.comparisons(draws, "Time").frame
    assert len(found) == 1 and found["estimate"][0] == pytest.approx(draws.fixef()["Time"], rel=ALGEBRA)


def test_ratios_and_links_repeat_where_their_scale_is_additive() -> None:
    fit = bm.Model("heavy ~ Time + sex + (1 | Chick)", growth(), family="bernoulli").fit(bm.ML(quadrature=0))
    assert len(bm.comparisons(fit, "Time", scale="link").frame) == 1
    odds = bm.comparisons(fit, "Time", comparison="odds_ratio").frame
    assert odds["estimate"].tolist() == pytest.approx([np.exp(fit.fixef()["Time"])], rel=1e-6)
    chances = bm.comparisons(fit, "Time")  # probabilities bend
    assert len(chances.frame) == 2 and "other values of Time give other differences: at=" in str(chances)


def test_other_values_and_levels_are_spoken_of_as_under_means(crossed: Any) -> None:
    diets = bm.comparisons(crossed, "Diet")
    assert "Held at the mean: Time = 9." in str(diets)
    assert "Note: other values of Time give other differences: at=." in str(diets)
    over = bm.comparisons(crossed, "Time", average=True)
    assert "Averaged over Diet, sex (equal weights)." in str(over)
    assert "Note: these differences differ between the levels of Diet." in str(over)
    assert "other values" not in str(over)  # a line in Time
    slopes = bm.slopes(crossed, "Time", average=True)
    assert "Note: these slopes differ between the levels of Diet." in str(slopes)
    assert "Note" not in str(bm.slopes(crossed, "Time", by="Diet"))


def test_a_curve_has_other_slopes_elsewhere() -> None:
    fit = bm.Model("weight ~ poly(Time, 2) + (1 | Chick)", growth()).fit("reml")
    assert "Note: other values of Time give other slopes: at=." in str(bm.slopes(fit, "Time"))
    assert "Note" not in str(bm.slopes(fit, "Time", at={"Time": [0, 9]}))


@pytest.mark.parametrize("term", ["I(Time > 7)", "I(floor(Time / 6))", "factor(Diet) + I(Time > 7):factor(Diet)"])
def test_a_number_that_enters_by_a_step_says_so(term: str) -> None:
    fit = bm.Model(f"weight ~ {term} + (1 | Chick)", growth()).fit("reml")
    for page in (str(bm.slopes(fit, "Time")), str(bm.comparisons(fit, "Time"))):
        assert "Note: Time enters only by a step, " in page and "I(" in page
        assert '{"Time": (0, 18)}' in " ".join(page.split())
    assert "step" not in str(bm.comparisons(fit, {"Time": (0, 18)}))


@pytest.mark.parametrize(
    "term", ["Time + I(Time > 7)", "I((Time - 7) * (Time > 7))", "log(Time + 1)", "bs(Time, df = 5)"]
)
def test_what_has_slopes_is_no_step(term: str) -> None:
    fit = bm.Model(f"weight ~ {term} + (1 | Chick)", growth()).fit("reml")
    assert "step" not in str(bm.slopes(fit, "Time")) and "step" not in str(bm.comparisons(fit, "Time"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit, name: bm.emmeans(fit, name),
        lambda fit, name: bm.emmeans(fit, f"{name} * sex"),
        lambda fit, name: bm.emmeans(fit, f"sex | {name}"),
        lambda fit, name: bm.emmeans(fit, "sex", by=name),
        lambda fit, name: bm.emmeans(fit, "sex", at={name: [2]}),
        lambda fit, name: bm.comparisons(fit, name),
        lambda fit, name: bm.comparisons(fit, {name: "pairwise"}),
        lambda fit, name: bm.slopes(fit, "Time", by=name),
        lambda fit, name: bm.predictions(fit, {name: [1, 2]}),
        lambda fit, name: bm.inverse_predict(fit, 100.0, "Time", by=name),
    ],
)
def test_a_factor_may_be_called_as_tables_print_it(ask: Any, crossed: Any) -> None:
    for name in ("factor(Diet)", "factor( Diet )"):
        pd.testing.assert_frame_equal(ask(crossed, name).frame, ask(crossed, "Diet").frame)


def test_a_term_that_is_no_factor_is_answered_with_its_column() -> None:
    fit = bm.Model("weight ~ log(Time + 1) + C(sex, contr.sum) + (1 | Chick)", growth()).fit("reml")
    assert list(bm.emmeans(fit, "C(sex, contr.sum)").frame["sex"]) == ["f", "m"]
    with pytest.raises(bm.errors.FitError, match=re.escape("'log(Time + 1)' is made of 'Time' in the formula")):
        bm.comparisons(fit, "log(Time + 1)")
