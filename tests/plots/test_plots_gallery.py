"""The page of pictures shows every plot, and each picture is what the call above it draws."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import bayesmixed as bm

DOCS = Path(__file__).resolve().parents[2] / "docs"
MOST_BYTES = 120_000  # of a picture, so that the page loads at once


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gallery", module)  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


def test_every_plot_has_a_call_and_a_picture_on_the_page(gallery: ModuleType) -> None:
    shown = [block for block in gallery.blocks() if block.picture is not None]
    called = {name for block in shown for name in re.findall(r"bm\.plot\.(\w+)\(", block.code)}
    assert {*bm.plot.PLOTS, *bm.plot.OF_OTHERS, *bm.plot.CHECKED} <= called


def test_every_picture_of_the_page_is_there_is_small_and_is_drawn_by_a_block(gallery: ModuleType) -> None:
    text = (DOCS / "guide" / "plots.md").read_text(encoding="utf-8")
    named = re.findall(r"\(\.\./(images/[\w.-]+\.png)\)", text)
    assert named == [block.picture for block in gallery.blocks() if block.picture is not None]
    assert len(set(named)) == len(named)
    for name in named:
        assert 0 < (DOCS / name).stat().st_size <= MOST_BYTES, name


@pytest.mark.slow
def test_the_page_runs_without_a_warning_and_draws_its_pictures(
    gallery: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    monkeypatch.setattr(gallery, "FOLDER", tmp_path)
    assert gallery.draw([]) == []
    assert {path.name for path in (tmp_path / "images").iterdir()} == {
        Path(block.picture).name for block in gallery.blocks() if block.picture is not None
    }
