"""Responses of two outcomes and out of trials: every way to write one, and what is refused with row and remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError, DataError
from bayesmixed.formula.design import Design

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


def test_a_design_with_trials_is_written_and_read_again():
    found = design("share", weights="size")
    again = Design.from_json(found.to_json())
    np.testing.assert_array_equal(again.trials, found.trials)
    assert again.response.proportion and again.encoding.trials == found.encoding.trials


def test_new_rows_take_their_trials_from_the_columns_when_they_are_there():
    found = design("cbind(incidence, healthy)")
    new = CBPP.head(3)
    np.testing.assert_array_equal(found.encoding.apply(new).trials, new["size"])
    assert found.encoding.apply(new.drop(columns="healthy")).trials is None
    assert found.encoding.apply(new.drop(columns="healthy"), trials=7).trials.tolist() == [7, 7, 7]
