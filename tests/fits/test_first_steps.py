"""What someone types on the first day: printouts that read right, and errors that say what to type instead."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError, FitError, NoSuchAnswer, NoSuchOption

ROWS = 60
MANY = 60_000  # levels whose indicators would take 29 GB


def table() -> pd.DataFrame:
    rng = np.random.default_rng(20240611)
    return pd.DataFrame(
        {
            "y": rng.normal(size=ROWS),
            "x": rng.normal(size=ROWS),
            "c": rng.choice(list("abc"), ROWS),
            "g": np.arange(ROWS) % 6,
            "reaction-time": rng.normal(size=ROWS),
            "when": pd.date_range("2020", periods=ROWS),
            "lasted": pd.to_timedelta(np.arange(ROWS), unit="s"),
        }
    )


def fitted(formula: str = "y ~ x + (1 | g)", data: pd.DataFrame | None = None) -> Any:
    return bm.Model(formula, table() if data is None else data).fit("ml")


@pytest.mark.parametrize(
    ("formula", "arguments", "words"),
    [
        ("y ~ reaction-time", {}, ["backticks: `reaction-time`"]),
        ("y ~ reaction time", {}, ["backticks, `reaction time`"]),
        ("y ~ x + (1 g)", {}, ["(1 | g)"]),
        ("y ~ x + 1 | g", {}, ["write x + (1 | g)"]),
        ("y ~ d.x", {}, ["Write x alone"]),
        ("y ~ Q('reaction-time')", {}, ["`backticks`"]),
        ("y ~ when", {}, ["date or time", "(data['when'] - data['when'].min()).dt.days"]),
        ("y ~ lasted", {}, ["durations", "dt.total_seconds()"]),
        ("y ~ x + (y | g)", {}, ["y is the response"]),
        ("y ~ f(x)", {"namespace": {"f": lambda x: None}}, ["returned a NoneType"]),
        ("y ~ f(x)", {"namespace": ["f"]}, ['namespace={"f": function}']),
        ("y ~ c", {"contrasts": "sum"}, ['contrasts={"f": "sum"}']),
        ("y ~ x", {"contrasts": {"x": "sum"}}, ["factor(x)"]),
        ("y ~ c", {"contrasts": {"c": pd.DataFrame(np.eye(3)[:, :2], index=list("xyz"))}}, ["levels are a, b, c"]),
        ("y ~ x", {"weights": pd.Series(np.ones(ROWS), index=np.arange(ROWS)[::-1])}, ["index", "to_numpy()"]),
        ("y ~ x", {"constants": "sigma"}, ['constants={"sigma": 0.5}']),
        ("y ~ x", {"family": "normal"}, ["'gaussian'"]),
        ("y ~ x", {"family": "poisson"}, ["row 0", "whole numbers from 0 on"]),
        ("y ~ x", {"family": bm.families.Gaussian}, ["is a class", "'gaussian'"]),
    ],
)
def test_a_wrong_model_says_what_to_type(formula: str, arguments: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(BayesMixedError) as caught:
        bm.Model(formula, table(), **arguments)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ("own.csv", "read_csv"),
        (np.zeros((3, 2)), "columns=["),
        (table()["y"], "data.iloc[[0]]"),
        (table().set_index("g"), "reset_index()"),
        (table().iloc[:1], "single row"),
    ],
)
def test_a_wrong_table_says_what_to_give(data: Any, word: str) -> None:
    with pytest.raises(BayesMixedError) as caught:
        bm.Model("y ~ x + (1 | g)", data)
    assert word in str(caught.value)


@pytest.mark.parametrize("formula", ["y ~ f", "y ~ x * f + (1 | g)", "y ~ (0 + f | g)"])
def test_columns_that_do_not_fit_are_refused_with_their_size(formula: str) -> None:
    rng = np.random.default_rng(1)
    wide = pd.DataFrame({name: rng.normal(size=MANY) for name in "yx"})
    wide["f"], wide["g"] = np.arange(MANY).astype(str), np.arange(MANY) % 10
    with pytest.raises(BayesMixedError, match=f"{MANY:,} columns for {MANY:,} rows: 29 GB"):
        bm.Model(formula, wide)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda fit: fit.predict(table()[["x"]]), ["'g' in the new data", 're="none"']),
        (lambda fit: fit.predict(re=None), ['"none"']),
        (lambda fit: fit.simulate(2, seed="one"), ["seed must be a whole number"]),
        (lambda fit: fit.simulate("2"), ["n must be a whole number"]),
        (lambda fit: fit.idata, ['model.fit("nuts", seed=1)']),
        (lambda fit: fit.save("/"), ["is a folder"]),
        (lambda fit: fit.save("no such folder/fit.nc"), ["no folder 'no such folder'"]),
        (lambda fit: bm.side_by_side([fit]), ["side_by_side(*fits)"]),
        (lambda fit: bm.side_by_side(fit.model), ['model.fit("ml")']),
        (lambda fit: bm.plot.shrinkage(fit.model), ["A fit can be drawn"]),
    ],
)
def test_a_wrong_question_says_what_to_ask(ask: Any, words: list[str]) -> None:
    with pytest.raises(BayesMixedError) as caught:
        ask(fitted())
    for word in words:
        assert word in str(caught.value)


def test_an_exception_of_the_users_function_passes_with_its_place() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        bm.Model("y ~ f(x)", table(), namespace={"f": lambda x: 1 / 0})
    assert caught.value.__notes__ == ["raised by `f(x)` in the formula"]


def test_a_point_fit_has_no_draws_and_hasattr_knows() -> None:
    assert issubclass(NoSuchAnswer, FitError) and not hasattr(fitted(), "idata")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bm.Model("y ~ x", table(), weight="x"), ["Model has no argument 'weight'", "'weights'"]),
        (lambda: bm.Model("y ~ x", table()).fit("ml", sead=1), ["Model.fit has no argument 'sead'", "'seed'"]),
    ],
)
def test_an_unknown_argument_is_answered_with_the_nearest(call: Any, words: list[str]) -> None:
    with pytest.raises(NoSuchOption) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_models_and_fits_can_be_copied_and_sent_to_other_processes() -> None:
    fit = fitted()
    for other in (copy.deepcopy(fit), pickle.loads(pickle.dumps(fit))):
        pd.testing.assert_frame_equal(other.predict(table(), interval="confidence"), fit.predict(interval="confidence"))
        with pytest.raises(TypeError):
            other.model.constants["sigma"] = 1.0


def test_a_model_sends_questions_of_fits_to_a_fit() -> None:
    with pytest.raises(AttributeError, match=r'model.fit\("reml"\).summary'):
        _ = bm.Model("y ~ x", table()).summary


def test_one_line_says_what_a_fit_is() -> None:
    assert repr(fitted()).startswith("PointFit('y ~ x + (1 | g)', ML, 60 rows")
    assert repr(bm.Formula("y ~ x + (1 | g)").bars) == "(Bar('(1 | g)'),)"


def test_levels_of_a_factor_have_columns_of_their_own_among_the_correlations() -> None:
    levels = table().assign(condition=table()["c"].map({"a": "low", "b": "mid", "c": "high"}))
    text = str(fitted("y ~ condition + (1 | g)", levels).summary())
    assert "(2) condition[low]" in text
    wide = str(fitted("y ~ condition + x + (1 | g)", levels).summary())
    assert "(2) condition[low]" in wide and "(3) condition[mid]" in wide


def test_small_effects_are_printed_with_their_digits() -> None:
    small = table().assign(y=lambda d: d["y"] / 1e4)
    fit = fitted(data=small)
    line = next(line for line in str(fit.summary()).splitlines() if line.startswith("x "))
    estimate, se = map(float, line.split()[1:3])
    assert estimate == pytest.approx(fit.fixef()["x"], abs=0.5 * 10**-6)
    assert se == pytest.approx(fit.coefficients.loc["x", "se"], rel=0.05)


def test_tables_print_what_fits_a_screen() -> None:
    assert max(map(len, str(bm.list_data()).splitlines())) <= 80
    assert "sleepstudy" in str(bm.list_data()) and "citation" in bm.list_data().columns
    together = bm.side_by_side(fitted(), fitted())
    assert repr(together) == str(together) and "NaN" not in str(together)
    assert "log-likelihood" in together._repr_html_()
