"""Which models are timed, on which data, how often, and what each must reach."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

import bayesmixed as bm

GROUP_SIZE = 100  # rows per group of the simulated tables: 1,000,000 rows are 10,000 groups
ROWS = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Case:
    """One model on one table, fitted by maximum likelihood `repeats` times a round after an untimed call.

    Where `r_repeats` is 1 a fit in R takes seconds to minutes, and its engines have one round of one fit. `spelling`
    is the formula of a peer that does not read ours; ` weights=` and a column's name may follow it.
    """

    name: str
    title: str
    formula: str
    table: Callable[[], pd.DataFrame]
    repeats: int
    r_repeats: int
    family: str = "gaussian"
    spelling: Mapping[str, str] = field(default_factory=dict)

    def written(self, peer: str) -> str:
        """The formula as the peer reads it."""
        return self.spelling.get(peer, self.formula)

    def factors(self, table: pd.DataFrame) -> list[str]:
        """The columns that every peer must treat as categorical."""
        return [name for name in table.columns if isinstance(table[name].dtype, pd.CategoricalDtype)]


def sleepstudy() -> pd.DataFrame:
    """180 rows, 18 people."""
    return bm.load_data("sleepstudy")


def insteval() -> pd.DataFrame:
    """73,421 ratings of 1,128 lecturers by 2,972 students."""
    return not_shipped("InstEval")[["y", "s", "d", "service", "dept"]]


def not_shipped(name: str) -> pd.DataFrame:
    """A data set of lme4 that is not part of bayesmixed, from BAYESMIXED_DATA, the reference data or R."""
    folders = [os.environ.get("BAYESMIXED_DATA"), Path(__file__).parents[2] / "shared" / "reference" / "data"]
    for folder in [*filter(None, folders), _exported_from_r(name)]:
        os.environ["BAYESMIXED_DATA"] = str(folder)
        try:
            return bm.load_data(name)
        except bm.errors.DataError:
            continue
    return bm.load_data(name)  # raises, saying how to get the file


def simulated(rows: int) -> pd.DataFrame:
    """Correlated intercepts and slopes for rows / 100 groups: sds 1 and 0.5, correlation 0.3, noise 2.

    The groups are text, as a table read from a file has them, so that the time of a model includes finding the levels.
    """
    rng = np.random.default_rng(rows)
    groups = rows // GROUP_SIZE
    factor = np.array([[1.0, 0.0], [0.15, np.sqrt(0.25 - 0.15**2)]])
    effects = rng.standard_normal((groups, 2)) @ factor.T
    codes = np.repeat(np.arange(groups), GROUP_SIZE)
    x = rng.standard_normal(rows).round(6)
    y = 3.0 + 0.7 * x + effects[codes, 0] + effects[codes, 1] * x + rng.normal(0.0, 2.0, rows)
    labels = np.array([f"g{code}" for code in range(groups)])
    return pd.DataFrame({"y": y.round(6), "x": x, "g": labels[codes]})


def cases() -> list[Case]:
    """Every case, the quick ones first."""
    slopes = "Reaction ~ Days + (Days | Subject)"
    crossed = "y ~ service + (1 | s) + (1 | d)"
    wide = "y ~ service * dept + (1 | s) + (1 | d)"
    return [
        Case("sleepstudy", "sleepstudy, correlated slopes", slopes, sleepstudy, 50, 50),
        Case("insteval", "InstEval, service", crossed, insteval, 3, 1),
        Case("insteval_dept", "InstEval, service * dept", wide, insteval, 3, 1),
        *(
            Case(f"rows_{n}", f"{n:,} rows x {n // GROUP_SIZE:,} groups", "y ~ x + (x | g)", _maker(n), 3, 1)
            for n in ROWS
        ),
    ]


def _maker(rows: int) -> Callable[[], pd.DataFrame]:
    return lambda: simulated(rows)


def _exported_from_r(name: str) -> Path:
    """Where R's lme4 put its table, if R and lme4 are there."""
    folder = Path("build", "benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"{name}.csv").is_file() and shutil.which("Rscript"):
        script = f'write.csv(lme4::{name}, "{(folder / f"{name}.csv").as_posix()}", row.names = FALSE)'
        subprocess.run(["Rscript", "-e", script], check=False, capture_output=True)
    return folder
