"""Comparisons, slopes and ratios: what they are in terms of coefficients and predictions; families of contrasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated import crossed

import bayesmixed as bm

ALGEBRA = 1e-9
DIFFERENCES = 1e-6  # slopes of columns agree between two steps to 1e-7
CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@pytest.fixture(scope="module")
def cbpp() -> Any:
    return bm.Model(CBPP, bm.load_data("cbpp"), family="binomial").fit("ml")


@pytest.fixture(scope="module")
def logistic() -> Any:
    table = crossed().assign(z=lambda t: np.arange(len(t)) % 2 == 1, dose=lambda t: np.arange(len(t)) % 3 * 10)
    table["y"] = (table["y"] > 1).astype(int)
    return bm.Model("y ~ x * z + factor(dose) + (1 | a)", table, family="bernoulli").fit("ml")


@pytest.fixture(scope="module")
def draws(cbpp: Any) -> Any:
    return cbpp.model.fit(bm.Laplace(draws=300, pool=2), seed=1)


def test_average_comparisons_are_averages_of_differences_of_predictions(logistic: Any) -> None:
    frame = logistic.model.frame
    for name, (after, before) in {"z": (True, False), "x": (frame["x"] + 1, frame["x"])}.items():
        change = None if name == "x" else (after, before)
        found = bm.comparisons(logistic, {name: change}, newdata="data", average=True).frame["estimate"][0]
        up, down = (logistic.predict(frame.assign(**{name: v}), re="none")["estimate"].mean() for v in (after, before))
        assert found == pytest.approx(up - down, rel=ALGEBRA)


def test_ratios_of_odds_are_exp_of_coefficients(cbpp: Any) -> None:
    table = bm.odds_ratios(cbpp).frame.set_index("coefficient")
    odds = bm.comparisons(cbpp, "period", comparison="odds_ratio").frame
    coefficients = cbpp.coefficients.iloc[1:]
    np.testing.assert_allclose(odds["estimate"], np.exp(coefficients["estimate"]), rtol=ALGEBRA)
    np.testing.assert_allclose(odds[["lower", "upper"]], np.exp(coefficients[["lower", "upper"]]), rtol=ALGEBRA)
    np.testing.assert_allclose(odds["statistic"], coefficients["statistic"], rtol=ALGEBRA)
    columns = ["estimate", "se", "lower", "upper", "statistic", "p"]
    np.testing.assert_allclose(table[columns].iloc[1:], odds[columns], rtol=ALGEBRA)


def test_ratios_of_counts_are_exp_of_coefficients() -> None:
    fit = bm.Model("count ~ mined + cover + (1 | site)", bm.load_data("Salamanders"), family="poisson").fit("ml")
    found = bm.comparisons(fit, ["mined", "cover"], at={"mined": ["no"]}, comparison="ratio").frame
    np.testing.assert_allclose(found["estimate"], np.exp(fit.fixef()[1:]), rtol=ALGEBRA)
    population = bm.comparisons(fit, "mined", comparison="ratio", kind="population").frame
    np.testing.assert_allclose(population["estimate"], found["estimate"][:1], rtol=ALGEBRA)  # log links: no shrinkage
    assert "Rate ratios" in str(bm.odds_ratios(fit))


def test_a_logit_slope_is_at_most_a_quarter_of_the_coefficient(logistic: Any) -> None:
    """Where the probability is 1/2 it is a quarter; everywhere p (1 - p) times the slope of the predictor."""
    beta = logistic.fixef()
    at = {"x": np.linspace(-3, 3, 7), "z": [True], "dose": [10]}
    p = bm.predictions(logistic, at).frame["estimate"].to_numpy()
    found = bm.slopes(logistic, "x", at=at).frame["estimate"].to_numpy()
    slope = beta["x"] + beta["x:z[True]"] if "x:z[True]" in beta else beta["x"] + beta.iloc[-1]
    np.testing.assert_allclose(found, slope * p * (1 - p), rtol=DIFFERENCES)
    assert np.all(np.abs(found) <= abs(slope) / 4)
    assert "/ 4 is the most that one unit changes the probability" in str(bm.odds_ratios(logistic))


def test_slopes_over_the_data_are_averages_of_slopes(logistic: Any) -> None:
    rows = bm.slopes(logistic, "x", newdata="data").frame
    groups = bm.slopes(logistic, "x", newdata="data", by="z").frame.set_index("z")["estimate"]
    for z, part in rows.groupby("z"):
        assert groups[z] == pytest.approx(part["estimate"].mean(), rel=DIFFERENCES)
    one = bm.slopes(logistic, "x", newdata="data", average=True).frame["estimate"][0]
    assert one == pytest.approx(rows["estimate"].mean(), rel=DIFFERENCES)


def test_numbers_that_the_formula_makes_factors_of_are_factors(logistic: Any) -> None:
    assert list(bm.emmeans(logistic, "dose").frame["dose"]) == [0, 10, 20]
    assert list(bm.comparisons(logistic, "dose", by="dose").frame["contrast"].unique()) == ["10 - 0", "20 - 0"]
    labels = bm.emmeans(logistic, "dose").contrast("pairwise").frame["contrast"]
    assert list(labels) == ["dose[0] - dose[10]", "dose[0] - dose[20]", "dose[10] - dose[20]"]


def test_pairwise_and_sequential_comparisons_of_a_factor(cbpp: Any) -> None:
    pairs = bm.comparisons(cbpp, {"period": "pairwise"}, scale="link").frame
    steps = bm.comparisons(cbpp, {"period": "sequential"}, scale="link").frame["estimate"]
    assert list(pairs["contrast"]) == ["1 - 2", "1 - 3", "1 - 4", "2 - 3", "2 - 4", "3 - 4"]
    assert steps.sum() == pytest.approx(cbpp.fixef()["period[4]"], rel=ALGEBRA)
    one = bm.comparisons(cbpp, {"period": ("4", "2")}, scale="link").frame
    assert one["estimate"][0] == pytest.approx(cbpp.fixef()["period[4]"] - cbpp.fixef()["period[2]"], rel=ALGEBRA)


def test_adjustments_are_ordered_and_agree_for_a_single_contrast(cbpp: Any) -> None:
    means = bm.emmeans(cbpp, "period")
    p = {
        how: means.contrast("pairwise", adjust=how).frame["p"] for how in ("none", "tukey", "holm", "bonferroni", "mvt")
    }
    assert np.all(p["none"] <= p["holm"]) and np.all(p["holm"] <= p["bonferroni"])
    assert np.all(p["none"] <= p["mvt"]) and np.all(p["mvt"] <= p["bonferroni"])
    np.testing.assert_allclose(p["mvt"], p["tukey"], atol=0.01)  # unequal variances: Tukey's is approximate
    single = {"first against last": [1, 0, 0, -1]}
    alone = [means.contrast(single, adjust=how).frame for how in ("none", "holm", "bonferroni", "mvt")]
    for frame in alone[1:]:
        pd.testing.assert_frame_equal(frame, alone[0], rtol=ALGEBRA)


def test_weights_of_ones_own_are_sums_of_means_and_say_so(cbpp: Any) -> None:
    means = bm.emmeans(cbpp, "period")
    found = means.contrast({"later": [-1, 1 / 3, 1 / 3, 1 / 3], "total": [1, 1, 1, 1]})
    estimates = means.frame["estimate"]
    np.testing.assert_allclose(found.frame["estimate"], [estimates[1:].mean() - estimates[0], estimates.sum()])
    assert "Weights that do not sum to zero: total: sums of means, not differences." in str(found)
    matrix = pd.DataFrame([[1, -1, 0, 0]], index=["one"])
    assert means.contrast(matrix).frame["estimate"][0] == pytest.approx(estimates[0] - estimates[1])
    assert "do not sum" not in str(means.contrast(matrix))


def test_contrasts_of_draws_are_contrasts_draw_by_draw(cbpp: Any, draws: Any) -> None:
    found = bm.emmeans(draws, "period", scale="response").contrast("trt.vs.ctrl").frame
    beta = draws.parameters.flat().beta[0]
    np.testing.assert_allclose(found["estimate"], np.exp(beta[:, 1:]).mean(axis=0), rtol=ALGEBRA)
    np.testing.assert_allclose(found["lower"], np.quantile(np.exp(beta[:, 1:]), 0.025, axis=0), rtol=ALGEBRA)
    assert "p" not in found
    ratios = bm.odds_ratios(draws).frame
    np.testing.assert_allclose(ratios["estimate"], np.median(np.exp(beta), axis=0), rtol=1e-3)
    close = bm.emmeans(draws, "period").frame["estimate"] - bm.emmeans(cbpp, "period").frame["estimate"]
    assert np.all(np.abs(close) < bm.emmeans(cbpp, "period").frame["se"])


def test_frequencies_count_in_proportional_weights_and_averages() -> None:
    """A weight of 2 is the row twice."""
    table = bm.load_data("Salamanders").query("spp in ['GP', 'DM']").assign(w=lambda t: 1 + (t["cover"] > 0))
    twice = table.loc[table.index.repeat(table["w"])]
    formula = "count ~ mined + spp + cover + (1 | site)"
    a, b = (
        bm.Model(formula, data, family="poisson", weights=weights).fit("ml")
        for data, weights in ((table, "w"), (twice, None))
    )
    for ask in (
        lambda fit: bm.emmeans(fit, "spp", weights="proportional", at={"cover": 0}),
        lambda fit: bm.predictions(fit, newdata="data", average=True),
    ):
        np.testing.assert_allclose(ask(a).frame["estimate"], ask(b).frame["estimate"], rtol=DIFFERENCES)


def test_offsets_are_held_at_their_mean_or_as_given() -> None:
    formula = "SiblingNegotiation ~ FoodTreatment + offset(logBroodSize) + (1 | Nest)"
    fit = bm.Model(formula, bm.load_data("Owls"), family="poisson").fit("ml")
    rate, mean = (bm.emmeans(fit, "FoodTreatment", offset=o).frame["estimate"] for o in (0, None))
    np.testing.assert_allclose(mean - rate, bm.load_data("Owls")["logBroodSize"].mean(), rtol=ALGEBRA)
    four = bm.predictions(fit, {"FoodTreatment": ["Deprived"], "logBroodSize": np.log([4.0])}).frame["estimate"][0]
    assert four == pytest.approx(4 * np.exp(rate[0]), rel=ALGEBRA)


def test_a_column_of_random_slopes_alone_moves_population_means_only() -> None:
    table = crossed().assign(y=lambda t: (t["y"] > 1).astype(int))
    fit = bm.Model("y ~ 1 + (x | a)", table, family="bernoulli").fit("ml")
    conditional, population = (
        bm.predictions(fit, {"x": [0.0, 2.0]}, kind=kind).frame["estimate"] for kind in ("conditional", "population")
    )
    assert conditional[0] == conditional[1]
    assert population[0] != population[1]


def test_averages_over_the_data_are_in_the_order_of_levels() -> None:
    """Whatever the order of the rows: L, M, H, neither as they appear nor by the alphabet."""
    table = bm.load_data("warpbreaks").iloc[::-1]
    fit = bm.Model("breaks ~ wool * tension", table).fit("ml")
    found = bm.predictions(fit, newdata="data", by=["tension", "wool"]).frame
    assert list(zip(found["tension"], found["wool"], strict=True)) == [(t, w) for t in "LMH" for w in "AB"]
    means = table.groupby(["tension", "wool"], observed=True)["breaks"].mean()
    np.testing.assert_allclose(found["estimate"], [means[t, w] for t in "LMH" for w in "AB"], rtol=ALGEBRA)


@pytest.mark.filterwarnings("ignore:the fixed-effect design of mu is rank deficient")
def test_contrasts_of_means_that_the_data_determine_survive_an_empty_cell() -> None:
    fit = bm.Model("breaks ~ wool * tension", bm.load_data("warpbreaks").query("wool != 'B' or tension != 'H'")).fit(
        "ml"
    )
    means = bm.emmeans(fit, "wool * tension", ddf=np.inf)
    assert list(means.frame["estimate"].isna()) == [False] * 5 + [True]
    assert "Blank: the data do not determine it" in str(means)
    pairs = means.contrast("pairwise", adjust="bonferroni").frame
    known = ~pairs["contrast"].str.contains("B H")
    assert pairs.loc[known, "p"].notna().all() and pairs.loc[~known, "p"].isna().all()
    raw = means.contrast("pairwise", adjust="none").frame["p"]
    np.testing.assert_allclose(pairs.loc[known, "p"], np.minimum(10 * raw[known], 1), rtol=ALGEBRA)
    others = bm.emmeans(fit, "tension").frame["estimate"]
    assert list(others.isna()) == [False, False, True]


def test_contrasts_on_the_response_scale_say_what_ratio_they_are(cbpp: Any) -> None:
    means = bm.emmeans(cbpp, "period", scale="response")
    assert "Contrasts: odds ratios; tests" in str(means.contrast("sequential"))
    alone = str(means.contrast({"first": [1, 0, 0, 0]}))
    assert "Weights that do not sum to zero: first: odds or products, not odds ratios." in alone
    guessed = cbpp.model.replace(link=bm.links.logit(guess=0.01)).fit("ml")
    curve = "of the curve between the asymptotes 0.01 and 1"
    assert f"Contrasts: odds ratios {curve};" in str(bm.emmeans(guessed, "period", scale="response").contrast())
    assert f"Odds ratios {curve}" in str(bm.odds_ratios(guessed))


def test_means_say_where_the_numbers_are_that_they_depend_on() -> None:
    cake = bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")
    assert "temp: at the 5th and 95th percentile" in str(bm.emmeans(cake, "temp"))
    assert "differences depend on temp: at= takes other values" in str(bm.emmeans(cake, "recipe"))
