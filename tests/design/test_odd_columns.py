"""Columns of odd types and names are read or answered; what may have been mistaken for something else is named."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError, BayesMixedWarning, DataError

SAME = 1e-9  # of estimates of the same numbers under other names


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), 10)
    table = pd.DataFrame({"g": g, "x": rng.normal(size=120), "f": np.tile(list("abcde"), 24)})
    table["diet"], table["age"], table["day"] = 1 + rng.integers(0, 4, 120), np.tile([8, 10, 12, 14], 30), g % 7
    table["site"] = rng.choice([101.0, 105.0, 109.0], 120)
    table["y"] = table["x"] + rng.normal(size=12)[g] + rng.normal(size=120)
    table["comma"] = [f"{value:.1f}".replace(".", ",") for value in table["x"]]
    table["up"] = table["y"] > 0
    return table


def fitted(formula: str, table: Any, **options: Any) -> Any:
    return bm.Model(formula, table, **options).fit("ml")


class Unsortable:
    def __init__(self, value: int) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unsortable) and self.value == other.value


class Colour(enum.Enum):
    RED, BLUE = 1, 2


def test_columns_named_by_numbers_are_named_in_backticks(data: pd.DataFrame) -> None:
    numbered = data[["y", "x", "g"]].set_axis([0, 1, 2], axis=1)
    fit, named = fitted("`0` ~ `1` + (1 | `2`)", numbered), fitted("y ~ x + (1 | g)", data)
    np.testing.assert_allclose(fit.fixef(), named.fixef(), rtol=SAME)
    np.testing.assert_allclose(fit.predict(numbered[:5]), named.predict(data[:5]), rtol=SAME)
    assert fit.predict({"1": [0.5], "2": [3]}).shape == (1, 1)
    every = bm.Model("`0` ~ . + (1 | `2`)", numbered)
    assert every.coefficients == ("Intercept", "`1`")
    weighted = bm.Model("`0` ~ `1` + (1 | `2`)", numbered.assign(**{"w": 2.0}).rename(columns={"w": 7}), weights="7")
    assert set(weighted.design.weights) == {2.0}
    with pytest.raises(DataError, match="exist more than once"):
        bm.Model("y ~ `1` + (1 | g)", data.assign(**{"1": 0.0}).rename(columns={"x": 1}))


@pytest.mark.parametrize("dtype", ["float16", np.longdouble])
def test_floats_of_odd_sizes_are_levels_and_numbers(data: pd.DataFrame, dtype: Any) -> None:
    table = data.astype({"g": dtype, "day": dtype, "site": dtype})
    fit, usual = fitted("y ~ factor(site) + day + (1 | g)", table), fitted("y ~ factor(site) + day + (1 | g)", data)
    np.testing.assert_allclose(fit.fixef(), usual.fixef(), rtol=SAME)
    assert fit.ranef()["g"].index.tolist() == usual.ranef()["g"].index.tolist()
    np.testing.assert_allclose(fit.predict(table[:4]), usual.predict(data[:4]), rtol=SAME)


def test_bytes_are_levels(data: pd.DataFrame, tmp_path: Any) -> None:
    table = data.assign(f=[text.encode() for text in data["f"]], g=[str(level).encode() for level in data["g"]])
    fit, usual = fitted("y ~ f + (1 | g)", table), fitted("y ~ f + (1 | g)", data.astype({"g": str}))
    np.testing.assert_allclose(fit.fixef(), usual.fixef(), rtol=SAME)
    np.testing.assert_allclose(fit.predict(table[:7]), usual.predict(data.astype({"g": str})[:7]), rtol=SAME)
    loaded = bm.load(fit.save(tmp_path / "fit.nc"))
    np.testing.assert_allclose(loaded.predict(table[:7]), fit.predict(table[:7]), rtol=SAME)
    assert len(bm.emmeans(fit, "f").frame) == 5


@pytest.mark.parametrize("column", ["f", "g"])
@pytest.mark.parametrize("values", [[Unsortable(1), Unsortable(2)], list(Colour), [pd.Timestamp("2020-01-01"), 3]])
def test_levels_without_an_order_are_answered(data: pd.DataFrame, column: str, values: list[Any]) -> None:
    table = data.assign(**{column: np.resize(np.array(values, dtype=object), len(data))})
    with pytest.raises(DataError, match=rf"'{column}'.*(no order|mixes|holds)"):
        bm.Model("y ~ f + (1 | g)", table)
    ordered = table.assign(**{column: pd.Categorical(table[column], categories=values)})
    assert bm.Model("y ~ f + (1 | g)", ordered).design.n_rows == len(data)


def test_tables_of_polars_keep_the_order_of_an_enum(data: pd.DataFrame) -> None:
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"y": data["y"].to_numpy(), "g": data["g"].to_numpy(), "f": data["f"].tolist()})
    table = table.with_columns(f=pl.col("f").cast(pl.Enum(list("edcba"))))
    fit = fitted("y ~ f + (1 | g)", table)
    ordered = data.assign(f=pd.Categorical(data["f"], categories=list("edcba")))
    pd.testing.assert_series_equal(fit.fixef(), fitted("y ~ f + (1 | g)", ordered).fixef())
    np.testing.assert_allclose(fit.predict(table.head(3)), fit.predict(ordered[:3]), rtol=SAME)
    grouped = fitted("y ~ 1 + (1 | f)", table)
    assert grouped.ranef()["f"].index.tolist() == list("edcba")
    objects = table.with_columns(pl.Series("f", [Unsortable(ord(text)) for text in data["f"]], dtype=pl.Object))
    with pytest.raises(BayesMixedError, match="no order"):
        bm.Model("y ~ f + (1 | g)", objects)


def notes(model: bm.Model) -> str:
    return str(model).partition("\nNotes\n")[2]


@pytest.mark.parametrize(
    ("right", "column"),
    [
        ("diet + (1 | g)", "diet"), ("diet * x + (1 | g)", "diet"), ("diet + (diet | g)", "diet"),
        ("site + (1 | g)", "site"), ("day + (1 | g)", "day"),
    ],
)  # fmt: skip
def test_whole_numbers_that_look_like_labels_get_one_line(data: pd.DataFrame, right: str, column: str) -> None:
    model, k = bm.Model(f"y ~ {right}", data), data[column].nunique()
    line = f"{column}: {k} whole numbers, taken as a number; factor({column}) makes groups of it."
    assert notes(model).count(line) == 1
    found = [one for one in bm.diagnose(model.fit("ml"), refit=False).findings if one.check == "columns"]
    assert [(one.severity, one.remedy) for one in found] == [("note", f"factor({column}) makes groups of it")]


@pytest.mark.parametrize(
    "right",
    [
        "factor(diet) + (1 | g)", "poly(diet, 2) + (1 | g)", "diet + I(diet^2) + (1 | g)", "x + (1 | diet)",
        "age + (age | g)", "day + (day | g)", "x + (1 | g)", "up + (1 | g)",
    ],
)  # fmt: skip
def test_numbers_that_the_formula_treats_as_such_are_left_alone(data: pd.DataFrame, right: str) -> None:
    assert "whole numbers" not in notes(bm.Model(f"y ~ {right}", data))


def test_decimal_commas_are_told_how_to_be_read(data: pd.DataFrame) -> None:
    told = r'read the file with pandas.read_csv\(path, decimal=","\)'
    with pytest.warns(BayesMixedWarning, match=told):
        model = bm.Model("y ~ comma + (1 | g)", data)
    assert "comma: a factor of" in notes(model)
    for formula in ("comma ~ x + (1 | g)", "y ~ log(comma) + (1 | g)", "y ~ as.numeric(comma) + (1 | g)"):
        with pytest.raises(DataError, match=told):
            bm.Model(formula, data)
    bm.Model("y ~ x + (1 | comma)", data)  # labels may have commas
    bm.Model("y ~ f + (1 | g)", data.assign(f=np.resize(["a,b", "1,5"], 120)))


def test_a_response_of_two_values_is_told_of_the_bernoulli_family(data: pd.DataFrame) -> None:
    for y in (data["up"], data["up"].astype(int)):
        model = bm.Model("up ~ x + (1 | g)", data.assign(up=y))
        assert 'up: 0 and 1 only, taken as numbers; family="bernoulli" models the probability of 1.' in notes(model)
        assert any('family="bernoulli"' in one.remedy for one in bm.diagnose(model.fit("ml"), refit=False).findings)
    coded = bm.Model("up ~ x + (1 | g)", data.assign(up=data["up"] + 1))
    assert 'family="bernoulli" models the probability of 2, with I(up == 2) on the left' in notes(coded)
    assert "taken as numbers" not in notes(bm.Model("up ~ x + (1 | g)", data, family="bernoulli"))
