"""Every refusal names what is wrong, where, and the way out; nothing but the formula language is evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmixed.design.build import build_design
from bayesmixed.errors import BayesMixedError, DataError, FormulaError
from bayesmixed.formula.formula import Formula

from .tables import design, table


def _strange() -> pd.DataFrame:
    return table().assign(
        one="only", t=pd.date_range("2020", periods=24), lists=[[1]] * 24, mixed=["a", 1] * 12, digits=["1", "2"] * 12
    )


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ xx", ["no column 'xx'", "term `xx`", "Did you mean 'x'", "namespace="]),
        ("y ~ x + (1 | gg)", ["no column 'gg'", "(1 | gg)", "Did you mean 'g'"]),
        ("y ~ log", ["log is a function", "log(x)"]),
        ("yy ~ x", ["no column 'yy'", "the response"]),
        ("y ~ lg(x)", ["unknown function lg()", "'log'", 'namespace={"lg": lg}']),
        ("~ x", ["no response"]),
        ("y ~ x + (1 | one)", ["'one'", "single level 'only'", "Leave its bar out"]),
        ("y ~ one", ["`one`", "single level (only)"]),
        ("y ~ log(x)", ["`log(x)`", "not a number in row 3"]),
        ("y ~ I(1 / (k - 1))", ["infinite in row 0"]),
        ("y ~ 1 + (log(x) | g)", ["log(x) in (1 + log(x) | g)", "row 3"]),
        ("log(y - 1) ~ x", ["the response", "infinite in row 0"]),
        ("y ~ cut(x, c(0, 1))", ["no level in row", "breaks"]),
        ("y ~ f + I(f + 1)", ["`f` is text, not a number"]),
        ("y ~ scale(f)", ["`f` is text"]),
        ("y ~ fc^2 + I(fc^2)", ["`fc` is a factor"]),
        ("y ~ t", ["`t` is a date or time", "a column of days"]),
        ("y ~ lists", ["'lists' holds list values"]),
        ("y ~ mixed", ["'mixed'", "different types (int, str)"]),
        ("y ~ I(f > 'a')", ["without an order", "=="]),
        ("y ~ I(oo > 'highest')", ["'highest' is not a level"]),
        ("y ~ ifelse(f, 1, 2)", ["true or false"]),
        ("y ~ relevel(f, 'q')", ["no level 'q'", "Levels: a, b, c"]),
        ("y ~ dummy(f, 'q')", ["no level 'q'"]),
        ("y ~ C(f, Sun)", ["unknown contrast 'Sun'", "'sum'"]),
        ("y ~ factor(k, labels = c('a', 'b'))", ["4 levels but 2 labels"]),
        ("f ~ x", ["response `f` is text (a, b, c)", "not available yet"]),
        ("h ~ x", ["family='bernoulli'", "the probability of 'v'"]),
        ("oo ~ x", ["ordered factor", "not available yet"]),
        ("digits ~ x", ["as.numeric(digits)"]),
        ("cbind(k, y) ~ x", ["successes", "family='binomial'"]),
        ("poly(x, 2) ~ z", ["2 columns"]),
    ],
)
def test_what_a_formula_cannot_do_with_this_table(formula: str, words: list[str]) -> None:
    with pytest.raises(BayesMixedError) as caught:
        design(formula, _strange())
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": "x"}, ["negative", "row 3"]),
        ({"weights": [1, 2]}, ["2 values for 24 rows"]),
        ({"weights": np.zeros(24)}, ["all weights are zero"]),
        ({"weights": np.full(24, np.inf)}, ["weights is inf in row 0"]),
        ({"weights": np.ones((24, 2))}, ["shape (24, 2)"]),
        ({"weights": ["a"] * 24}, ["column name, an expression, a number or an array"]),
        ({"offset": "hours"}, ["no column 'hours'", "offset needs it"]),
        ({"missing": "ignore"}, ["'drop' or 'error'"]),
    ],
)
def test_arguments_that_do_not_fit(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        design("y ~ z", **options)
    for word in words:
        assert word in str(caught.value)


def test_tables_without_anything_to_fit() -> None:
    for empty in (table()[:0], table().assign(x=np.nan), [1, 2], {"x": [1]}, None):
        with pytest.raises(DataError, match=r"no rows|every row lacks a value in x \(24\)|must be a table"):
            build_design(Formula("y ~ x"), empty)


def test_missing_values_can_be_refused_with_their_counts() -> None:
    data = table()
    data.loc[:3, "x"], data.loc[3:4, "f"] = np.nan, None
    with pytest.raises(DataError, match=r"x \(4\), f \(2\).*5 rows"):
        design("y ~ x + f", data, missing="error")


def test_a_column_name_may_not_stand_twice_where_it_is_used() -> None:
    data = pd.concat([table(), table()[["x"]]], axis=1)
    with pytest.raises(DataError, match="more than once in the data: x"):
        design("y ~ x", data)
    assert design("y ~ z", data).n_rows == 24


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('os')",
        "eval('1')",
        "exec('1')",
        "open('x')",
        "x.__class__()",
        "x.to_csv('x')",
        "np.load('x')",
        "np.random.seed(1)",
        "pd.read_pickle('x')",
        "getattr(x, 'T')",
        "exp(x, out = z)",
        "log(x, where = b)",
    ],
)
def test_formulas_reach_no_builtin_attribute_or_module(attack: str) -> None:
    with pytest.raises(FormulaError):
        design(f"y ~ {attack}")


@pytest.mark.parametrize("name", ["np", "table", "os", "__builtins__", "self"])
def test_formulas_see_no_names_of_the_program(name: str) -> None:
    with pytest.raises(DataError, match="no column"):
        build_design(Formula(f"y ~ log({name})"), table())


def test_the_namespace_is_reachable_and_checked() -> None:
    np.testing.assert_array_equal(
        design("y ~ twice(x)", namespace={"twice": lambda x: 2 * x}).mu.X[:, 1], 2 * table()["x"]
    )
    assert design("y ~ I(x * rate)", namespace={"rate": 2.0}).mu.X[0, 1] == 2 * table()["x"][0]
    with pytest.raises(DataError, match="returned 3 values for 24 rows"):
        design("y ~ short(x)", namespace={"short": lambda x: x[:3]})
    with pytest.raises(FormulaError, match="not a function"):
        design("y ~ rate(x)", namespace={"rate": 2.0})


def test_a_random_effect_that_no_row_knows_is_refused() -> None:
    data = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "g": [0, 0, 1, 1], "z": 0.0, "f": list("aabc"), "w": [1, 1, 1, 0]})
    with pytest.raises(DataError, match="the column z is zero in every row. Leave it out of the bar"):
        design("y ~ 1 + (z | g)", data)
    with pytest.raises(DataError, match=r"f\[c\] is zero in every row with a positive weight"):
        design("y ~ 1 + (f | g)", data, weights="w")
