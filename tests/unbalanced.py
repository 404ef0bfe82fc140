"""Unbalanced rows without chance, the same here and in R (inference/r_terms.R), and fits of them that tests share."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import bayesmixed as bm
from bayesmixed.errors import BayesMixedWarning

EFFECTS = np.array([0.9, -0.6, 0.3, -1.1, 0.5, 1.3, -0.2, -0.9, 0.7, -0.4])


@cache
def made_up() -> pd.DataFrame:
    """The rows of r_terms.R: unbalanced factors a (3), b (2), c (3), numbers x, z, ten groups."""
    i = np.arange(90)
    group = (i * 13) % 17 % 10
    table = pd.DataFrame({
        "a": np.array(["a1", "a2", "a3"])[(i * 7) % 11 % 3],
        "b": np.array(["b1", "b2"])[(i * 5) % 7 % 2],
        "c": np.array(["c1", "c2", "c3"])[(i * 3) % 13 % 3],
        "g": group.astype(str),
        "x": ((i * 29) % 31) / 10,
        "z": ((i * 11) % 23) / 7,
    })  # fmt: skip
    table["y"] = np.sin(1.7 * i) + 0.5 * (table.a == "a2") - 0.8 * (table.b == "b2") * table.x + EFFECTS[group]
    return table


def without_cells(*, four: bool = False) -> pd.DataFrame:
    """Without a3 b2, and perhaps without a1 b1 c3 as well: four cells of a:b:c are empty then."""
    d = made_up()
    gone = (d.a == "a3") & (d.b == "b2")
    return d[~(gone | (d.a == "a1") & (d.b == "b1") & (d.c == "c3"))] if four else d[~gone]


@cache
def fitted(formula: str, cells: str = "all", weights: str | None = None, method: str = "reml") -> Any:
    table = {"all": made_up, "one empty": without_cells, "four empty": lambda: without_cells(four=True)}[cells]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesMixedWarning)  # dropped columns
        return bm.Model(formula, table, weights=weights).fit(method)


def terms_of(fit: Any, type: int, **options: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesMixedWarning)  # empty cells
        return bm.anova(fit, type=type, **options).frame
