"""A file whose name says that it holds something else is not written over."""

from __future__ import annotations

import os

import pytest

import bayesmixed as bm
from bayesmixed.errors import FitError

MODEL = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))


@pytest.fixture(scope="module")
def fit():
    return MODEL.fit("ml")


WRITERS = {
    "page of a fit": (lambda fit, path: fit.to_html(path), "scores.html"),
    "page of a table": (lambda fit, path: fit.summary().to_html(path), "scores.html"),
    "LaTeX": (lambda fit, path: fit.summary().to_latex(path), "scores.tex"),
    "Markdown": (lambda fit, path: fit.summary().to_markdown(path), "scores.md"),
    "script": (lambda fit, path: fit.model.code(path), "scores.py"),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_table_of_the_users_is_not_written_over(fit, tmp_path, writer):
    write, instead = WRITERS[writer]
    table = tmp_path / "scores.csv"
    table.write_text("child,score\n1,2\n", encoding="utf-8")
    with pytest.raises(FitError, match=instead):
        write(fit, table)
    assert table.read_text(encoding="utf-8") == "child,score\n1,2\n"


@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_a_missing_folder_and_a_number_are_refused_by_name(fit, tmp_path, writer):
    write, _ = WRITERS[writer]
    with pytest.raises(FitError, match="is a folder"):
        write(fit, tmp_path)
    with pytest.raises(FitError, match="There is no folder"):
        write(fit, os.path.join(tmp_path, "nowhere", "a.html"))
    with pytest.raises(FitError, match="named by a text"):
        write(fit, 3)


def test_a_graph_goes_to_no_folder_either(tmp_path):
    with pytest.raises(FitError, match="is a folder"):
        MODEL.graph(tmp_path)
