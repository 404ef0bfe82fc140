"""Times NUTS against bambi with nutpie, cold, cached and warm, in one run: see README.md in this folder."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from posterior_cases import KINDS, PosteriorCase
from posterior_report import markdown

from bayesmixed.fits.convergence import convergence

HERE = Path(__file__).parent
WORK = HERE.parent / "build" / "benchmarks" / "posterior"
RESULTS = HERE / "results"


def main() -> None:
    """Run every case with both sides in turn, then write results/posterior.* and results/posterior_generalized.*."""
    options = arguments()
    run = {"machine": machine(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": "make bench-posterior"}
    commands = {
        "bayesmixed": [sys.executable, str(HERE / "ours_posterior.py")],
        "bambi": [options.bambi, str(HERE / "peers" / "run_bambi.py")],
    }
    for kind in options.kind:
        cases, file, title = KINDS[kind]
        chosen = [case for case in cases() if not options.case or case.name in options.case]
        records = [record for case in chosen for record in in_turn(case, commands, options.limit)]
        if records:
            found = {**run, "title": title, "limit": options.limit, "records": records}
            write(found, markdown(found, chosen), options.output / file)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bambi", default=".venv-bambi/bin/python", help="the interpreter that has bambi and nutpie")
    names = ", ".join(case.name for cases, _, _ in KINDS.values() for case in cases())
    parser.add_argument("--kind", nargs="*", default=list(KINDS), choices=list(KINDS), help="only these kinds")
    parser.add_argument("--case", nargs="*", help=f"only these: {names}")
    parser.add_argument("--limit", type=float, default=180.0, help="seconds after which a process is given up")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for what is written")
    return parser.parse_args()


def in_turn(case: PosteriorCase, commands: dict[str, list[str]], limit: float) -> list[dict[str, Any]]:
    """One record per side: the medians of its rounds."""
    table = case.table()
    path = WORK / f"{case.name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False)
    factors = ",".join(case.factors(table))
    rounds: dict[str, list[dict[str, Any]]] = {peer: [] for peer in commands}
    for _ in range(case.rounds):
        for peer, command in commands.items():
            if not any("missing" in record for record in rounds[peer]):
                words = [*command, case.name, str(path), case.written(peer), factors, case.family]
                rounds[peer].append(one_round(peer, words, case, limit))
                print(json.dumps(rounds[peer][-1]), flush=True)
    return [combined(records) for records in rounds.values()]


def one_round(peer: str, words: list[str], case: PosteriorCase, limit: float) -> dict[str, Any]:
    """A process that finds every cache empty and fits again and again, then one that finds them filled."""
    caches = WORK / "caches"
    shutil.rmtree(caches, ignore_errors=True)
    caches.mkdir(parents=True)
    record: dict[str, Any] = {"peer": peer, "case": case.name}
    try:
        cold = process(words, str(case.warm), caches, limit)
        cached = process(words, "0", caches, limit)
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        missing = f"not done within {limit:g} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        return record | {"missing": missing}
    measures = {
        "cold": measured([cold["first"]], cold["found"][:1]),
        "cached": measured([cached["first"]], cached["found"]),
        "warm": measured(cold["warm"], cold["found"][1:]),
    }
    return record | {"version": cold["version"], "mib": cold["mib"], "max_rhat": cold["found"][0][1], **measures}


def process(words: list[str], warm: str, caches: Path, limit: float) -> dict[str, Any]:
    """The JSON line of a fresh process, with smallest ESS and largest R-hat of each fit's draws in place of the files.

    Both sides keep what they compile below `caches`, and nowhere else.
    """
    own = {
        "BAYESMIXED_COMPILATION_CACHE": str(caches / "jax"),
        "PYTENSOR_FLAGS": f"base_compiledir={caches / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(caches / "numba"),
    }
    output = str(WORK / "draws")
    words = [*words, warm, str(time.time()), output]
    done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False, env={**os.environ, **own})
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it printed nothing"])[-1][:200])
    answer = json.loads(lines[-1])
    answer["found"] = [judged(Path(name)) for name in answer["files"]]
    return answer


def judged(path: Path) -> tuple[float, float]:
    """Smallest bulk ESS and largest R-hat over every scalar of the draws in a file, which is removed."""
    found = convergence(np.load(path))
    path.unlink()
    return float(np.min(found.ess_bulk)), float(np.nanmax(found.rhat))


def measured(seconds: list[float], found: list[tuple[float, float]]) -> dict[str, float]:
    """Medians of seconds, smallest ESS, and ESS per second."""
    pairs = list(zip(seconds, (ess for ess, _ in found), strict=True))
    return {
        "seconds": statistics.median(seconds),
        "ess": statistics.median(ess for _, ess in pairs),
        "rate": statistics.median(ess / time for time, ess in pairs),
    }


def combined(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians over rounds, or the record that says what is missing."""
    missing = [record for record in rounds if "missing" in record]
    if missing:
        return missing[0]
    found = {name: rounds[0][name] for name in ("peer", "case", "version")}
    for name in ("mib", "max_rhat"):
        found[name] = statistics.median(record[name] for record in rounds)
    for measure in ("cold", "cached", "warm"):
        parts = rounds[0][measure]
        found[measure] = {part: statistics.median(record[measure][part] for record in rounds) for part in parts}
    return found


def write(run: dict[str, Any], text: str, path: Path) -> None:
    """Both files of results; `path` without suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
