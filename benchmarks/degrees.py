"""How long degrees of freedom take, beside lmerTest, glmm and others in one run: results/degrees.md. See README.md."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cases import insteval, sleepstudy
from machine import machine

import bayesmixed as bm
from bayesmixed.degrees.methods import reference

HERE = Path(__file__).parent
WORK = HERE.parent / "build" / "benchmarks"
LIMIT = 300.0  # seconds after which a peer is given up


@dataclass(frozen=True)
class Case:
    """A model fitted by REML, whose coefficients all get degrees of freedom."""

    name: str
    formula: str
    source: Callable[[], pd.DataFrame]

    def table(self) -> pd.DataFrame:
        """Its data, the labels of factors such that every engine sorts them alike."""
        found = self.source()
        for name in found.select_dtypes("category"):
            codes = found[name].cat.codes
            found[name] = [f"level{code:05d}" for code in codes]
            found[name] = found[name].astype("category")
        return found


CASES = (
    Case("sleepstudy", "Reaction ~ Days + (Days | Subject)", sleepstudy),
    Case("Machines", "score ~ Machine + (Machine | Worker)", lambda: bm.load_data("Machines")),
    Case("InstEval", "y ~ service + (1 | s) + (1 | d)", insteval),
    Case("InstEval, 28 coefficients", "y ~ service * dept + (1 | s) + (1 | d)", insteval),
)


def main() -> None:
    """Run every section and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=".venv-peers/bin/python", help="the interpreter that has glmm")
    parser.add_argument("--case", nargs="*", help="only these cases")
    options = parser.parse_args()
    lines = ["# Degrees of freedom", "", *(f"- {name}: {value}" for name, value in machine().items())]
    lines += [f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "", *satterthwaite(options)]
    page = "\n".join(lines) + "\n"
    (HERE / "results" / "degrees.md").write_text(page, encoding="utf-8")
    print(page)


def satterthwaite(options: argparse.Namespace) -> list[str]:
    """The section of Satterthwaite's degrees of freedom: seconds and numbers of every engine."""
    lines = [
        "## Satterthwaite",
        "",
        "Seconds of the fit by REML (formula and table to estimates) and, beyond it, of the degrees of freedom of all "
        "coefficients: of lmerTest its `lmer` and `summary` less lme4's `lmer`, of glmm with the tests less without. "
        "`differs`: the largest relative difference from ours.",
        "",
        "| case | engine | fit | degrees of freedom | times ours | first three | differs |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in CASES:
        if options.case and case.name not in options.case:
            continue
        own = ours(case)
        for found in (own, *peers(case, options.peers)):
            lines.append(f"| {case.name} | {' | '.join(cells(found, own))} |")
            print(lines[-1], flush=True)
    return lines


def cells(found: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """What a row says of one engine."""
    if "missing" in found:
        return [found["peer"], found["missing"], "", "", "", ""]
    df, expected = np.array(found["df"], dtype=float), np.array(own["df"])
    differs = f"{np.max(np.abs(df / expected - 1)):.1e}" if df.shape == expected.shape else f"{len(df)} coefficients"
    shown = ", ".join(f"{value:.2f}" for value in df[:3])
    ratio = found["degrees"] / own["degrees"]
    return [found["peer"], f"{found['fit']:.3g}", f"{found['degrees']:.3g}", f"{ratio:.2g}", shown, differs]


def ours(case: Case) -> dict[str, Any]:
    """Our seconds, of the smallest of three calls on models made anew."""
    reference(bm.Model(CASES[0].formula, CASES[0].table()).fit("reml")).df(np.eye(2))
    table, rounds = case.table(), []
    for _ in range(3):
        begin = time.perf_counter()
        fit = bm.Model(case.formula, table).fit("reml")
        between = time.perf_counter()
        df = reference(fit, "satterthwaite").df(np.eye(len(fit.beta)))
        rounds.append((between - begin, time.perf_counter() - between))
    fitted, degrees = np.min(rounds, axis=0)
    return {"peer": "bayesmixed", "fit": fitted, "degrees": degrees, "df": df.tolist()}


def peers(case: Case, python: str) -> list[dict[str, Any]]:
    """Of every other engine its JSON line, or why there is none."""
    WORK.mkdir(parents=True, exist_ok=True)
    table, path = case.table(), WORK / "degrees.csv"
    table.to_csv(path, index=False)
    factors = ",".join(name for name in table.columns if isinstance(table[name].dtype, pd.CategoricalDtype))
    commands = {
        "lmerTest": ["Rscript", str(HERE / "peers" / "degrees.R")],
        "glmm": [python, str(HERE / "peers" / "degrees_glmm.py")],
    }
    return [timed(peer, [*command, str(path), case.formula, factors]) for peer, command in commands.items()]


def timed(peer: str, command: list[str]) -> dict[str, Any]:
    """What a peer printed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except FileNotFoundError:
        return {"peer": peer, "missing": f"{command[0]} not found"}
    except subprocess.TimeoutExpired:
        return {"peer": peer, "missing": f"not done within {LIMIT:g} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return {"peer": peer, "missing": (done.stderr.strip().splitlines() or ["it printed nothing"])[-1][:120]}
    found: dict[str, Any] = json.loads(lines[-1].replace("NaN", "null"))
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
