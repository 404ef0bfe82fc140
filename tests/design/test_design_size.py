"""A million rows and fifty thousand levels are an ordinary table; a small table costs next to nothing."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from bayesmixed.design.build import build_design
from bayesmixed.design.columns import size
from bayesmixed.errors import BayesMixedWarning, DataError
from bayesmixed.formula.formula import Formula

FORMULA = Formula("y ~ x + (1 + x | g)")
SMALL_SECONDS = 0.02  # five times the design's promise, for machines that do other things meanwhile
BYTES_PER_ROW = 250  # a dozen columns' worth; rows times levels would be thousands


def _table(n: int, levels: int, kind: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    g = rng.integers(0, levels, n)
    return pd.DataFrame(
        {"y": rng.normal(size=n), "x": rng.normal(size=n), "g": g if kind == "int" else np.char.add("s", g.astype(str))}
    )


def _peak(data: pd.DataFrame) -> tuple[float, int]:
    """Seconds and peak bytes of one design, measured in two runs because tracing is slow."""
    start = time.perf_counter()
    built, _ = build_design(FORMULA, data)
    seconds = time.perf_counter() - start
    assert built.groups[0].Z.shape == (len(data), 2)
    tracemalloc.start()
    build_design(FORMULA, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


@pytest.mark.parametrize("kind", ["int", "text"])
def test_memory_grows_with_rows_not_with_rows_times_levels(kind: str) -> None:
    n = 100_000
    seconds, peak = _peak(_table(n, 20_000, kind))
    assert peak < BYTES_PER_ROW * n and seconds < 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["int", "text"])
def test_a_million_rows_take_three_seconds_and_a_gigabyte_at_most(kind: str) -> None:
    seconds, peak = _peak(_table(1_000_000, 50_000, kind))
    assert seconds < 3 and peak < 1e9


def test_crossed_interactions_hold_observed_cells_only() -> None:
    data = _table(5_000, 1_000, "int").assign(h=lambda d: np.arange(len(d)) % 997)
    built, _ = build_design(Formula("y ~ 1 + (1 | g/h)"), data)
    assert built.groups[1].n_levels == len(data[["g", "h"]].drop_duplicates())


def test_a_small_design_is_quick() -> None:
    data = _table(180, 18, "text")
    build_design(FORMULA, data)
    times = []
    for _ in range(15):
        start = time.perf_counter()
        build_design(FORMULA, data)
        times.append(time.perf_counter() - start)
    assert np.median(times) < SMALL_SECONDS


def test_a_gigabyte_of_columns_is_said_and_more_columns_than_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of wide designs the cross-products are what does not fit."""
    monkeypatch.setattr(size, "LARGE", 1e4)
    data = _table(200, 100, "int").assign(f=lambda d: d["g"].astype(str))
    with pytest.warns(BayesMixedWarning, match=r"`f` has \d+ columns for 200 rows: 0\.0 GB, and fitting takes"):
        build_design(Formula("y ~ f"), data)
    with pytest.raises(DataError, match=r"columns for 60 rows, most of them in `f`: cross fewer"):
        build_design(Formula("y ~ f*x*z"), data.iloc[:60].assign(z=lambda d: d["x"] ** 2))
