"""The tables and reference values that the tests of designs share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmixed.design.build import build_design
from bayesmixed.design.design import Design
from bayesmixed.formula.formula import Formula

# made by r_model_matrix.R, beside it
R: dict[str, Any] = json.loads(Path(__file__).with_name("r_model_matrix.json").read_text(encoding="utf-8"))


def table(part: str = "data") -> pd.DataFrame:
    """R's data frame ("data") or its new rows ("new"), with the factors that the script declares."""
    frame = pd.DataFrame(R[part])
    frame["fc"] = pd.Categorical(frame["f"], categories=["c", "a", "b"])
    frame["oo"] = pd.Categorical(frame["o"], categories=["lo", "mid", "hi", "top"], ordered=True)
    frame["b"] = frame["x"] > 1
    return frame


def design(formula: str, data: Any = None, **options: Any) -> Design:
    """The design of a formula on R's data frame, or on `data`."""
    return build_design(Formula(formula), table() if data is None else data, **options)[0]


def fingerprint(matrix: np.ndarray) -> np.ndarray:
    """sum(sqrt(row) * value) per column, which the R script stores in place of the matrix."""
    return np.sqrt(np.arange(1, len(matrix) + 1)) @ matrix
