"""Which fixed terms vary within the levels of a grouping factor, and the maximal structure that follows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame

import bayesmixed as bm


def crossed(subjects: int = 8, items: int = 8, copies: int = 1) -> pd.DataFrame:
    """Every subject with every item: a and c vary over items, b over subjects; t is a time within subjects."""
    s, i = (grid.ravel() for grid in np.meshgrid(range(subjects), range(items), indexing="ij"))
    table = pd.DataFrame({"subject": s, "item": i, "a": np.where(i % 2, "x", "y"), "b": np.where(s % 2, "p", "q")})
    table["c"], table["t"] = np.where(i // 2 % 2, "m", "n"), 2000.0 + i
    table = pd.concat([table] * copies, ignore_index=True)
    return table.assign(y=np.random.default_rng(1).standard_normal(len(table)))


def terms(found: object, group: str) -> dict[str, int]:
    frame = found.frame  # type: ignore[attr-defined]
    rows = frame[(frame["group"] == group) & frame["kept"]]
    return dict(zip(rows["term"], rows["varies_in"], strict=True))


def test_subjects_get_the_terms_of_items_and_items_those_of_subjects() -> None:
    found = bm.maximal("y ~ a*c + b", crossed(), ["subject", "item"])
    assert found.bars == {"subject": "(a * c | subject)", "item": "(b | item)"}
    assert found.formula == bm.Formula("y ~ a*c + b + (a*c | subject) + (b | item)")
    assert terms(found, "subject") == {"Intercept": 8, "a": 8, "c": 8, "a:c": 8}
    assert bm.Model(found.formula, crossed()).design.groups[0].columns[-1] == "a[y]:c[n]"


def test_an_interaction_varies_within_a_level_only_if_its_combinations_do() -> None:
    found = bm.maximal("y ~ a*b", crossed(), ["subject"])
    assert found.bars == {"subject": "(a | subject)"}  # b is constant in a subject, where a:b is a or nothing
    row = found.frame.set_index("term").loc["a:b"]
    assert row["varies_in"] == 0 and row["reason"] == "within levels no more than its parts"


def test_a_treatment_of_whole_mice_is_no_slope() -> None:
    mice = pd.DataFrame({"mouse": np.repeat(np.arange(24), 5), "treatment": np.repeat(["a", "b"], 60)})
    mice["y"] = np.random.default_rng(2).standard_normal(120)
    found = bm.maximal("y ~ treatment", mice, "mouse")
    assert found.bars == {"mouse": "(1 | mouse)"} and "constant within levels" in str(found)


def test_periods_vary_within_herds() -> None:
    found = bm.maximal("prop(incidence, size) ~ period", bm.load_data("cbpp"), "herd", family="binomial")
    assert found.bars == {"herd": "(period | herd)"}  # one row per cell, and no residual that it could be part of
    assert terms(found, "herd") == {"Intercept": 15, "period": 14}  # herd 8 was seen in one period


def test_treatments_vary_within_blocks() -> None:
    data = load_reference_frame("culcita")
    assert bm.maximal("predation ~ ttt", data, "block", family="bernoulli").bars == {"block": "(ttt | block)"}


def test_terms_with_one_row_per_cell_are_confounded_with_the_residual() -> None:
    cells = crossed(items=4)
    found = bm.maximal("y ~ a*c", cells, "subject")
    assert found.bars == {"subject": "(a + c | subject)"}
    assert found.frame.set_index("term").loc["a:c", "reason"] == "one row per cell: confounded with the residual"
    assert "part of sigma" in str(found)
    twice = bm.maximal("y ~ a*c", crossed(items=4, copies=2), "subject")
    assert twice.bars == {"subject": "(a * c | subject)"}
    counts = cells.assign(y=1.0 + np.arange(len(cells)) % 3)
    assert bm.maximal("y ~ a*c", counts, "subject", family="poisson").bars == {"subject": "(a * c | subject)"}
    assert bm.maximal("y ~ b", cells.drop_duplicates("subject"), "subject").bars == {}


def test_numeric_columns_vary_whatever_their_origin_and_units() -> None:
    for scale in (1.0, 1e-6, 1e6):
        table = crossed().assign(t=lambda d: d["t"] * scale)  # noqa: B023 evaluated at once
        assert bm.maximal("y ~ t + b", table, "subject").bars == {"subject": "(t | subject)"}
    curved = bm.maximal("y ~ poly(t, 2) + I(t^2)", crossed(), "subject")
    assert "poly(t, 2)" in curved.bars["subject"]


def test_nested_factors_are_opened() -> None:
    table = crossed().assign(half=lambda d: np.where(d["item"] < 4, "first", "second"))
    found = bm.maximal("y ~ a + half", table, "subject/half")
    assert found.bars == {"subject": "(a | subject)", "subject:half": "(a | subject:half)"}
    row = found.frame.set_index(["group", "term"]).loc["subject", "half"]
    assert row["reason"] == "one level of subject:half per cell: confounded with (1 | subject:half)"
    assert bm.maximal("y ~ a + half", table, "subject").bars == {"subject": "(a + half | subject)"}


def test_a_split_plot_has_plots_inside_of_blocks() -> None:
    found = bm.maximal("yield ~ nitro * Variety", bm.load_data("Oats"), "Block/Variety")
    assert found.bars == {"Block": "(nitro | Block)", "Block:Variety": "(nitro | Block:Variety)"}
    assert found.frame.set_index(["group", "term"]).loc[("Block", "nitro:Variety"), "reason"] == "contains Variety"


def test_one_level_is_no_variance() -> None:
    table = crossed().assign(b=lambda d: np.where((d["subject"] == 0) & (d["item"] == 0), "p", d["b"]))
    row = bm.maximal("y ~ b", table, "subject").frame.set_index("term").loc["b"]
    assert (row["varies_in"], row["kept"], row["reason"]) == (1, False, "one level shows no variance: a mistake there?")


def test_rows_with_missing_values_do_not_count() -> None:
    table = crossed()
    table.loc[(table["subject"] == 0) & (table["a"] == "x"), "y"] = np.nan
    found = bm.maximal("y ~ a", table, "subject")
    assert terms(found, "subject") == {"Intercept": 8, "a": 7}
    assert "4 rows with missing values were left out." in found.notes


def test_bars_of_the_formula_give_the_factors_and_are_replaced() -> None:
    found = bm.maximal("y ~ a + offset(t) + (1 | subject) + (0 + t || item)", crossed())
    assert str(found.formula) == "y ~ a + offset(t) + (a | subject) + (1 | item)"
    origin = bm.maximal("y ~ 0 + t", crossed(), "subject")
    assert origin.bars == {"subject": "(0 + t | subject)"}


def test_without_factors_there_is_nothing_to_say() -> None:
    with pytest.raises(bm.errors.FormulaError, match=r'groups=\["subject", "item"\]'):
        bm.maximal("y ~ a", crossed())
