"""``bayesmixed data``: what the package knows of its data sets, and their tables as files."""

from __future__ import annotations

from io import StringIO

import pandas as pd
import pytest

import bayesmixed as bm

from .typed import FORMULA, Shell


def test_the_list_has_every_data_set(shell: Shell) -> None:
    known = bm.list_data()
    lines = shell("data", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == list(known["name"])
    assert [line.endswith("(not shipped)") for line in lines] == (~known["shipped"]).tolist()
    found = pd.DataFrame(shell("data", "list", "--json").json["data"])
    assert found["rows"].tolist() == known["rows"].tolist() and found["citation"].tolist() == known["citation"].tolist()


def test_a_data_set_is_shown_with_its_source_columns_and_first_rows(shell: Shell) -> None:
    table = bm.load_data("cbpp")
    text = shell("data", "show", "cbpp").out
    assert all(
        word in text for word in ("Lesnoff", "GPL", "period, factor: 1, 2, 3, 4", table.head(6).to_string(index=False))
    )
    found = shell("data", "show", "cbpp", "--json").json
    assert found["head"][0] == {"herd": "1", "incidence": 2, "size": 14, "period": "1"}
    assert found["licence"] == table.attrs["licence"]


def test_one_that_is_not_shipped_is_described_all_the_same(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAYESMIXED_DATA", raising=False)
    assert "73,421 ratings" in shell("data", "show", "InstEval").out


@pytest.mark.parametrize(("name", "read"), [("s.csv", pd.read_csv), ("s.parquet", pd.read_parquet)])
def test_an_exported_table_gives_the_same_fit(name: str, read: object, shell: Shell) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    assert shell("data", "export", "sleepstudy", name).err == f"Wrote {name}\n"
    first, second = (shell("fit", FORMULA, table, "--method", "reml", "--json").json for table in (name, "sleepstudy"))
    assert first["fits"][0]["coefficients"] == second["fits"][0]["coefficients"]


def test_an_export_has_a_name_of_its_own_and_overwrites_only_when_told(shell: Shell) -> None:
    assert shell("data", "export", "Dyestuff").err == "Wrote Dyestuff.csv\n"
    assert shell("data", "export", "Dyestuff").code == 2
    assert shell("data", "export", "Dyestuff", "--overwrite").code == 0
    printed = shell("data", "export", "Dyestuff", "-").out
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(printed)), pd.read_csv("Dyestuff.csv"))
