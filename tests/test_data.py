"""The shipped data sets are the ones of their R packages, typed as there, each with its source and licence."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import REFERENCE, load_reference_frame

from bayesmixed.data import list_data, load_data, loading
from bayesmixed.data.catalogue import FOLDER, Entry, catalogue
from bayesmixed.errors import DataError

SHIPPED = [entry for entry in catalogue().values() if entry.shipped]
ABSENT = [entry for entry in catalogue().values() if not entry.shipped]
NOT_OURS_TO_SHIP = {"yu_example1", "banta", "culcita", "gopher"}  # no licence that lets us redistribute them
LARGEST_FILE = 80_000  # bytes: the wheel stays small
LOADING_TIME = 0.010  # seconds: about 1 ms on an idle machine, the rest is room for a busy one


def named(entry: Entry) -> str:
    return entry.name


@pytest.mark.parametrize("entry", SHIPPED, ids=named)
def test_a_shipped_set_has_the_rows_columns_types_and_levels_of_its_catalogue_entry(entry: Entry) -> None:
    table = load_data(entry.name)
    assert len(table) == entry.rows
    assert list(table.columns) == list(entry.columns)
    for name, kind in entry.columns.items():
        values = table[name]
        assert values.notna().all()
        if kind.type == "factor":
            assert isinstance(values.dtype, pd.CategoricalDtype)
            assert values.cat.ordered == kind.ordered
            assert kind.levels is None or tuple(values.cat.categories) == kind.levels
            assert all(isinstance(level, str) for level in values.cat.categories)
        elif kind.type == "integer":
            assert pd.api.types.is_integer_dtype(values)
        else:
            assert values.dtype == "float64"


@pytest.mark.parametrize("entry", catalogue().values(), ids=named)
def test_every_set_says_what_it_is_whose_study_it_was_and_under_which_licence_it_comes(entry: Entry) -> None:
    for fact in (entry.title, entry.description, entry.citation, entry.source, entry.licence):
        assert fact.strip()


@pytest.mark.parametrize("entry", SHIPPED, ids=named)
def test_a_table_carries_its_title_citation_and_licence(entry: Entry) -> None:
    attributes = load_data(entry.name).attrs
    assert attributes["title"] == entry.title
    assert attributes["citation"] == entry.citation
    assert attributes["licence"] == entry.licence


@pytest.mark.parametrize("entry", SHIPPED, ids=named)
def test_a_shipped_set_has_the_types_and_level_orders_that_r_exported(entry: Entry) -> None:
    pd.testing.assert_frame_equal(load_data(entry.name), load_reference_frame(entry.name))


@pytest.mark.parametrize("entry", ABSENT, ids=named)
def test_a_set_that_is_not_shipped_is_read_from_the_users_folder(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load_reference_frame(entry.name)
    monkeypatch.setenv("BAYESMIXED_DATA", str(REFERENCE / "data"))
    pd.testing.assert_frame_equal(load_data(entry.name), expected)


def test_shipped_files_are_small_and_all_in_the_catalogue() -> None:
    files = {path.stem: path.stat().st_size for path in (FOLDER / "sets").iterdir()}
    assert set(files) == {entry.name for entry in SHIPPED}
    assert max(files.values()) <= LARGEST_FILE


def test_sets_without_a_licence_to_redistribute_are_not_shipped() -> None:
    assert not NOT_OURS_TO_SHIP & set(catalogue())
    for folder in (FOLDER / "sets", REFERENCE / "data"):
        assert not [path for path in folder.iterdir() if path.name.split(".")[0] in NOT_OURS_TO_SHIP]


def test_the_list_has_one_row_per_set() -> None:
    table = list_data()
    assert list(table["name"]) == list(catalogue())
    assert table.loc[table["name"] == "sleepstudy", ["rows", "columns", "shipped"]].values.tolist() == [[180, 3, True]]
    assert not table.loc[table["name"] == "InstEval", "shipped"].item()


def test_labels_that_look_like_numbers_are_labels() -> None:
    assert list(load_data("sleepstudy")["Subject"].cat.categories[:2]) == ["308", "309"]


def test_changing_a_table_changes_no_later_one() -> None:
    first = load_data("sleepstudy")
    first.loc[0, "Reaction"] = -1.0
    assert load_data("sleepstudy").loc[0, "Reaction"] == 249.56


def test_loading_is_quick() -> None:
    def seconds() -> float:
        begin = time.perf_counter()
        load_data("sleepstudy")
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(10)) < LOADING_TIME


NEARLY = {"Sleepstudy": "sleepstudy", "insteval": "InstEval", "VERBAG": "VerbAgg"}


@pytest.mark.parametrize(("typed", "meant"), NEARLY.items())
def test_an_unknown_name_is_answered_with_the_nearest_whatever_its_case(typed: str, meant: str) -> None:
    with pytest.raises(DataError, match=f"Unknown data set '{typed}'.*'{meant}'"):
        load_data(typed)


def test_an_unknown_name_with_nothing_near_points_to_the_list() -> None:
    with pytest.raises(DataError, match=r"bm\.list_data\(\)"):
        load_data("zzzzzz")


@pytest.mark.parametrize("folder", [None, "elsewhere"])
def test_a_set_that_is_not_at_hand_is_answered_with_the_line_that_exports_it(
    folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BAYESMIXED_DATA", raising=False)
    if folder is not None:
        monkeypatch.setenv("BAYESMIXED_DATA", folder)
    with pytest.raises(DataError) as caught:
        load_data("InstEval")
    assert 'write.csv(lme4::InstEval, "InstEval.csv", row.names = FALSE)' in str(caught.value)
    assert "BAYESMIXED_DATA" in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_the_users_file_may_be_plain_or_gzipped_and_gets_numeric_level_order(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_insteval(tmp_path / f"InstEval{suffix}", students=("10", "9"))
    monkeypatch.setenv("BAYESMIXED_DATA", str(tmp_path))
    table = load_data("InstEval")
    assert list(table["s"].cat.categories) == ["9", "10"]
    assert list(table["y"]) == [5, 3]


def test_a_label_that_the_catalogue_does_not_list_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_insteval(tmp_path / "InstEval.csv", students=("1", "2"), department="99")
    monkeypatch.setenv("BAYESMIXED_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"'dept'.*'99' \(data row 1\)"):
        load_data("InstEval")


def test_a_missing_column_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "InstEval.csv").write_text('"s","d"\n"1","2"\n')
    monkeypatch.setenv("BAYESMIXED_DATA", str(tmp_path))
    with pytest.raises(DataError, match="no column 'studage'"):
        load_data("InstEval")


def write_insteval(path: Path, *, students: tuple[str, str], department: str = "2") -> None:
    """Two rows in the layout of lme4's InstEval."""
    header = '"s","d","studage","lectage","service","dept","y"\n'
    first = f'"{students[0]}","1","2","2","0","{department}",5\n'
    second = f'"{students[1]}","2","2","2","0","{department}",3\n'
    text = header + first + second
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def test_a_copy_without_the_shipped_tables_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may not pass them on leaves them out."""
    monkeypatch.setattr(loading, "FOLDER", tmp_path)
    monkeypatch.delenv(loading.VARIABLE, raising=False)
    with pytest.raises(DataError, match=r"(?s)is not shipped.*write\.csv\(lme4::sleepstudy"):
        load_data("sleepstudy")
