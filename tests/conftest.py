"""Where tests find reference data and results: fits of lme4, nlme, glmmTMB and others, kept outside the repository."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bayesmixed.data.catalogue import Column, column
from bayesmixed.data.reading import read_table

os.environ["COLUMNS"] = "1000"  # pages wrap at the width of a terminal; tests read whole sentences

VARIABLE = "BAYESMIXED_REFERENCE"
REPOSITORY = Path(__file__).resolve().parents[1]


def reference_dir() -> Path:
    """The folder with ``data/`` and ``results/``; the test that asks for it is skipped where there is none."""
    folder = Path(os.environ.get(VARIABLE, REPOSITORY.parent / "shared" / "reference"))
    if not (folder / "results").is_dir():
        pytest.skip(f"no reference results: set {VARIABLE} to the folder that holds data/ and results/")
    return folder


def result_names(prefix: str = "") -> list[str]:
    """Names of the result files that start with `prefix`; empty where there are none (for parametrisation)."""
    folder = Path(os.environ.get(VARIABLE, REPOSITORY.parent / "shared" / "reference")) / "results"
    return sorted(path.stem for path in folder.glob(f"{prefix}*.json"))


def load_result(name: str) -> dict[str, Any]:
    """The parsed ``results/NAME.json``: formula, data set and one entry of ``fits`` per engine and estimator."""
    return _json(reference_dir() / "results" / f"{name}.json")


def load_reference_frame(dataset: str) -> pd.DataFrame:
    """A fresh copy of the reference data set, categoricals in the level order of ``schema.json``."""
    return _frame(reference_dir() / "data", dataset).copy()


class Reference:
    """The three loaders as one object, for tests that take the fixture `reference`."""

    directory = staticmethod(reference_dir)
    result = staticmethod(load_result)
    frame = staticmethod(load_reference_frame)


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Reference data and results; skips the test where they are absent."""
    reference_dir()
    return Reference()


@cache
def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def _frame(folder: Path, dataset: str) -> pd.DataFrame:
    record = _json(folder / "schema.json")[dataset]
    columns: dict[str, Column] = {name: column(value) for name, value in record["columns"].items()}
    return read_table(folder / record["file"], columns)
