"""How the records of a run become the tables of results/posterior.md."""

from __future__ import annotations

from typing import Any

from posterior_cases import PosteriorCase
from report import missing, shown, table

MEASURES = {
    "cold": "a fresh process, nothing compiled before: start of the process to printed summary",
    "cached": "a fresh process, both sides' caches on disk filled by the one before: start to printed summary",
    "warm": "a further fit of the same shapes in one process, new response: fit() to printed summary",
}

Records = dict[tuple[str, str], dict[str, Any]]


def markdown(run: dict[str, Any], cases: list[PosteriorCase]) -> str:
    """The whole page."""
    records: Records = {(record["peer"], record["case"]): record for record in run["records"]}
    cases = [case for case in cases if ("bayesmixed", case.name) in records]
    parts = [
        f"# NUTS on {run['title']}: effective draws per second in one run",
        _facts(run, records),
        "4 chains of 1,000 kept draws, default priors of each side. ESS: the smallest bulk effective sample size over "
        "fixed effects, sds, correlations, sigma and all level effects, by the same function for both. bambi fits "
        "`(x | g)` without correlations, which it does not have.",
        *(f"## {name.capitalize()}: {words}\n\n{_rates(records, cases, name)}" for name, words in MEASURES.items()),
        "## Peak memory of the process after its first fit, and largest R-hat",
        _memory(records, cases),
        "## Targets: effective draws per second, ours over bambi's",
        _targets(records, cases),
        missing(run["records"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(run: dict[str, Any], records: Records) -> str:
    versions = {peer: f"{peer} {record['version']}" for (peer, _), record in records.items() if "version" in record}
    facts = {**run["machine"], "engines": ", ".join(versions.values()), "date": run["date"]}
    facts["command"] = f"`{run['command']}`"
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _rates(records: Records, cases: list[PosteriorCase], measure: str) -> str:
    sides = [f"{word}, {peer}" for peer in ("ours", "bambi") for word in ("time", "ESS", "ESS/s")]
    rows = []
    for case in cases:
        row = [case.title, f"`{case.formula.replace('|', chr(92) + '|')}`"]
        for peer in ("bayesmixed", "bambi"):
            found = records.get((peer, case.name), {}).get(measure)
            row += ["missing", "", ""] if found is None else _numbers(found)
        rows.append([*row, _ratio(records, case, measure)])
    return table(["case", "formula", *sides, "ratio"], rows)


def _numbers(found: dict[str, float]) -> list[str]:
    return [shown(found["seconds"]), f"{found['ess']:,.0f}", f"{found['rate']:,.0f}"]


def _ratio(records: Records, case: PosteriorCase, measure: str) -> str:
    value = _times(records, case, measure)
    return "" if value is None else f"{value:.1f}"


def _times(records: Records, case: PosteriorCase, measure: str) -> float | None:
    found = [records.get((peer, case.name), {}).get(measure) for peer in ("bayesmixed", "bambi")]
    return None if None in found else found[0]["rate"] / found[1]["rate"]  # type: ignore[index]


def _memory(records: Records, cases: list[PosteriorCase]) -> str:
    rows = []
    for case in cases:
        pair = [records.get((peer, case.name), {}) for peer in ("bayesmixed", "bambi")]
        rows.append(
            [case.title, *(f"{r['mib']:,.0f} MiB" if "mib" in r else "missing" for r in pair)]
            + [f"{r['max_rhat']:.3f}" if "max_rhat" in r else "missing" for r in pair]
        )
    return table(["case", "ours", "bambi", "R-hat, ours", "R-hat, bambi"], rows)


def _targets(records: Records, cases: list[PosteriorCase]) -> str:
    rows = []
    for case in cases:
        for measure, limit in zip(MEASURES, case.targets, strict=True):
            value = _times(records, case, measure)
            verdict = "not measured" if value is None else "met" if value >= limit else "**missed**"
            times = "missing" if value is None else f"{value:.1f}"
            rows.append([f"{case.title}, {measure}", times, f"{limit:g}", verdict])
    return table(["case", "times bambi's", "at least", ""], rows)
