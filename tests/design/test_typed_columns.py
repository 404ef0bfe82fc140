"""Columns as databases and files give them mean the same as plain ones: decimals, dates, dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.design.build import build_design
from bayesmixed.design.columns.series import raw_values
from bayesmixed.design.table import select
from bayesmixed.design.typed_columns import typed
from bayesmixed.formula.formula import Formula

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")

ALGEBRA = 1e-12  # the same numbers in the same order
FORMULA = "y ~ x + (x | g)"
NUMBERS = ("y", "x", "w", "o", "g")


def plain() -> pd.DataFrame:
    """Numbers with two decimals, which decimals hold exactly; g are groups by number."""
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(8.0), 6)
    x = rng.normal(size=48).round(2)
    y = (rng.normal(size=8)[g.astype(int)] + x + rng.normal(size=48)).round(2)
    return pd.DataFrame(
        {"y": y, "x": x, "w": rng.uniform(0.5, 2, 48).round(2), "o": rng.normal(size=48).round(2), "g": g}
    )


def exact(table: pd.DataFrame) -> dict[str, list[Decimal]]:
    return {name: [Decimal(f"{value:.2f}") for value in table[name]] for name in NUMBERS}


def arrow(table: pd.DataFrame) -> Any:
    return pa.table({name: pa.array(values, pa.decimal128(12, 2)) for name, values in exact(table).items()})


SOURCES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas of Arrow types": lambda table: arrow(table).to_pandas(types_mapper=pd.ArrowDtype),
    "pandas of objects": lambda table: pd.DataFrame(exact(table)),
    "pyarrow": arrow,
    "polars": lambda table: pl.from_arrow(arrow(table)),
    "objects of floats": lambda table: table.astype(object),
}


@pytest.fixture(scope="module")
def reference() -> Any:
    return bm.Model(FORMULA, plain(), weights="w", offset="o").fit("reml")


@pytest.mark.parametrize("source", SOURCES)
def test_decimals_are_numbers_everywhere(reference: Any, source: str) -> None:
    """In the response, predictors, bars, groups, weights, offset and new rows."""
    table = SOURCES[source](plain())
    fit = bm.Model(FORMULA, table, weights="w", offset="o").fit("reml")
    assert fit.loglik == pytest.approx(reference.loglik, rel=ALGEBRA)
    assert list(fit.fixef().index) == ["Intercept", "x"]
    assert fit.ranef()["g"].index.tolist() == list(range(8))
    new = plain()[:5].assign(x=[0.25, 0.5, 0.75, 1.0, 1.25])
    expected = reference.predict(new, interval="confidence")
    found = reference.predict(SOURCES[source](new), interval="confidence")
    np.testing.assert_allclose(found, expected, rtol=ALGEBRA)
    np.testing.assert_allclose(fit.predict(new, interval="confidence"), expected, rtol=1e-8)
    np.testing.assert_allclose(
        bm.predictions(fit, "x").frame, bm.predictions(reference, "x").frame.to_numpy(float), rtol=1e-8
    )


def test_decimals_given_as_arguments_are_numbers(reference: Any) -> None:
    table = arrow(plain())
    weights, offset = (table.to_pandas(types_mapper=pd.ArrowDtype)[name] for name in ("w", "o"))
    fit = bm.Model(FORMULA, plain(), weights=weights, offset=offset).fit("reml")
    assert fit.loglik == pytest.approx(reference.loglik, rel=ALGEBRA)


def test_a_missing_decimal_is_a_missing_number() -> None:
    table = plain()
    values = exact(table)["x"]
    for column in (
        pd.Series([None, *values[1:]], dtype=pd.ArrowDtype(pa.decimal128(12, 2))),
        pd.Series([Decimal("NaN"), *values[1:]], dtype=object),
        pd.Series([None, *values[1:]], dtype=object),
    ):
        design, _ = build_design(Formula("y ~ x"), table.assign(x=column))
        assert design.n_dropped == 1
        np.testing.assert_array_equal(design.mu.X[:, 1], table["x"][1:])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([date(2024, 5, 2), None, date(2024, 5, 1)], dtype=object),
        pd.Series([date(2024, 5, 2), None, date(2024, 5, 1)], dtype=pd.ArrowDtype(pa.date32())),
        pd.Series([datetime(2024, 5, 2), None, datetime(2024, 5, 1)], dtype=pd.ArrowDtype(pa.timestamp("us"))),
        pd.Series([datetime(2024, 5, 2), None, datetime(2024, 5, 1)], dtype=object),
    ],
    ids=["objects", "date32", "timestamp", "datetimes"],
)
def test_dates_are_times(column: pd.Series) -> None:
    values = raw_values(typed(column), "day")
    assert values.dtype.kind == "M"
    assert np.isnat(values).tolist() == [False, True, False]
    assert values[0] - values[2] == np.timedelta64(1, "D")


def test_a_dictionary_keeps_its_levels_order_and_missing_values() -> None:
    words = pa.array(["low", None, "high", "low"]).dictionary_encode()
    numbers = pa.array([30, None, 4, 30]).dictionary_encode()
    table = pa.table({"words": words, "numbers": numbers})
    for data in (table, table.to_pandas(types_mapper=pd.ArrowDtype)):
        frame = select(data, ["words", "numbers"])
        for name, levels in (("words", ["low", "high"]), ("numbers", [30, 4])):
            factor: Any = raw_values(frame[name], name)
            assert factor.levels.tolist() == levels
            assert factor.codes.tolist() == [0, -1, 1, 0]


def test_whole_numbers_as_objects_keep_all_digits() -> None:
    """Identifiers above 2^53, which floats would join."""
    large = [2**60, 2**60 + 1, None]
    assert typed(pd.Series(large, dtype=object)).iloc[:2].tolist() == large[:2]
    assert typed(pd.Series(large[:2], dtype=object)).tolist() == large[:2]
    assert typed(pd.Series([2**70, 1], dtype=object)).tolist() == [2**70, 1]


def test_text_truth_values_and_mixtures_stay_as_they_are() -> None:
    for values in (["a", None], [True, None, False], ["1", 2], [b"x"]):
        column = pd.Series(values, dtype=object)
        assert typed(column) is column


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([[1.0]] * 4, dtype=pd.ArrowDtype(pa.list_(pa.float64()))),
        pd.Series([1, 2, 3, 4], dtype=pd.ArrowDtype(pa.duration("s"))),
        pd.Series([timedelta(seconds=i) for i in range(4)], dtype=object),
        pd.Series([time(i) for i in range(4)], dtype=pd.ArrowDtype(pa.time64("us"))),
        pd.Series([time(i) for i in range(4)], dtype=object),
        pd.Series([1j, 2.0, None, 4.0], dtype=object),
    ],
    ids=["lists", "durations", "timedeltas", "time64", "times", "complex"],
)
def test_what_is_no_number_and_no_level_is_refused(values: pd.Series) -> None:
    """Each would be a factor with as many levels as it has values."""
    with pytest.raises(bm.errors.DataError, match="column 'x' holds"):
        build_design(Formula("y ~ x"), pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "x": values}))
