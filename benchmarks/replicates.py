"""Times parametric bootstraps against lme4's bootMer, pbkrtest and glmm in one run: see README.md in this folder.

python benchmarks/replicates.py [--peers PYTHON] [--case NAME ...] writes results/replicates.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from alone import THREADS, Record, run
from machine import machine

import bayesmixed as bm

HERE = Path(__file__).parent
ROUNDS = 3  # of the engines in turn; the middle time of each counts
REPLICATES = {"bayesmixed": 1000, "lme4": 40, "glmm": 300}


@dataclass(frozen=True)
class ReplicateCase:
    """One model: its formulas for us and for the others, and how many times faster than bootMer ours is to be."""

    name: str
    dataset: str
    formula: str
    smaller: str
    in_r: str
    smaller_in_r: str
    factors: str
    family: str
    target: float


SHARE, COUNTS = "prop(incidence, size)", "cbind(incidence, size - incidence)"
CASES = [
    ReplicateCase(
        "sleepstudy, correlated slopes", "sleepstudy", "Reaction ~ Days + (Days | Subject)",
        "Reaction ~ Days + (Days || Subject)", "Reaction ~ Days + (Days | Subject)", "", "Subject", "gaussian", 60,
    ),
    ReplicateCase(
        "Penicillin, crossed", "Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", "",
        "diameter ~ 1 + (1 | plate) + (1 | sample)", "", "plate,sample", "gaussian", 5,
    ),
    ReplicateCase(
        "cbpp, Laplace", "cbpp", f"{SHARE} ~ period + (1 | herd)", f"{SHARE} ~ 1 + (1 | herd)",
        f"{COUNTS} ~ period + (1 | herd)", f"{COUNTS} ~ 1 + (1 | herd)",
        "herd,period", "binomial", 10,
    ),
]  # fmt: skip


def main() -> None:
    """Run every case with every engine, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=".venv-peers/bin/python", help="the interpreter that has glmm")
    parser.add_argument("--case", nargs="*", help="only these: " + "; ".join(case.name for case in CASES))
    parser.add_argument("--output", type=Path, default=HERE / "results")
    options = parser.parse_args()
    facts = machine()
    wanted = [case for case in CASES if not options.case or case.name in options.case]
    with tempfile.TemporaryDirectory() as folder:
        records = {case.name: in_turn(case, options.peers, Path(folder)) for case in wanted}
    (options.output / "replicates.md").write_text(page(facts, wanted, records), encoding="utf-8")


def in_turn(case: ReplicateCase, peers: str, folder: Path) -> dict[str, Record]:
    """The middle times of every engine."""
    data = bm.load_data(case.dataset)
    data.to_csv(folder / "data.csv", index=False)
    fit = bm.Model(case.formula, data, family=case.family).fit("ml")
    np.save(folder / "y.npy", fit.simulate(REPLICATES["glmm"], seed=1))
    rounds: dict[str, list[Record]] = {}
    for _ in range(ROUNDS):
        for engine, command in commands(case, peers, folder).items():
            rounds.setdefault(engine, []).append(run(command, (*THREADS, "RAYON_NUM_THREADS")))
    return {engine: middle(found) for engine, found in rounds.items()}


def commands(case: ReplicateCase, peers: str, folder: Path) -> dict[str, list[str]]:
    """The command that runs each engine."""
    n, scripts, table = {k: str(v) for k, v in REPLICATES.items()}, HERE / "peers", str(folder / "data.csv")
    ours = [case.dataset, case.formula, case.smaller, case.family, n["bayesmixed"]]
    theirs = [table, case.in_r, case.smaller_in_r, case.factors, case.family, n["lme4"]]
    found = {
        "bayesmixed": [sys.executable, str(HERE / "ours_replicates.py"), *ours],
        "lme4": ["Rscript", str(scripts / "run_bootstrap_lme4.R"), *theirs],
    }
    if case.family == "gaussian":  # of binomial responses out of trials glmm has no simple way to exchange them
        script = str(scripts / "run_bootstrap_glmm.py")
        found["glmm"] = [peers, script, table, case.in_r, case.family, str(folder / "y.npy")]
    return found


def middle(rounds: list[Record]) -> Record:
    """The first round with the middle times of all."""
    good = [found for found in rounds if "failure" not in found]
    if not good:
        return rounds[0]
    times = {kind: _middle([found[kind] for found in good]) for kind in ("replicate", "test")}
    return {**good[0], **times}


def _middle(values: list[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None


def page(facts: dict[str, str], cases: list[ReplicateCase], records: dict[str, dict[str, Record]]) -> str:
    """The page as Markdown."""
    versions = {e: r["version"] for found in records.values() for e, r in found.items() if "version" in r}
    lines = ["# Parametric bootstraps", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [f"- engines: {', '.join(f'{engine} {version}' for engine, version in versions.items())}"]
    lines += [f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "- command: `python benchmarks/replicates.py`", ""]
    lines += [
        "CPU seconds of 1,000 replicates on one thread, each engine in a process of its own, the middle of three "
        f"rounds in turn. Ours made {REPLICATES['bayesmixed']}; lme4 (bootMer; tests: pbkrtest's PBmodcomp) "
        f"{REPLICATES['lme4']} and glmm {REPLICATES['glmm']} sequential refits of responses that it was given, both "
        "scaled to 1,000.",
        "",
        "| model | engine | bootstrap | ours is faster | wanted | bootstrap test | ours is faster |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in cases:
        lines += rows(case, records[case.name])
    return "\n".join(lines) + "\n"


def rows(case: ReplicateCase, found: dict[str, Record]) -> list[str]:
    """The lines of one model."""
    ours, lines = found["bayesmixed"], []
    for engine, record in found.items():
        if "failure" in record:
            lines.append(f"| {case.name} | {engine} | not measured: {record['failure']} | | | | |")
            continue
        wanted = {"lme4": f"{case.target:g}", "glmm": "1"}.get(engine, "")
        cells = [f"{1000 * record['replicate']:.2f}", _ratio(record, ours, "replicate"), wanted]
        cells += ["" if record["test"] is None else f"{1000 * record['test']:.2f}", _ratio(record, ours, "test")]
        lines.append(f"| {case.name} | {engine} | {' | '.join(cells)} |")
    return lines


def _ratio(record: Record, ours: Record, kind: str) -> str:
    if record is ours or record[kind] is None or ours.get(kind) is None:
        return ""
    return f"{record[kind] / ours[kind]:.1f}"


if __name__ == "__main__":
    main()
