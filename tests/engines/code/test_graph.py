"""A model as a drawing or as words."""

from __future__ import annotations

from pathlib import Path

import pytest

import bayesmixed as bm
from bayesmixed.engines import graph

MODEL = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))


def test_words_where_graphviz_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(graph, "drawable", lambda: False)
    words = MODEL.graph()
    assert repr(words).splitlines()[-1] == (
        "    Yield ~ Normal, observed, given Intercept, sigma, 1|Batch_sigma, Batch_u"
    )
    assert MODEL.graph(tmp_path / "yield.txt") == words
    assert (tmp_path / "yield.txt").read_text("utf-8").rstrip("\n") == words
    with pytest.raises(bm.errors.ModelError, match="pip install graphviz"):
        MODEL.graph(tmp_path / "yield.png")


@pytest.mark.skipif(not graph.drawable(), reason="graphviz is not installed")
def test_a_drawing_where_it_is(tmp_path: Path) -> None:
    drawing = MODEL.graph(tmp_path / "yield.svg")
    assert "levels of Batch" in drawing.source
    assert "<svg" in (tmp_path / "yield.svg").read_text("utf-8")
    with pytest.raises(bm.errors.ModelError, match="end it in .pdf"):
        MODEL.graph(tmp_path / "yield.pig")
