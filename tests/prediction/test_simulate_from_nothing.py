"""Responses simulated from stated values: their moments, what a fit makes of them, and what a user may leave out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.families import FAMILIES, family

REPLICATES = 20_000
NORMAL = 4.5  # standard errors: about 1e-5 per comparison, some dozens of comparisons, fixed seeds
SLEEP = {"Intercept": 250.0, "Days": 10.0, "1|Subject_sigma": 25.0, "Days|Subject_sigma": 6.0, "Subject_corr": 0.3}
FORMULA = "Reaction ~ Days + (Days | Subject)"


def days(subjects: int = 3, rows: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {"Subject": np.repeat(list("abcdefghijklmnopqr")[:subjects], rows), "Days": [*range(rows)] * subjects}
    )


def test_means_and_covariances_are_those_of_the_stated_parameters() -> None:
    table = days()
    y = bm.simulate(FORMULA, table, SLEEP | {"sigma": 20.0}, n=REPLICATES, seed=1)
    Z = np.column_stack([np.ones(4), np.arange(4)])
    block = Z @ np.array([[625.0, 45.0], [45.0, 36.0]]) @ Z.T + 400 * np.eye(4)
    expected = np.kron(np.eye(3), block)
    se = np.sqrt(np.diag(expected) / REPLICATES)
    assert np.all(np.abs(y.mean(axis=0) - (250 + 10 * table["Days"])) < NORMAL * se)
    variances = np.diag(expected)
    se_cov = np.sqrt((np.outer(variances, variances) + expected**2) / REPLICATES)
    assert np.all(np.abs(np.cov(y, rowvar=False) - expected) < NORMAL * se_cov)


def test_a_fit_recovers_what_was_stated() -> None:
    table = days(18, 10)
    y = bm.simulate(FORMULA, table, SLEEP | {"sigma": 20.0}, n=20, seed=2)
    model = bm.Model(FORMULA, table.assign(Reaction=y[0]))
    fits = [model.with_response(one).fit("reml") for one in y]
    beta = np.array([fit.fixef() for fit in fits])
    assert np.all(np.abs(beta.mean(axis=0) - [250, 10]) < NORMAL * beta.std(axis=0, ddof=1) / np.sqrt(20))
    sigmas = np.array([fit.sigma for fit in fits])  # 180 - 36 degrees of freedom: a relative sd of 6 %
    assert abs(sigmas.mean() / 20 - 1) < NORMAL * 0.06 / np.sqrt(20)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_draws_about_its_mean(name: str) -> None:
    kind = family(name)
    dispersion = {name: 0.5 if name == "sigma" else 5.0 for name in kind.dispersion}  # exp(normal) of a few sigma
    params: dict[str, Any] = {"Intercept": 0.4} | dispersion
    table = pd.DataFrame({"m": np.full(40, 6)})
    trials = {"trials": "m"} if kind.takes_trials else {}
    y = bm.simulate("y ~ 1", table, params, family=name, n=1000, seed=3, **trials)
    mu = np.full(1, kind.link.inverse(np.array(0.4)))
    expected = kind.mean(mu, dispersion) * (6 if kind.takes_trials else 1)
    assert abs(y.mean() - expected[0]) < NORMAL * y.std() / np.sqrt(y.size)


def test_correlations_may_be_a_matrix_and_factors_a_list() -> None:
    table = days().assign(group=["x", "y", "z"] * 4)
    formula = "Reaction ~ group + Days + (Days | Subject)"
    one = SLEEP | {"sigma": 1.0, "group[y]": 3.0, "group[z]": -2.0}
    other = SLEEP | {"sigma": 1.0, "group": [3, -2], "Subject_corr": [[1, 0.3], [0.3, 1]]}
    np.testing.assert_array_equal(*(bm.simulate(formula, table, params, seed=4) for params in (one, other)))
    swapped = {"Intercept": 0, "sigma": 1, "1|Subject:group_sigma": 2, "1|Subject_sigma": 1}
    in_order = {"Intercept": 0, "sigma": 1, "1|group:Subject_sigma": 2, "1|Subject_sigma": 1}
    nested = "y ~ 1 + (1 | Subject/group)"
    np.testing.assert_array_equal(*(bm.simulate(nested, table, params, seed=4) for params in (swapped, in_order)))


def test_the_response_is_not_needed_and_not_read() -> None:
    table, params = days(), SLEEP | {"sigma": 1.0}
    plain = bm.simulate(FORMULA, table, params, seed=5)
    for other in (table.assign(Reaction=np.nan), table.assign(Reaction="text")):
        np.testing.assert_array_equal(plain, bm.simulate(FORMULA, other, params, seed=5))
    np.testing.assert_array_equal(plain, bm.simulate("~ Days + (Days | Subject)", table, params, seed=5))
    np.testing.assert_array_equal(plain, bm.simulate("log(Reaction) ~ Days + (Days | Subject)", table, params, seed=5))


def test_rows_without_a_predictor_are_missing_and_the_others_stay_in_place() -> None:
    table = days()
    table.loc[5, "Days"] = np.nan
    y = bm.simulate(FORMULA, table, SLEEP | {"sigma": 1.0}, n=2, seed=6)
    assert y.shape == (2, 12) and np.array_equal(np.isnan(y), np.tile(np.arange(12) == 5, (2, 1)))


def test_precision_weights_and_offsets_enter() -> None:
    table = pd.DataFrame({"w": [1.0, 4.0], "o": [0.0, 100.0]})
    y = bm.simulate("y ~ 1", table, {"Intercept": 1, "sigma": 2}, weights="w", offset="o", n=REPLICATES, seed=7)
    se = np.array([2.0, 1.0]) / np.sqrt(REPLICATES)
    assert np.all(np.abs(y.mean(axis=0) - [1, 101]) < NORMAL * se)
    assert np.all(np.abs(y.std(axis=0) - [2, 1]) < NORMAL * se)


def test_trials_are_those_of_the_left_side_or_given() -> None:
    table, params = days().assign(m=7), {"Intercept": 0.5, "1|Subject_sigma": 1}
    wanted = bm.simulate("y ~ (1 | Subject)", table, params, family="binomial", trials=7, seed=8)
    for left in ("y | trials(m)", "prop(y, m)", "cbind(0, m)"):
        found = bm.simulate(f"{left} ~ (1 | Subject)", table, params, family="binomial", seed=8)
        np.testing.assert_array_equal(found, wanted)
    assert wanted.max() <= 7


def test_a_dot_stands_for_columns_that_nothing_else_uses() -> None:
    table = days().assign(m=7, o=1.0)
    params = {"Intercept": 0.5, "Days": 0.1, "1|Subject_sigma": 1}
    y = bm.simulate("y ~ . + (1 | Subject)", table, params, family="binomial", trials="m", offset="o", seed=9)
    assert y.shape == (1, 12)


def test_same_seed_same_responses_whatever_the_order_of_the_dict() -> None:
    params = SLEEP | {"sigma": 1.0}
    first = bm.simulate(FORMULA, days(), params, seed=10)
    np.testing.assert_array_equal(first, bm.simulate(FORMULA, days(), dict(reversed(params.items())), seed=10))
    assert not np.array_equal(first, bm.simulate(FORMULA, days(), params, seed=11))


def test_polars_tables_do_too() -> None:
    polars = pytest.importorskip("polars")
    params = SLEEP | {"sigma": 1.0}
    found = bm.simulate(FORMULA, polars.DataFrame(days().to_dict("list")), params, seed=12)
    np.testing.assert_array_equal(found, bm.simulate(FORMULA, days(), params, seed=12))


def test_what_is_missing_is_listed_with_a_dict_to_paste() -> None:
    with pytest.raises(bm.errors.ModelError, match=r"lacks 'Subject_corr' and 'sigma'") as caught:
        bm.simulate(FORMULA, days(), {name: value for name, value in SLEEP.items() if name != "Subject_corr"})
    pasted = eval(str(caught.value).partition("params=")[2])
    assert bm.simulate(FORMULA, days(), pasted, seed=1).shape == (1, 12)


ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"params": SLEEP | {"sigma": 1, "Day": 2}}, "'Day', which is not a parameter of this model. Did you mean 'Days'"),
    ({"params": SLEEP | {"sigma": -1}}, "'sigma'. must be a positive number, not -1"),
    ({"params": SLEEP | {"sigma": 0}}, "'sigma'. must be a positive number, not 0"),
    ({"params": SLEEP | {"sigma": "big"}}, "'sigma'. must be a number, not 'big'"),
    ({"params": SLEEP | {"sigma": 1, "Days": np.nan}}, "'Days'. must be a finite number, not nan"),
    ({"params": SLEEP | {"sigma": 1, "Subject_corr": 1.5}}, "'Subject_corr'. is not a correlation matrix"),
    ({"params": SLEEP | {"sigma": 1, "Subject_corr": [1, 2, 3]}}, r"a number or a matrix \(2, 2\)"),
    ({"params": [1, 2]}, "params must be a dict"),
    ({"n": 0}, "n must be a whole number"),
    ({"n": 10**9}, "replicates of 12 rows are 96.0 GB. Ask for fewer, n=41666666 at most"),
    ({"seed": -1}, "seed must be a whole number"),
    ({"trials": 3}, "not out of trials: leave out trials="),
    ({"formula": "Reaction ~ Dose + (Days | Subject)"}, "no column 'Dose'"),
    ({"family": "binomial"}, "Out of how many trials is each response"),
    ({"family": "binomial", "formula": "y | trials(m) ~ Days"}, "The table has no 'm'"),
    ({"family": "binomial", "trials": 1.5}, "trials is 1.5 in row number 0: give whole numbers"),
]


@pytest.mark.parametrize(("change", "message"), ERRORS, ids=[message[:40] for _, message in ERRORS])
def test_errors_say_what_to_write(change: dict[str, Any], message: str) -> None:
    arguments = {"formula": FORMULA, "data": days(), "params": SLEEP | {"sigma": 1.0}} | change
    with pytest.raises(bm.errors.BayesMixedError, match=message):
        bm.simulate(**arguments)
