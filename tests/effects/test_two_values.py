"""A number that has two values is those two values: compared with one another, averaged over, never held between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

SAME = 1e-9  # one arithmetic, written twice
CODINGS = [(0, 1), (1, 2), (-0.5, 0.5)]


def trial(low: float, high: float) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = 800
    second = rng.random(n) < 0.15  # so that the 5th and 95th percentile are not the two values
    d = pd.DataFrame({"x": rng.normal(size=n), "arm": rng.choice(["p", "q"], n), "g": np.repeat(np.arange(20), 40)})
    eta = -0.6 + 0.9 * second + 0.7 * d["x"] - 0.4 * d["x"] * second + 0.3 * rng.normal(size=20)[d["g"]]
    d["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    return d.assign(t=np.where(second, high, low), f=np.where(second, "b", "a"))


@pytest.fixture(scope="module", params=CODINGS, ids=str)
def pair(request: Any) -> tuple[Any, Any, tuple[float, float]]:
    """One model with the column as numbers and as a factor."""
    d = trial(*request.param)
    formula = "y ~ x * {} + arm + (1 | g)"
    fits = [bm.Model(formula.format(name), d, family="bernoulli").fit("ml") for name in ("t", "f")]
    return (*fits, request.param)


def test_the_larger_is_compared_with_the_smaller(pair: tuple):
    """Not value + 1 with value, from the mean on."""
    number, factor, (low, high) = pair
    for options in ({}, {"newdata": "data", "average": True}, {"kind": "population"}, {"comparison": "ratio"}):
        mine, theirs = bm.comparisons(number, "t", **options).frame, bm.comparisons(factor, "f", **options).frame
        np.testing.assert_allclose(mine["estimate"], theirs["estimate"], rtol=1e-4)
        sign = "/" if "comparison" in options else "-"
        assert set(mine["contrast"]) == {f"{high:g} {sign} {low:g}"}
    # by hand: the difference of the two probabilities at the mean of x, in arm p
    beta, x = number.fixef(), number.model.frame["x"].mean()
    eta = [beta["Intercept"] + beta["x"] * x + (beta["t"] + beta["x:t"] * x) * t for t in (low, high)]
    p = 1 / (1 + np.exp(-np.array(eta)))
    assert bm.comparisons(number, "t").frame["estimate"].iloc[0] == pytest.approx(p[1] - p[0], rel=SAME)


def test_a_step_is_a_step_where_it_is_asked_for(pair: tuple):
    number, _, _ = pair
    assert set(bm.comparisons(number, {"t": 0.5}).frame["contrast"]) == {"+0.5"}
    assert set(bm.comparisons(number, {"t": "pairwise"}).frame["contrast"]) == set(
        bm.comparisons(number, "t").frame["contrast"]
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit, name: bm.slopes(fit, "x", by=name),
        lambda fit, name: bm.slopes(fit, "x", at={name: None}),
        lambda fit, name: bm.predictions(fit, name),
        lambda fit, name: bm.predictions(fit, {"x": [0, 1]}),
        lambda fit, name: bm.predictions(fit, {"x": [0, 1]}, average=True),
        lambda fit, name: bm.predictions(fit, name, newdata="data", average=True),
        lambda fit, name: bm.emmeans(fit, "arm"),
        lambda fit, name: bm.emmeans(fit, name),
        lambda fit, name: bm.emmeans(fit, "arm", weights="proportional", at={"x": 1}),
        lambda fit, name: bm.emmeans(fit, name).contrast(),
        lambda fit, name: bm.comparisons(fit, "arm", at={name: None}),
        lambda fit, name: bm.inverse_predict(fit, 0.4, "x"),
        lambda fit, name: bm.inverse_predict(fit, 0.4, "x", by=name),
    ],
)
def test_every_effect_treats_it_as_the_factor_of_its_values(pair: tuple, ask: Any):
    number, factor, _ = pair
    mine, theirs = ask(number, "t").frame, ask(factor, "f").frame
    assert len(mine) == len(theirs)
    pd.testing.assert_series_equal(mine["estimate"], theirs["estimate"], rtol=1e-4, atol=1e-5)
    pd.testing.assert_series_equal(mine["se"], theirs["se"], rtol=1e-3)


def test_nothing_is_said_to_be_held_between_them(pair: tuple):
    number, _, _ = pair
    for made in (bm.emmeans(number, "arm"), bm.comparisons(number, "t"), bm.emmeans(number, "t")):
        assert "t = " not in str(made) and "percentile" not in str(made)


def test_its_slope_is_taken_at_its_mean(pair: tuple):
    number, _, _ = pair
    assert f"t = {number.model.frame['t'].mean():.4g}" in str(bm.slopes(number, "t"))


@pytest.mark.parametrize("dtype", ["Int64", "int8", "float32", bool])
def test_numbers_of_any_type(dtype: Any):
    d = trial(0, 1)
    typed = d.assign(t=d["t"].astype(dtype))
    found = bm.comparisons(bm.Model("y ~ x + t + (1 | g)", typed, family="bernoulli").fit("ml"), "t")
    plain = bm.comparisons(bm.Model("y ~ x + t + (1 | g)", d, family="bernoulli").fit("ml"), "t")
    np.testing.assert_allclose(found.frame["estimate"], plain.frame["estimate"], rtol=1e-4)


def test_a_number_that_only_offsets_read_stays_an_exposure():
    rng = np.random.default_rng(5)
    d = pd.DataFrame({"x": rng.normal(size=200), "hours": rng.choice([1.0, 8.0], 200), "g": np.repeat(range(10), 20)})
    d["y"] = rng.poisson(d["hours"] * np.exp(0.2 * d["x"]))
    fit = bm.Model("y ~ x + offset(log(hours)) + (1 | g)", d, family="poisson").fit("ml")
    assert len(bm.predictions(fit, {"x": [0, 1]}).frame) == 2


def test_three_values_are_a_scale():
    d = trial(0, 1).assign(t=lambda d: np.arange(len(d)) % 3)
    fit = bm.Model("y ~ x + t + (1 | g)", d, family="bernoulli").fit("ml")
    assert bm.comparisons(fit, "t").frame["contrast"].tolist() == ["+1"]
    assert "t = " in str(bm.emmeans(fit, "x"))
