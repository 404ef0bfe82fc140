"""Degrees of freedom of all coefficients: seconds and numbers of every engine, in one run; writes results/degrees.md.

Each engine fits a case by REML in a process of its own and times its degrees of freedom, the fit apart. See README.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cases import insteval
from degrees_report import markdown
from machine import machine

import bayesmixed as bm

HERE = Path(__file__).parent
WORK = HERE.parent / "build" / "benchmarks"
REFERENCE = HERE.parent / "tests" / "reference"
RESULTS = HERE / "results" / "degrees"
MEMORY = 12 * 2**30  # bytes of address space that an engine may take: matrices rows x rows would take all there is
METHODS = ("satterthwaite", "kenward-roger")


@dataclass(frozen=True)
class Case:
    """A model and its table; `factors` are read as such by every engine."""

    name: str
    formula: str
    table: Callable[[], pd.DataFrame]
    factors: tuple[str, ...] = ()


def reference_table(file: str) -> Callable[[], pd.DataFrame]:
    """A table of the reference collection or of the package."""
    places = (REFERENCE / "data", Path(bm.__file__).parent / "data" / "sets")
    return lambda: pd.read_csv(next(folder / file for folder in places if (folder / file).is_file()))


def subjects() -> pd.DataFrame:
    """45,861 rows of 2,000 subjects, who see some of 100 items."""
    rng, n, levels = np.random.default_rng(1), 45_861, 2_000
    subject, item, x = np.sort(rng.integers(0, levels, n)), rng.integers(0, 100, n), rng.normal(size=(n, 3))
    effects, slopes = rng.normal(size=levels), rng.normal(scale=0.5, size=levels)
    mean = (
        1 + x @ [0.3, 0.2, 0.1] + effects[subject] + slopes[subject] * x[:, 0] + rng.normal(scale=0.7, size=100)[item]
    )
    columns = {"y": mean + rng.normal(scale=1.5, size=n), "subject": subject, "item": item}
    return pd.DataFrame(columns).assign(x1=x[:, 0], x2=x[:, 1], x3=x[:, 2])


CASES = (
    Case("sleepstudy", "Reaction ~ Days + (Days | Subject)", reference_table("sleepstudy.csv"), ("Subject",)),
    Case("Machines", "score ~ Machine + (Machine | Worker)", reference_table("Machines.csv"), ("Worker", "Machine")),
    Case(
        "Hsb82",
        "mAch ~ meanses * cses + sector * cses + (cses | school)",
        reference_table("Hsb82.csv"),
        ("school", "sector"),
    ),
    Case(
        "ScotsSec",
        "attain ~ verbal * sex + (1 | primary) + (1 | second)",
        reference_table("ScotsSec.csv"),
        ("primary", "second", "sex"),
    ),
    Case(
        "egsingle",
        "math ~ year * size + female + (1 + year | childid) + (1 | schoolid)",
        reference_table("egsingle.csv"),
        ("childid", "schoolid", "female"),
    ),
    Case("InstEval", "y ~ service + (1 | s) + (1 | d)", insteval, ("s", "d", "service")),
    Case("45,861 rows", "y ~ x1 * x2 * x3 + (1 + x1 | subject)", subjects, ("subject",)),
    Case("45,861 rows, items", "y ~ x1 * x2 * x3 + (1 + x1 | subject) + (1 | item)", subjects, ("subject", "item")),
)


def main() -> None:
    """Run every case with every engine by every method, then write results/degrees.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=".venv-peers/bin/python", help="the interpreter that has mixedlm and glmm")
    parser.add_argument("--case", nargs="*", help="only these cases")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which an engine is given up")
    options = parser.parse_args()
    commands = {
        "bayesmixed": [sys.executable, str(HERE / "ours_degrees.py")],
        "R": ["Rscript", str(HERE / "peers" / "run_degrees.R")],
        "mixedlm": [options.peers, str(HERE / "peers" / "run_degrees.py")],
        "glmm": [options.peers, str(HERE / "peers" / "run_degrees_glmm.py")],
    }
    records = []
    for case in CASES:
        if not options.case or case.name in options.case:
            path = WORK / f"degrees_{case.name.replace(' ', '_').replace(',', '')}.csv"
            WORK.mkdir(parents=True, exist_ok=True)
            case.table().to_csv(path, index=False)
            for method in METHODS:
                for engine, command in commands.items():
                    if (engine, method) == ("glmm", "kenward-roger"):
                        continue  # which it does not have
                    records.append(answer(engine, command, case, path, method, options.limit))
                    print(json.dumps(records[-1]), flush=True)
    facts = {**machine(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": "`make bench-degrees`"}
    formulas = {case.name: case.formula for case in CASES}
    run = {"machine": facts, "limit": options.limit, "formulas": formulas, "records": records}
    RESULTS.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(markdown(run), encoding="utf-8")
    print(markdown(run))


def answer(engine: str, command: list[str], case: Case, path: Path, method: str, limit: float) -> dict[str, Any]:
    """The engine's own JSON line, or a record that says why there is none."""
    key = {"engine": engine, "case": case.name, "method": method}
    if shutil.which(command[0]) is None:
        return {**key, "missing": f"{Path(command[0]).name} not found"}
    words = [*command, str(path), case.formula, ",".join(case.factors), method]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False, preexec_fn=_limited)
    except subprocess.TimeoutExpired:
        return {**key, "missing": f"not done within {limit:g} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = done.stderr.strip().removesuffix("Execution halted").strip().splitlines() or ["it printed nothing"]
        errors = [line for line in said if "rror" in line]
        return {**key, "missing": " ".join([*errors, *said[-1:]])[:160].strip()}
    return {**key, **json.loads(lines[-1])}


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
