"""Times ML fits of linear mixed models against lme4, glmm and mixedlm in one run: see README.md in this folder."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cases import Case, cases
from machine import machine
from report import markdown
from startup import startup

HERE = Path(__file__).parent
WORK = HERE.parent / "build" / "benchmarks"
RESULTS = HERE / "results"
ROUNDS = 3
IN_R = ("lme4", "glmmTMB")


def main() -> None:
    """Run every case with every engine, then write results/linear.json and results/linear.md."""
    options = arguments(__doc__, cases(), 600.0)
    run = measured(options, cases(), engines(options.peers), "make bench")
    run["startup"] = startup()
    write(run, markdown(run, cases()), options.output, "linear")


def arguments(words: str | None, known: list[Case], limit: float) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--peers", default=".venv-peers/bin/python", help="the interpreter that has glmm and mixedlm")
    parser.add_argument("--case", nargs="*", help="only these cases: " + ", ".join(case.name for case in known))
    parser.add_argument("--limit", type=float, default=limit, help="seconds after which an engine is given up")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for the .json and .md files")
    return parser.parse_args()


def measured(
    options: argparse.Namespace, known: list[Case], commands: dict[str, list[str]], command: str
) -> dict[str, Any]:
    """What was run where and when, and the records of every case with every engine."""
    run = {"machine": machine(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": command}
    records: list[dict[str, Any]] = []
    for case in known:
        if not options.case or case.name in options.case:
            records += in_turn(case, commands, options.limit)
    return {**run, "limit": options.limit, "records": records}


def engines(peers: str) -> dict[str, list[str]]:
    """The command that runs each engine."""
    return {
        "bayesmixed": [sys.executable, str(HERE / "ours.py")],
        "lme4": ["Rscript", str(HERE / "peers" / "run_lme4.R")],
        "glmm": [peers, str(HERE / "peers" / "run_glmm.py")],
        "mixedlm": [peers, str(HERE / "peers" / "run_mixedlm.py")],
    }


def in_turn(case: Case, commands: dict[str, list[str]], limit: float) -> list[dict[str, Any]]:
    """One record per engine: the middle one of several rounds, so that a busy minute slows not just one of them."""
    path, factors = prepare(case)
    taken: dict[str, list[dict[str, Any]]] = {peer: [] for peer in commands}
    for turn in range(ROUNDS):
        for peer, command in commands.items():
            if turn == 0 or worth_another(taken[peer], case, peer):
                taken[peer].append(timed(peer, command, case, path, factors, limit))
                print(json.dumps(taken[peer][-1]), flush=True)
    return [middle(records) for records in taken.values()]


def worth_another(records: list[dict[str, Any]], case: Case, peer: str) -> bool:
    """Not where the engine failed, nor where one round already takes minutes."""
    return "missing" not in records[-1] and not (peer in IN_R and case.r_repeats == 1)


def middle(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The record with the median seconds."""
    measured = sorted((record for record in records if "seconds" in record), key=lambda record: record["seconds"])
    return measured[(len(measured) - 1) // 2] if measured else records[-1]


def prepare(case: Case) -> tuple[Path, list[str]]:
    """The case's table as a CSV file, and its categorical columns."""
    WORK.mkdir(parents=True, exist_ok=True)
    table = case.table()
    path = WORK / f"{case.name}.csv"
    table.to_csv(path, index=False)
    return path, case.factors(table)


def timed(peer: str, command: list[str], case: Case, path: Path, factors: list[str], limit: float) -> dict[str, Any]:
    """The engine's own JSON line, or a record that says why there is none."""
    nothing = {"peer": peer, "case": case.name}
    if shutil.which(command[0]) is None:
        return {**nothing, "missing": f"{Path(command[0]).name} not found"}
    repeats = str(case.r_repeats if peer in IN_R else case.repeats)
    words = [*command, case.name, str(path), case.written(peer), ",".join(factors), repeats, case.family]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {**nothing, "missing": f"not done within {limit:g} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = done.stderr.strip().removesuffix("Execution halted").strip().splitlines() or ["it printed nothing"]
        return {**nothing, "missing": said[-1][:200]}
    return json.loads(lines[-1])


def write(run: dict[str, Any], text: str, folder: Path, name: str) -> None:
    """Both files of results."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
