"""Responses of two outcomes and out of trials: every way to write one, and what is refused with row and remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.design.design import Design
from bayesmixed.errors import BayesMixedError, DataError

CBPP = bm.load_data("cbpp").assign(
    share=lambda d: d["incidence"] / d["size"], healthy=lambda d: d["size"] - d["incidence"]
)
TRIALS_OF_ALL = 40  # more than any herd has


def design(left: str, data: pd.DataFrame = CBPP, family: str = "binomial", **arguments) -> Design:
    return bm.Model(f"{left} ~ period + (1 | herd)", data, family=family, **arguments).design


@pytest.mark.parametrize(
    ("left", "arguments"),
    [
        ("prop(incidence, size)", {}),
        ("proportion(incidence, size)", {}),
        ("p(incidence, size)", {}),
        ("cbind(incidence, size - incidence)", {}),
        ("cbind(incidence, healthy)", {}),
        ("incidence | trials(size)", {}),
        ("incidence | trials(incidence + healthy)", {}),
        ("share", {"weights": "size"}),
        ("share", {"weights": "incidence + healthy"}),
        ("I(incidence / size)", {"weights": CBPP["size"].to_numpy()}),
    ],
)
def test_every_way_to_write_successes_out_of_trials_says_the_same(left, arguments):
    found = design(left, **arguments)
    np.testing.assert_array_equal(found.response.y, CBPP["incidence"])
    np.testing.assert_array_equal(found.trials, CBPP["size"])
    assert found.weights is None
    assert found.response.proportion == bool(arguments)


def test_a_number_of_trials_holds_for_every_row():
    found = design(f"incidence | trials({TRIALS_OF_ALL})")
    assert np.all(found.trials == TRIALS_OF_ALL)


def test_weights_beside_counts_are_frequencies():
    found = design("prop(incidence, size)", weights=np.arange(len(CBPP)) + 1.0)
    assert found.weights[1] == 2.0 and found.trials[1] == CBPP["size"].iloc[1]


def test_rows_without_trials_are_rows_of_weight_zero():
    data = CBPP.assign(
        size=CBPP["size"].where(CBPP.index != 3, 0), incidence=CBPP["incidence"].where(CBPP.index != 3, 0)
    )
    model = bm.Model("prop(incidence, size) ~ 1 + (1 | herd)", data, family="binomial")
    assert np.flatnonzero(model.design.weights == 0).tolist() == [3]
    assert model.n_obs == len(CBPP) - 1


@pytest.mark.parametrize("family", ["bernoulli", "binomial"])
@pytest.mark.parametrize(
    "values",
    [[0, 1, 1, 0], [0.0, 1.0, 1.0, 0.0], [False, True, True, False], ["no", "yes", "yes", "no"]],
    ids=["int", "float", "bool", "text"],
)
def test_two_outcomes_are_failure_and_success(values, family):
    data = pd.DataFrame({"y": values, "x": [1.0, 2.0, 4.0, 3.0]})
    found = bm.Model("y ~ x", data, family=family).design
    assert found.response.y.tolist() == [0, 1, 1, 0] and found.trials is None
    assert found.response.levels == (("no", "yes") if isinstance(values[0], str) else None)


def test_the_order_of_a_factor_says_which_level_is_the_success():
    y = pd.Categorical(["hit", "miss", "miss", "hit"], categories=["miss", "hit"])
    found = bm.Model("y ~ x", pd.DataFrame({"y": y, "x": [1.0, 2.0, 4.0, 3.0]}), family="bernoulli").design
    assert found.response.levels == ("miss", "hit")
    assert found.response.y.tolist() == [1, 0, 0, 1]


BAD = pd.DataFrame(
    {
        "half": [0.5, 0.25, 0.5, 0.75],
        "s": [1.0, 2.0, 3.0, 4.0],
        "n": [4.0, 4.0, 2.0, 4.0],
        "three": ["a", "b", "c", "a"],
        "count": [0.0, 2.0, -1.0, 3.0],
        "broken": [1.0, 2.5, 3.0, 1.0],
        "zero": [0.0, 0.0, 0.0, 0.0],
        "one": [1, 1, 1, 1],
        "x": [1.0, 2.0, 4.0, 3.0],
    },
    index=["p", "q", "r", "s"],
)


@pytest.mark.parametrize(
    ("left", "family", "arguments", "words"),
    [
        ("prop(s, n)", "binomial", {}, ["`prop(s, n)`".strip("`"), "3 of 2 trials", "row r"]),
        ("prop(s, broken)", "binomial", {}, ["2.5 trials", "row q", "whole numbers"]),
        ("prop(s)", "binomial", {}, ["prop(successes, trials)"]),
        ("cbind(s, n, x)", "binomial", {}, ["cbind(successes, failures)"]),
        ("s | weights(n)", "binomial", {}, ["weights(...)", "weights="]),
        ("s | n", "binomial", {}, ["y | trials(n)"]),
        ("half", "binomial", {}, ["0.5", "row p", "weights=", "beta"]),
        ("half", "binomial", {"weights": "s"}, ["row p", "0.5 of 1 trials", "no whole number"]),
        ("s", "binomial", {}, ["'s' is 2", "row q", "prop(successes, trials)"]),
        ("s", "bernoulli", {}, ["'s' is 2", "row q", 'family="binomial"']),
        ("three", "bernoulli", {}, ["3 levels (a, b, c)", "two levels", "I(three == 'c')"]),
        ("three", "binomial", {}, ["3 levels (a, b, c)"]),
        ("three", "gaussian", {}, ["text (a, b, c)", "gaussian"]),
        ("prop(s, n)", "gaussian", {}, ["gaussian", "family='binomial'"]),
        ("s | trials(n)", "poisson", {}, ["poisson", "family='binomial'"]),
        ("prop(s, n)", "bernoulli", {}, ["family='binomial'"]),
        ("count", "poisson", {}, ["'count' is -1", "row r"]),
        ("broken", "poisson", {}, ["'broken' is 2.5", "row q"]),
        ("count", "gamma", {}, ["'count' is 0", "row p", "Zeros"]),
        ("zero", "inverse_gaussian", {}, ["'zero' is 0", "row p", "4 rows"]),
        ("one", "beta", {}, ["'one' is 1", "row p", "Smithson"]),
        ("count", "beta", {}, ["'count' is 2", "row q", "percentages"]),
        ("zero", "poisson", {}, ["0 in every row"]),
        ("one", "bernoulli", {}, ["1 in every row"]),
        ("prop(zero, n)", "binomial", {}, ["0 in every row"]),
        ("prop(n, n)", "binomial", {}, ["all of its trials in every row"]),
    ],
)
def test_what_a_family_cannot_take_is_named_with_column_row_and_remedy(left, family, arguments, words):
    with pytest.raises(BayesMixedError) as caught:
        bm.Model(f"{left} ~ x", BAD, family=family, **arguments)
    for word in words:
        assert word in str(caught.value)


def test_counts_may_all_be_the_same_when_they_are_not_zero():
    assert bm.Model("one ~ x", BAD, family="poisson").design.response.y.tolist() == [1, 1, 1, 1]


def test_another_response_keeps_the_trials():
    model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", CBPP, family="binomial")
    other = model.with_response(CBPP["size"] - CBPP["incidence"])
    np.testing.assert_array_equal(other.design.trials, CBPP["size"])
    np.testing.assert_array_equal(other.design.response.y, CBPP["healthy"])
    with pytest.raises(DataError, match="1000 of 14 trials"):
        model.with_response(np.full(len(CBPP), 1000))


def test_another_response_of_a_column_of_proportions_is_proportions():
    model = bm.Model("share ~ period + (1 | herd)", CBPP, family="binomial", weights="size")
    other = model.with_response(1 - CBPP["share"])
    np.testing.assert_array_equal(other.design.response.y, CBPP["healthy"])
    np.testing.assert_allclose(other.design.written(other.design.response.y), 1 - CBPP["share"])


def test_new_rows_take_their_trials_from_the_columns_when_they_are_there():
    found = design("cbind(incidence, healthy)")
    new = CBPP.head(3)
    np.testing.assert_array_equal(found.encoding.apply(new).trials, new["size"])
    assert found.encoding.apply(new.drop(columns="healthy")).trials is None
    assert found.encoding.apply(new.drop(columns="healthy"), trials=7).trials.tolist() == [7, 7, 7]


DRAWS = 4000
ERRORS = 4  # Monte Carlo standard errors


@pytest.fixture(scope="module")
def cbpp():
    left = {"counts": "prop(incidence, size)", "shares": "share"}
    weights = {"counts": None, "shares": "size"}
    return {
        name: bm.Model(f"{text} ~ period + (1 | herd)", CBPP, family="binomial", weights=weights[name]).fit("ml")
        for name, text in left.items()
    }


def test_counts_and_proportions_give_the_same_fit_and_the_same_probabilities(cbpp):
    counts, shares = cbpp["counts"], cbpp["shares"]
    assert counts.loglik == pytest.approx(shares.loglik, abs=1e-9)
    np.testing.assert_allclose(counts.fitted(), shares.fitted())
    np.testing.assert_allclose(counts.predict(CBPP)["estimate"], counts.fitted())
    assert counts.fitted().max() < 1


def test_simulated_responses_are_successes_or_proportions_as_the_formula_has_them(cbpp):
    y = cbpp["counts"].simulate(DRAWS, re="all", seed=1)
    share = cbpp["shares"].simulate(DRAWS, re="all", seed=1)
    size, mu = CBPP["size"].to_numpy(), cbpp["counts"].fitted()
    np.testing.assert_allclose(share, y / size)
    assert np.all(y == np.round(y)) and np.all(y <= size)
    error = np.sqrt(size * mu * (1 - mu) / DRAWS)
    assert np.all(np.abs(y.mean(axis=0) - size * mu) < ERRORS * error + 1e-9)
    for fit, new in ((cbpp["counts"], y[0]), (cbpp["shares"], share[0])):
        again = fit.model.with_response(new)
        np.testing.assert_array_equal(again.design.response.y, y[0])


def test_new_rows_take_trials_from_their_column_the_argument_or_one_with_a_note(cbpp):
    fit, new = cbpp["counts"], CBPP.head(4).drop(columns=["incidence", "healthy", "share"])
    drawn = fit.predict_draws(new, scale="observation", draws=200, seed=1)
    assert float(drawn.max()) > 1
    same = fit.predict_draws(
        new.drop(columns="size"), scale="observation", draws=200, trials=new["size"].to_numpy(), seed=1
    )
    np.testing.assert_array_equal(drawn, same)
    assert fit.simulate(newdata=new, trials=1000, seed=1).max() > 30
    with pytest.warns(bm.errors.BayesMixedWarning, match="'size'.*trials="):
        alone = fit.simulate(50, newdata=new.drop(columns="size"), seed=1)
    assert set(np.unique(alone)) <= {0.0, 1.0}
    np.testing.assert_allclose(
        fit.predict(new.drop(columns="size"))["estimate"], fit.predict(new, trials=7)["estimate"]
    )


def test_prediction_intervals_are_of_successes_and_confidence_limits_of_probabilities(cbpp):
    table = cbpp["counts"].predict(interval="prediction", seed=1)
    assert table["upper"].max() > 1 and np.all(table["upper"] <= CBPP["size"])
    table = cbpp["shares"].predict(interval="prediction", seed=1)
    assert np.all(table["upper"] <= 1)
    table = cbpp["counts"].predict(interval="confidence")
    assert np.all((0 < table["lower"]) & (table["lower"] < table["estimate"]) & (table["upper"] < 1))


def test_limits_stay_in_order_and_in_the_domain_of_a_decreasing_link():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 8), "x": np.tile(np.linspace(0, 1, 8), 10)})
    data["y"] = rng.gamma(4.0, 1 / (4.0 * (0.6 + 0.4 * data["x"])))
    table = bm.Model("y ~ x + (1 | g)", data, family="gamma", link="inverse").fit("ml").predict(interval="confidence")
    assert np.all((table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"]))


def test_trials_for_other_families_are_refused():
    data = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0, 0.0, 2.0], "g": list("aabbcc")})
    fit = bm.Model("y ~ 1 + (1 | g)", data, family="poisson").fit("ml")
    with pytest.raises(bm.errors.FitError, match="poisson.*trials="):
        fit.predict(data, trials=3)


def test_lognormal_predictions_are_means_of_the_response():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(6), 20)})
    data["y"] = np.exp(rng.normal(1, 0.7, 120) + rng.normal(0, 0.3, 6)[data["g"]])
    fit = bm.Model("y ~ 1 + (1 | g)", data, family="lognormal").fit("ml")
    expected = np.exp(fit.predict(scale="link")["estimate"] + fit.sigma**2 / 2)
    np.testing.assert_allclose(fit.predict()["estimate"], expected)
    drawn = fit.simulate(DRAWS, re="all", seed=1)
    assert drawn.mean() == pytest.approx(expected.mean(), rel=0.01)


def test_stored_fits_keep_trials_proportions_and_asymptotes(cbpp, tmp_path):
    again = bm.load(cbpp["shares"].save(tmp_path / "shares.nc"))
    np.testing.assert_array_equal(again.model.design.trials, CBPP["size"])
    np.testing.assert_array_equal(again.simulate(seed=1), cbpp["shares"].simulate(seed=1))
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(8), 40), "x": np.tile(np.linspace(-3, 3, 40), 8)})
    link = bm.links.logit(guess=0.5, lapse=0.02)
    data["y"] = rng.binomial(1, link.inverse(1 + 2 * data["x"].to_numpy()))
    fit = bm.Model("y ~ x + (1 | g)", data, family="bernoulli", link=link).fit("ml")
    again = bm.load(fit.save(tmp_path / "psychophysics.nc"))
    assert again.model.family.link == link
    np.testing.assert_allclose(again.fitted(), fit.fitted())
    assert fit.fitted().min() > 0.5
