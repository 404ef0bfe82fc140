"""Where tests find reference data and results: fits of lme4, nlme, glmmTMB and others, in tests/reference."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bayesmixed.data.catalogue import FOLDER, Column, column
from bayesmixed.data.reading import read_table

os.environ["COLUMNS"] = "1000"  # pages wrap at the width of a terminal; tests read whole sentences


class ClosedFigures:
    """Figures of a test, or of an example in a docstring, are not left open for those after it."""

    def pytest_runtest_teardown(self) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close("all")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(ClosedFigures())


VARIABLE = "BAYESMIXED_REFERENCE"
REFERENCE = Path(__file__).resolve().parent / "reference"


def result_names(prefix: str = "") -> list[str]:
    """Names of the result files that start with `prefix`, for parametrisation."""
    return sorted(path.stem for path in (REFERENCE / "results").glob(f"{prefix}*.json"))


def load_result(name: str) -> dict[str, Any]:
    """The parsed ``results/NAME.json``: formula, data set and one entry of ``fits`` per engine and estimator."""
    return _json(REFERENCE / "results" / f"{name}.json")


def load_reference_frame(dataset: str) -> pd.DataFrame:
    """A fresh copy of the reference data set, categoricals in the level order of ``schema.json``.

    The test that asks for one which may not be redistributed is skipped where it is not at hand.
    """
    return _frame(dataset).copy()


def data_folders() -> tuple[Path, ...]:
    """Where data sets are looked for: test-only ones, those of the package, and those that may not be redistributed."""
    outside = os.environ.get(VARIABLE) or REFERENCE.parents[2] / "shared" / "reference"
    return REFERENCE / "data", FOLDER / "sets", Path(outside) / "data"


class Reference:
    """The loaders as one object, for tests that take the fixture `reference`."""

    result = staticmethod(load_result)
    frame = staticmethod(load_reference_frame)


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Reference data and results."""
    return Reference()


@cache
def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def _frame(dataset: str) -> pd.DataFrame:
    record = _json(REFERENCE / "data" / "schema.json")[dataset]
    columns: dict[str, Column] = {name: column(value) for name, value in record["columns"].items()}
    found = [path for folder in data_folders() if (path := folder / record["file"]).is_file()]
    if not found:
        pytest.skip(
            f"the data set {dataset} may not be redistributed ({record['source']}): put {record['file']} into data/ of "
            f"a folder that {VARIABLE} names; tests/reference/README.md says more"
        )
    return read_table(found[0], columns)


@pytest.fixture
def plt() -> Iterator[Any]:
    """pyplot without a window and without the figures of others, its own closed afterwards."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    pyplot.close("all")
    yield pyplot
    pyplot.close("all")
