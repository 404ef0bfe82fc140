"""Which tables are read, from which files, and what is asked about those that are not plain."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

from .typed import Shell

FORMULA = "rt ~ x + (1 | g)"


def own() -> pd.DataFrame:
    """Sixty rows of six groups; groups are numbers, one predictor is numbered conditions."""
    rng = np.random.default_rng(20240602)
    table = pd.DataFrame({"rt": rng.normal(300, 20, 60), "x": rng.normal(170, 8, 60)}).round(1)
    table["g"], table["dose"], table["who"] = np.tile(np.arange(6), 10), np.repeat([10, 2, 3], 20), list("abcdef") * 10
    return table


def coefficients(shell: Shell, name: str, *options: str, formula: str = FORMULA) -> list[float]:
    answer = shell("fit", formula, name, "--method", "ml", "--json", *options)
    assert answer.code == 0, answer.err
    return [row["estimate"] for row in answer.json["fits"][0]["coefficients"]]


def expected(table: Any = None, formula: str = FORMULA) -> list[float]:
    return bm.Model(formula, own() if table is None else table).fit("ml").fixef().tolist()


WRITERS: dict[str, tuple[tuple[str, ...], Callable[[pd.DataFrame, Path], Any]]] = {
    "own.csv": ((), lambda t, path: t.to_csv(path, index=False)),
    "own.tsv": ((), lambda t, path: t.to_csv(path, index=False, sep="\t")),
    "own.csv.gz": ((), lambda t, path: t.to_csv(path, index=False)),
    "own.csv.xz": ((), lambda t, path: t.to_csv(path, index=False)),
    "own.parquet": (("pyarrow",), lambda t, path: t.to_parquet(path)),
    "own.feather": (("pyarrow",), lambda t, path: t.to_feather(path)),
    "own.xlsx": (("openpyxl",), lambda t, path: t.to_excel(path, index=False)),
    "own.dta": ((), lambda t, path: t.to_stata(path, write_index=False)),
    "own.sav": (("pyreadstat",), lambda t, path: __import__("pyreadstat").write_sav(t, str(path))),
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_gives_the_numbers_of_the_table(name: str, shell: Shell, tmp_path: Path) -> None:
    libraries, write = WRITERS[name]
    for library in libraries:
        pytest.importorskip(library)
    write(own(), tmp_path / name)
    assert coefficients(shell, name) == expected()


def test_standard_input_is_csv(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO(own().to_csv(index=False).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    assert coefficients(shell, "-") == expected()


def test_a_file_goes_before_a_data_set_of_its_name(shell: Shell, tmp_path: Path) -> None:
    assert coefficients(shell, "Dyestuff", formula="Yield ~ 1 + (1 | Batch)")[0] == pytest.approx(1527.5)
    own().to_csv(tmp_path / "Dyestuff", index=False)
    assert coefficients(shell, "Dyestuff", "--sep", ",") == expected()


@pytest.mark.parametrize(
    ("encoding", "options"),
    [("utf-8", ()), ("utf-8-sig", ()), ("cp1252", ("--encoding", "cp1252")), ("utf-16", ("--encoding", "utf-16"))],
)
def test_tables_as_european_programs_write_them(
    encoding: str, options: tuple[str, ...], shell: Shell, tmp_path: Path
) -> None:
    table = own().rename(columns={"rt": "Reaktions zeit", "x": "Größe", "who": "Gruppe"})
    table.to_csv(tmp_path / "eigene daten.csv", sep=";", decimal=",", index=False, encoding=encoding)
    formula = "`Reaktions zeit` ~ Größe + (1 | Gruppe)"
    found = coefficients(shell, "eigene daten.csv", "--sep", ";", "--decimal", ",", *options, formula=formula)
    assert found == expected(table, formula)
    if options:
        assert " ".join(options) in shell("fit", formula, "eigene daten.csv", "--sep", ";", "--decimal", ",").mistake


def test_semicolons_and_decimal_commas_are_asked_about(shell: Shell, tmp_path: Path) -> None:
    own().to_csv(tmp_path / "own.csv", sep=";", decimal=",", index=False)
    assert '--sep ";"' in shell("fit", FORMULA, "own.csv").mistake
    message = shell("fit", FORMULA, "own.csv", "--sep", ";").mistake
    assert "Column 'rt'" in message and 'add --decimal "," (--factor rt' in message
    tabs = own().to_csv(sep="\t", index=False)
    (tmp_path / "tabs.csv").write_text(tabs, encoding="utf-8")
    assert '--sep "\\t"' in shell("fit", FORMULA, "tabs.csv").mistake
    assert coefficients(shell, "tabs.csv", "--sep", "\\t") == expected()


@pytest.mark.parametrize(
    ("written", "options", "value"),
    [
        ("{:,.1f}", ("--thousands", ","), "1,701.2"),
        ("{:,.0f}", ("--thousands", ","), "1,701"),
        ("{:,.1f}".replace(",", "_"), ("--decimal", ",", "--thousands", "."), "1.701,2"),
    ],
)
def test_thousands_that_are_parted(
    written: str, options: tuple[str, ...], value: str, shell: Shell, tmp_path: Path
) -> None:
    european = "_" in written
    table = own().assign(x=lambda t: (10 * t["x"]).round(0 if "0f" in written else 1))
    shown = table["x"].map(written.replace("_", ",").format)
    if european:
        shown = shown.str.translate(str.maketrans(",.", ".,"))
    table.assign(x=shown).to_csv(tmp_path / "own.csv", index=False, sep=";", decimal="," if european else ".")
    first = options[:2] if european else ()
    message = shell("fit", FORMULA, "own.csv", "--sep", ";", *first).mistake
    assert "Column 'x'" in message and f'{options[-2]} "{options[-1]}"' in message
    assert coefficients(shell, "own.csv", "--sep", ";", *options) == expected(table)


def test_a_comma_before_three_digits_may_be_either_and_both_are_named(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text('y;x\n1;"1,234"\n2;"2,345"\n4;"3,111"\n3;2\n', encoding="utf-8")
    message = shell("fit", "y ~ x", "own.csv", "--sep", ";").mistake
    assert '--decimal "," or --thousands ","' in message and "--factor x" in message
    german = shell("fit", "y ~ x", "own.csv", "--sep", ";", "--decimal", ",", "-m", "ml", "--json").json
    english = shell("fit", "y ~ x", "own.csv", "--sep", ";", "--thousands", ",", "-m", "ml", "--json").json
    slopes = [fit["fits"][0]["coefficients"][1]["estimate"] for fit in (german, english)]
    assert slopes[0] != pytest.approx(slopes[1])


def test_dots_of_thousands_are_no_labels_where_the_decimal_mark_is_a_comma(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("y;x\n1;1.234\n2;12.345\n4;3.111\n3;2.000\n", encoding="utf-8")
    assert '--thousands "."' in shell("fit", "y ~ x", "own.csv", "--sep", ";", "--decimal", ",").mistake


def test_a_file_with_two_decimal_marks_is_refused(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("y;x\n1,5;337.4\n2,5;12.3\n4;3.1\n3;2.0\n", encoding="utf-8")
    message = shell("fit", "y ~ x", "own.csv", "--sep", ";", "--decimal", ",").mistake
    assert "'337.4'" in message and "one decimal mark" in message
    message = shell("fit", "y ~ x", "own.csv", "--sep", ";", "--decimal", ",", "--thousands", ".").mistake
    assert message == "Column 'x' of 'own.csv' holds '337.4', in which '.' parts no thousands."


def test_labels_that_look_like_numbers_with_commas_can_be_kept(shell: Shell, tmp_path: Path) -> None:
    table = own().assign(pair=lambda t: t["dose"].map({10: "1,0", 2: "2,5", 3: "3,0"}))
    table.to_csv(tmp_path / "own.csv", index=False)
    assert "'pair'" in shell("fit", FORMULA, "own.csv").mistake
    formula = "rt ~ pair + (1 | g)"
    with pytest.warns(bm.errors.BayesMixedWarning, match="decimal commas"):
        labels = expected(table, formula)
    assert coefficients(shell, "own.csv", "--factor", "pair", formula=formula) == labels


def test_texts_that_stand_for_missing_values(shell: Shell, tmp_path: Path) -> None:
    table = own().astype({"x": object})
    table.loc[[4, 9], "x"] = "?"
    table.loc[3, "x"] = "NA"
    table.to_csv(tmp_path / "own.csv", index=False)
    answer = shell("fit", FORMULA, "own.csv", "--method", "ml", "--na", "?", "--json")
    assert answer.json["dropped"] == 3 and answer.err == ""
    assert coefficients(shell, "own.csv", "--na", "?") == expected(own().drop([3, 4, 9]))
    warned = shell("fit", FORMULA, "own.csv", "--method", "ml")
    assert "Warning: Column 'x' is text" in warned.err and "--na '?'" in warned.err


@pytest.mark.parametrize("name", ["own.csv", "own.xlsx"])
def test_a_group_called_none_is_a_group(name: str, shell: Shell, tmp_path: Path) -> None:
    """Rows of a condition "None" would be dropped as missing, and with "null" too one of three conditions be left."""
    table = own().assign(dose=np.repeat(["None", "null", "drug"], 20)).astype({"x": object})
    table.loc[3, "x"], table.loc[4, "x"] = "N/A", None
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    WRITERS[name][1](table, tmp_path / name)
    formula = "rt ~ x + dose + (1 | g)"
    assert coefficients(shell, name, formula=formula) == expected(
        table.assign(x=pd.to_numeric(table["x"], errors="coerce")), formula
    )


def test_a_negative_number_may_stand_for_a_missing_value(shell: Shell, tmp_path: Path) -> None:
    table = own()
    table.loc[4, "x"] = -99
    table.to_csv(tmp_path / "own.csv", index=False)
    assert coefficients(shell, "own.csv", "--na", "-99") == expected(own().drop(4))
    pytest.importorskip("openpyxl")
    table.to_excel(tmp_path / "own.xlsx", index=False)
    assert coefficients(shell, "own.xlsx", "--na", "-99") == expected(own().drop(4))
    table.to_stata(tmp_path / "own.dta", write_index=False)
    assert "--na is of Excel and text files" in shell("fit", FORMULA, "own.dta", "--na", "-99").mistake


def test_the_names_of_rows_that_r_writes_are_left_out_and_told(shell: Shell, tmp_path: Path) -> None:
    own()[["rt", "x"]].to_csv(tmp_path / "own.csv")
    answer = shell("fit", "rt ~ .", "own.csv", "--method", "ml", "--json")
    assert [row["name"] for row in answer.json["fits"][0]["coefficients"]] == ["Intercept", "x"]
    assert "without a name was left out (number 1)" in answer.err
    headless = "rt x\n" + "\n".join(f"{i} {row.rt} {row.x}" for i, row in enumerate(own().itertuples(), 1))
    (tmp_path / "own.txt").write_text(headless, encoding="utf-8")
    assert "row.names = FALSE" in shell("fit", "rt ~ x", "own.txt", "--sep", "space").mistake


def test_empty_columns_and_rows_and_spaces_around_names_are_nothing(shell: Shell, tmp_path: Path) -> None:
    lines = own().to_csv(index=False).replace("rt,x,g", "rt , x,g").splitlines()
    text = "\n".join([line + ",," for line in lines] + ["," * 6] * 2)
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    answer = shell("fit", FORMULA, "own.csv", "--method", "ml", "--json")
    assert answer.err == "" and answer.json["dropped"] == 0
    assert [row["estimate"] for row in answer.json["fits"][0]["coefficients"]] == expected()


def test_a_numbered_predictor_is_a_factor_when_it_is_named(shell: Shell, tmp_path: Path) -> None:
    own().to_csv(tmp_path / "own.csv", index=False)
    formula = "rt ~ dose + (1 | g)"
    plain = shell("fit", formula, "own.csv", "--method", "ml", "--json").json["fits"][0]
    named = shell("fit", formula, "own.csv", "--method", "ml", "--json", "--factor", "dose").json["fits"][0]
    assert [row["name"] for row in plain["coefficients"]] == ["Intercept", "dose"]
    assert [row["name"] for row in named["coefficients"]] == ["Intercept", "dose[3]", "dose[10]"]
    assert [row["level"] for row in plain["ranef"]["g"]] == list(range(6)), "what follows a bar is one by itself"
    assert "Did you mean 'dose'?" in shell("fit", formula, "own.csv", "--factor", "dosis").mistake


def test_whole_numbers_with_missing_ones_keep_their_labels(shell: Shell, tmp_path: Path) -> None:
    table = own()
    table.loc[5, "dose"] = np.nan
    table.to_csv(tmp_path / "own.csv", index=False)
    found = shell("fit", "rt ~ dose", "own.csv", "--method", "ml", "--json", "--factor", "dose").json
    assert [row["name"] for row in found["fits"][0]["coefficients"]] == ["Intercept", "dose[3]", "dose[10]"]


def test_labelled_values_of_stata_are_unordered_factors(shell: Shell, tmp_path: Path) -> None:
    labels = pd.Categorical(np.repeat(["none", "some", "much"], 20), categories=["none", "some", "much"])
    own().assign(dose=labels).to_stata(tmp_path / "own.dta", write_index=False)
    found = shell("fit", "rt ~ dose", "own.dta", "--method", "ml", "--json").json["fits"][0]
    assert [row["name"] for row in found["coefficients"]] == ["Intercept", "dose[some]", "dose[much]"]


def test_a_sheet_of_an_excel_file(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "own.xlsx") as book:
        own().head(30).to_excel(book, sheet_name="erste", index=False)
        own().to_excel(book, sheet_name="alle", index=False)
    assert coefficients(shell, "own.xlsx", "--sheet", "alle") == expected()
    first = shell("fit", FORMULA, "own.xlsx", "--method", "ml", "--json")
    assert first.json["rows"] == 30 and "'erste', 'alle'; the first is read" in first.err
    assert "Did you mean 'alle'?" in shell("fit", FORMULA, "own.xlsx", "--sheet", "ale").mistake


@pytest.mark.parametrize(
    ("name", "library"), [("own.parquet", "pyarrow"), ("own.xlsx", "openpyxl"), ("own.sav", "pyreadstat")]
)
def test_a_library_that_is_missing_is_named(
    name: str, library: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bayesmixed.cli.table import formats

    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    (tmp_path / name).write_bytes(b"anything")
    assert f"pip install {library}" in shell("fit", FORMULA, name).mistake
