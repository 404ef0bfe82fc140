"""Times profiles and profile limits against lme4 and mixedlm in one run: see README.md in this folder.

python benchmarks/profiles.py [--peers PYTHON] [--case NAME ...] writes results/profiles.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from alone import Record, run
from machine import machine
from profile_cases import CASES, ProfileCase

import bayesmixed as bm

HERE = Path(__file__).parent
ROUNDS = 3  # of the engines in turn; the middle time of each counts
REPEATS = {"bayesmixed": 5, "lme4": 1, "mixedlm": 1}
TARGETS = {"profile": 15, "confint": 30}  # times faster than lme4 on sleepstudy


def main() -> None:
    """Run every case with every engine, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=".venv-peers/bin/python", help="the interpreter that has mixedlm")
    parser.add_argument("--case", nargs="*", help="only these: " + "; ".join(case.name for case in CASES))
    parser.add_argument("--output", type=Path, default=HERE / "results")
    options = parser.parse_args()
    facts = machine()
    wanted = [case for case in CASES if not options.case or case.name in options.case]
    with tempfile.TemporaryDirectory() as folder:
        records = {case.name: in_turn(case, options.peers, Path(folder)) for case in wanted}
    (options.output / "profiles.md").write_text(page(facts, records), encoding="utf-8")


def in_turn(case: ProfileCase, peers: str, folder: Path) -> dict[str, Record]:
    """What each engine found, with its middle times."""
    path = folder / "data.csv"
    bm.load_data(case.dataset).to_csv(path, index=False)
    rounds: dict[str, list[Record]] = {}
    for _ in range(ROUNDS):
        for engine, command in commands(case, peers, str(path)).items():
            rounds.setdefault(engine, []).append(run(command))
    return {engine: middle(found) for engine, found in rounds.items()}


def commands(case: ProfileCase, peers: str, path: str) -> dict[str, list[str]]:
    """The command that runs each engine."""
    scripts, repeats = HERE / "peers", {engine: str(number) for engine, number in REPEATS.items()}
    end = {engine: [case.factors, case.family, number] for engine, number in repeats.items()}
    return {
        "bayesmixed": [sys.executable, str(HERE / "ours_profile.py"), case.name, path, repeats["bayesmixed"]],
        "lme4": ["Rscript", str(scripts / "run_profile_lme4.R"), path, case.in_r, *end["lme4"]],
        "mixedlm": [peers, str(scripts / "run_profile_mixedlm.py"), path, case.in_mixedlm, *end["mixedlm"]],
    }


def middle(rounds: list[Record]) -> Record:
    """The first round with the middle times of all."""
    good = [found for found in rounds if "failure" not in found]
    if not good:
        return rounds[0]
    times = {kind: sorted(found[kind] for found in good)[len(good) // 2] for kind in TARGETS}
    return {**good[0], **times}


def page(facts: dict[str, str], records: dict[str, dict[str, Record]]) -> str:
    """The page as Markdown."""
    versions = {e: r["version"] for found in records.values() for e, r in found.items() if "version" in r}
    lines = ["# Profiles and profile limits", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [f"- engines: {', '.join(f'{engine} {version}' for engine, version in versions.items())}"]
    lines += [f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "- command: `python benchmarks/profiles.py`", ""]
    lines += [
        "CPU seconds on one thread, each engine in a process of its own, the middle of three rounds in turn. `profile` "
        "is curves of every parameter: ours to |zeta| = 3.03, lme4's to its default (4.1 of six parameters); mixedlm's "
        "are of coefficients alone, 20 points each. `limits` is 95 % limits of every parameter: ours by root finding, "
        "lme4's from its profile, mixedlm's of coefficients alone. Ratios to mixedlm are of our times for coefficients "
        "alone.",
        "",
        "| model | engine | profile | points | limits | ours is faster: profile | limits |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in records.items():
        lines += [row(name, engine, record, compared(found["bayesmixed"], engine)) for engine, record in found.items()]
    lines += ["", *verdict(records), "", "## Limits side by side", ""]
    for name, found in records.items():
        lines += beside(name, found)
    return "\n".join(lines) + "\n"


def compared(ours: Record, engine: str) -> Record:
    """Our times of what an engine profiles: all parameters, or coefficients alone."""
    return {**ours, **ours["coefficients"]} if engine == "mixedlm" and "coefficients" in ours else ours


def row(name: str, engine: str, record: Record, ours: Record) -> str:
    """Times of one engine on one model."""
    if "failure" in record:
        return f"| {name} | {engine} | not measured: {record['failure']} | | | | |"
    ratios = ["" if record is ours or "failure" in ours else f"{record[kind] / ours[kind]:.1f} x" for kind in TARGETS]
    times = f"{record['profile']:.3f} | {record['points']} | {record['confint']:.3f}"
    return f"| {name} | {engine} | {times} | {ratios[0]} | {ratios[1]} |"


def verdict(records: dict[str, dict[str, Record]]) -> list[str]:
    """The targets, on sleepstudy."""
    found = records.get("sleepstudy", {})
    if any("failure" in found.get(engine, {"failure": ""}) for engine in ("bayesmixed", "lme4")):
        return ["Targets on sleepstudy: not measured."]
    lines = []
    for kind, target in TARGETS.items():
        ratio = found["lme4"][kind] / found["bayesmixed"][kind]
        word = "met" if ratio >= target else "MISSED"
        lines.append(f"- {kind} on sleepstudy at least {target} times faster than lme4: {ratio:.0f} times, {word}")
    return lines


def beside(name: str, found: dict[str, Record]) -> list[str]:
    """Every limit by every engine, and how far lme4's is from ours in widths of the interval."""
    engines = [engine for engine, record in found.items() if "failure" not in record]
    if "bayesmixed" not in engines:
        return []
    lines = [f"### {name}", "", f"| parameter | {' | '.join(engines)} | lme4 from ours, in widths |"]
    lines.append(f"| --- |{' --- |' * (len(engines) + 1)}")
    for parameter, (low, high) in found["bayesmixed"]["limits"].items():
        limits = {engine: found[engine]["limits"].get(parameter) for engine in engines}
        shown = parameter.replace("|", "\\|")
        cells = ["" if pair is None else f"{pair[0]:.6g}, {pair[1]:.6g}" for pair in limits.values()]
        lme4 = limits.get("lme4")
        off = "" if lme4 is None else f"{max(abs(lme4[0] - low), abs(lme4[1] - high)) / (high - low):.1e}"
        lines.append(f"| {shown} | {' | '.join(cells)} | {off} |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
