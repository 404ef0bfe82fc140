"""Predictive checks: replicates have the moments of the model, p-values are uniform under it, failures are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import bayesmixed as bm
from bayesmixed.checks.predictive import replicated as replicated_module
from bayesmixed.errors import FitError

NORMAL = 4.5  # standard errors; fixed seeds
SLEEP = bm.load_data("sleepstudy")


@pytest.fixture(scope="module")
def fit() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP).fit("ml")


@pytest.fixture(scope="module")
def draws() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP).fit("laplace", seed=1)


def first_two(y: np.ndarray) -> float:
    return y[0] + y[1]


def test_observed_statistics_are_those_of_the_response(fit: Any) -> None:
    y = SLEEP["Reaction"]
    frame = bm.pp_check(fit, ["mean", "sd", "min", "max", "median", "zeros", first_two], seed=1).frame
    expected = [y.mean(), y.std(), y.min(), y.max(), y.median(), 0.0, y.iloc[0] + y.iloc[1]]
    np.testing.assert_allclose(frame["observed"], expected)
    assert list(frame["statistic"])[-1] == "first_two" and frame["rows"].eq(180).all()


def test_replicates_of_a_point_fit_have_its_fitted_mean_and_sigma(fit: Any) -> None:
    check = bm.pp_check(fit, first_two, n=4000, seed=1)
    row, fitted = check.frame.iloc[0], fit.fitted()
    assert abs(row["mean"] - fitted[0] - fitted[1]) < NORMAL * row["sd"] / np.sqrt(4000)
    assert row["sd"] == pytest.approx(fit.sigma * np.sqrt(2), rel=NORMAL / np.sqrt(2 * 4000))
    values = check.replicates["value"]
    assert len(values) == 4000 and row["lower"] == pytest.approx(values.quantile(0.025))


def test_levels_drawn_anew_vary_more(fit: Any) -> None:
    """Of the first row, day 0: Var = sigma^2 + the variance of the intercepts."""
    first = bm.pp_check(fit, lambda y: y[0], n=4000, re="new", seed=1).frame.iloc[0]
    between = fit.varcorr()["sd"].iloc[0]
    assert first["sd"] == pytest.approx(np.hypot(fit.sigma, between), rel=NORMAL / np.sqrt(2 * 4000))


def test_of_draws_each_replicate_has_its_own_parameters(draws: Any) -> None:
    """The mean of all rows varies by the parameters' uncertainty beside the noise that a point fit has."""
    found = bm.pp_check(draws, "mean", n=1000, seed=1).frame.iloc[0]
    parameters = draws.predict_draws().mean("__obs__").to_numpy().std()
    noise = draws.sigma / np.sqrt(180)
    assert found["sd"] == pytest.approx(np.hypot(parameters, noise), rel=NORMAL / np.sqrt(2 * 1000))


def test_groups_are_statistics_of_their_rows(fit: Any) -> None:
    frame = bm.pp_check(fit, ["mean", "max"], by="Subject", n=50, seed=1).frame
    means = SLEEP.groupby("Subject", observed=True)["Reaction"].mean()
    found = frame[frame["statistic"] == "mean"].set_index("group")
    np.testing.assert_allclose(found["observed"], means.loc[found.index])
    assert frame["rows"].eq(10).all() and len(frame) == 36
    halves = pd.Series(np.arange(180) % 2, name="half")
    assert list(bm.pp_check(fit, "mean", by=halves, n=10, seed=1).frame["group"]) == [0, 1]
    assert bm.pp_check(fit, "mean", by="Days", n=10, seed=1).by == "Days"


def test_under_the_model_p_values_are_uniform() -> None:
    """Parameters as stated, levels drawn anew: the observed response is one replicate more."""
    table = pd.DataFrame({"g": np.repeat(np.arange(8), 5)})
    params = {"Intercept": 1.0, "1|g_sigma": 1.0, "sigma": 1.0}
    fit = bm.Model("y ~ (1 | g)", table.assign(y=bm.simulate("y ~ (1 | g)", table, params, seed=1)[0])).fit("ml")
    observed = fit.simulate(200, re="new", seed=2)
    replicates = bm.pp_check(fit, "max", n=400, re="new", seed=3).replicates["value"].to_numpy()
    p = [np.mean(replicates >= y.max()) for y in observed]
    assert kstest(p, "uniform").pvalue > 1e-3


def test_a_missing_slope_shows_in_the_groups_and_not_in_the_whole() -> None:
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP).fit("ml")

    def slope(y: np.ndarray) -> float:
        return float(np.polyfit(np.arange(10), y, 1)[0])

    frame = bm.pp_check(fit, slope, by="Subject", n=400, seed=1).frame
    assert (frame["p_two_sided"] < 0.05).sum() >= 5  # of 18, where one would be by chance
    right = bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP).fit("ml")
    assert (bm.pp_check(right, slope, by="Subject", n=400, seed=1).frame["p_two_sided"] < 0.05).sum() <= 2


def test_blocks_change_no_parameters_and_seeds_repeat(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bm.pp_check(fit, n=40, seed=1).frame
    pd.testing.assert_frame_equal(whole, bm.pp_check(fit, n=40, seed=1).frame)
    monkeypatch.setattr(replicated_module, "CHUNK", 7 * 180)
    pd.testing.assert_frame_equal(whole, bm.pp_check(fit, n=40, seed=1).frame)


def test_rows_of_weight_zero_are_not_compared() -> None:
    weights = np.r_[np.zeros(10), np.ones(170)]
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, weights=weights).fit("ml")
    frame = bm.pp_check(fit, ["mean"], by="Subject", n=20, seed=1).frame
    assert len(frame) == 17 and bm.pp_check(fit, "mean", n=20, seed=1).frame["rows"].iloc[0] == 170


# ---- frequency weights


def counts_and_weights() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts with whole weights, and the same with every row as often as its weight says."""
    rng = np.random.default_rng(5)
    short = pd.DataFrame({"g": np.repeat(np.arange(6), 8), "x": rng.normal(size=48)})
    short["y"] = rng.poisson(np.exp(0.4 + 0.3 * short["x"]))
    short["w"] = rng.integers(0, 4, 48)
    return short, short.loc[short.index.repeat(short["w"])].reset_index(drop=True)


def test_a_weight_of_two_is_compared_as_the_row_twice() -> None:
    short, long = counts_and_weights()
    weighted = bm.Model("y ~ x + (1 | g)", short, family="poisson", weights="w").fit("ml")
    twice = bm.Model("y ~ x + (1 | g)", long, family="poisson").fit("ml")
    for by in (None, "g"):
        mine, theirs = (
            bm.pp_check(fit, ["mean", "sd", "zeros"], by=by, n=100, seed=1).frame for fit in (weighted, twice)
        )
        pd.testing.assert_frame_equal(mine, theirs)  # replicates are the same numbers, row for row
    assert bm.pp_check(weighted, "mean", n=10, seed=1).frame["observed"][0] == pytest.approx(long["y"].mean())
    assert "A row of weight w is compared as w responses." in str(bm.pp_check(weighted, n=10, seed=1))
    assert "weights:" not in str(bm.pp_check(twice, n=10, seed=1))


def test_weights_that_are_no_numbers_of_rows_are_said_to_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    short, _ = counts_and_weights()
    half = bm.Model("y ~ x + (1 | g)", short.assign(w=short["w"] / 2), family="poisson", weights="w").fit("ml")
    check = bm.pp_check(half, "mean", n=10, seed=1)
    assert check.frame["rows"][0] == (short["w"] > 0).sum() and "every row is compared as one response" in str(check)
    monkeypatch.setattr(replicated_module, "MOST_RESPONSES", 50)
    whole = bm.Model("y ~ x + (1 | g)", short, family="poisson", weights="w").fit("ml")
    assert f"They stand for {short['w'].sum()} responses" in str(bm.pp_check(whole, "mean", n=10, seed=1))


def test_precisions_count_no_rows(fit: Any) -> None:
    weighted = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, weights=np.full(180, 2.0)).fit("ml")
    check = bm.pp_check(weighted, "mean", n=10, seed=1)
    assert check.frame["rows"][0] == 180 and check.weighting == ""


def test_the_page_names_what_is_beyond_the_model(fit: Any) -> None:
    page = str(bm.pp_check(fit, ["mean", "min"], seed=1))
    assert "lies outside what the model predicts" in page and "500, new responses of the levels in the data" in page
    poisson = bm.Model("y ~ 1", pd.DataFrame({"y": [0] * 60 + [9] * 20}), family="poisson").fit("ml")
    page = str(bm.pp_check(poisson, ["zeros", "sd"], seed=1))
    assert "Outside what the model predicts (two-sided p below 0.05): zeros and sd" in page
    assert "<0.002" in page


def test_a_statistic_that_is_not_defined_for_the_data_is_left_out() -> None:
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP.iloc[:171]).fit("ml")  # the last subject has one row
    check = bm.pp_check(fit, "sd", by="Subject", n=20, seed=1)
    assert check.frame["observed"].isna().sum() == 1 and "1 not defined for the observed response" in str(check)


def fails_late(y: np.ndarray) -> float:
    if y[0] < 240:
        raise ValueError("below 240")
    return float(y[0])


def late_nan(y: np.ndarray) -> float:
    return np.nan if y[0] < 240 else 1.0


ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"statistic": fails_late}, r"'fails_late' fails on replicate \d+: ValueError: below 240"),
    ({"statistic": late_nan}, r"'late_nan' is nan on replicate \d+: give one that is always defined"),
    ({"statistic": fails_late, "by": "Subject"}, r"fails on the observed response in group '309'"),
    ({"statistic": np.sort}, r"'sort' gives an array of shape \(180,\) on the observed response"),
    ({"statistic": "men"}, "statistic='men' is unknown. Did you mean 'mean'"),
    ({"statistic": []}, "name one"),
    ({"statistic": [lambda y: 1.0, lambda y: 2.0]}, "Two statistics are called '<lambda>'"),
    ({"statistic": 3}, r"must be a name \(mean, .*\), a function of y or a list, not 3"),
    ({"n": 0}, "n must be a whole number of replicates"),
    ({"re": "none"}, "re='none' is not an option here"),
    ({"by": "Subjct"}, "Did you mean 'Subject'"),
    ({"by": [1, 2]}, r"by= has shape \(2,\), and the fit has 180 rows"),
    ({"seed": "x"}, "seed must be a whole number"),
]


@pytest.mark.parametrize(("options", "message"), ERRORS, ids=[message[:30] for _, message in ERRORS])
def test_errors_name_what_failed_and_what_to_write(fit: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(FitError, match=message):
        bm.pp_check(fit, **({"n": 200, "seed": 1} | options))


def test_a_model_is_no_fit(fit: Any) -> None:
    with pytest.raises(FitError, match=r'takes a fit, such as model.fit\("ml"\), not Model'):
        bm.pp_check(fit.model)
