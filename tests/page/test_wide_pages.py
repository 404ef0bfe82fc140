"""Pages in a terminal: tables as wide as it is, sentences that are wrapped, names in any script."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.page import Page, Section, letters
from bayesmixed.page.columns import columns, is_number, said_once

NUMBERS = pd.DataFrame({f"column {i}": [f"{i}.25", f"-{i}.5"] for i in range(9)}, index=["first", "second"])


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def shown(table: pd.DataFrame, **options: object) -> list[str]:
    return str(Page((Section("", table, **options),))).splitlines()  # type: ignore[arg-type]


def test_a_table_that_is_too_wide_stands_in_blocks_that_each_name_their_rows() -> None:
    lines = shown(NUMBERS)
    assert max(map(len, lines)) <= 60
    blocks = "\n".join(lines).split("\n\n")
    assert len(blocks) == 2 and all(block.split("\n")[1].startswith("first") for block in blocks)
    assert [word for line in lines for word in line.split() if word == "-8.5"] == ["-8.5"]


def test_every_number_of_a_folded_table_is_there_once() -> None:
    words = " ".join(shown(NUMBERS)).split()
    assert all(words.count(cell) == 1 for name in NUMBERS for cell in NUMBERS[name])


def test_a_row_without_a_value_in_a_block_is_left_out_of_it() -> None:
    table = NUMBERS.copy()
    table.iloc[0, 5:] = ""
    assert "first" not in "\n".join(shown(table)).split("\n\n")[1]


def test_a_table_that_fits_is_printed_as_it_is() -> None:
    table = pd.DataFrame({"kind": ["profile", "profile"], "value": ["1.5", "-10.25"]})
    assert shown(table, index=False) == [" kind     value", " profile    1.5", " profile -10.25"]


def test_words_that_all_rows_share_are_said_once_where_the_table_would_not_fit() -> None:
    lines = shown(NUMBERS.iloc[:, :3].assign(source="a long description of a default", other="and another one of it"))
    assert lines[-2:] == ["In every row: source = a long description of a default,", "other = and another one of it."]
    assert len(lines) == 5


def test_long_names_are_broken_and_stay_beside_their_numbers() -> None:
    name = "condition_of_the_participant[treatment]:age_at_the_first_examination"
    table = pd.DataFrame({"estimate": ["1.25", "2.50"], "se": ["0.10", "0.20"]}, index=[name, "age"])
    lines = shown(table)
    assert max(map(len, lines)) <= 60 and len(lines) == 4
    assert lines[1].endswith("1.25 0.10") and lines[2].strip() == "age_at_the_first_examination"


def test_letters_of_two_columns_are_counted_as_two() -> None:
    table = pd.DataFrame({"estimate": ["1.5", "2.5"]}, index=["対照", "control"])
    assert letters("対照") == 4 and len({letters(line) for line in shown(table)}) == 1


def test_long_sentences_are_wrapped_in_every_kind_of_section() -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    for page in (fit.summary(), bm.diagnose(fit), bm.icc(fit), bm.side_by_side(*[fit] * 6), bm.multi_start(fit, 1)):
        assert max(map(len, str(page).splitlines())) <= 60


@pytest.mark.parametrize("text", ["251.4 (6.82)", "-0.12 [-0.60, 0.44]", "<0.005", "1.2e-05", "nan", "-inf", ""])
def test_numbers_with_errors_or_limits_stand_on_the_right(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["1 to 7", "a (1)", "308x", "1|Subject", "2 [of 3]"])
def test_words_that_hold_numbers_do_not(text: str) -> None:
    assert not is_number(text)


def test_the_first_column_is_said_once_where_the_second_names_the_rows() -> None:
    table = pd.DataFrame({"term": ["x", "x"], "contrast": ["b - a", "c - a"], "estimate": ["1.5", "2.5"]})
    kept, lines = said_once(columns(table, index=False))
    assert [each.head for each in kept] == ["contrast", "estimate"] and lines == ("In every row: term = x.",)


def test_estimates_are_never_said_once_and_the_first_column_names_the_rows() -> None:
    table = pd.DataFrame({"level": ["a", "a"], "kind": ["x", "x"], "se": ["0.5", "0.5"], "df": ["17.0", "17.0"]})
    kept, lines = said_once(columns(table, index=False))
    assert [each.head for each in kept] == ["level", "se", "df"] and lines == ("In every row: kind = x.",)
    kept, lines = said_once(columns(table, index=False), also=["df"])
    assert [each.head for each in kept] == ["level", "se"] and lines == ("In every row: kind = x, df = 17.0.",)


def test_limits_of_one_column_have_one_number_of_decimals_where_their_widths_are_alike() -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    (section,) = bm.confint(fit).page.sections
    assert section.table is not None
    decimals = [len(cell.split(".")[1]) for cell in section.table["lower"]]
    assert all(one == other for one, other in pairwise(decimals))
