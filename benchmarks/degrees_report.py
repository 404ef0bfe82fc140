"""The page results/degrees.md: seconds and degrees of freedom of every engine side by side."""

from __future__ import annotations

from typing import Any

TITLES = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger"}
ENGINES = {"satterthwaite": ("bayesmixed", "R", "mixedlm", "glmm"), "kenward-roger": ("bayesmixed", "R", "mixedlm")}
SHOWN = 4  # coefficients a case
WORDS = 36  # letters of the end of an engine's message


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    records = {(record["engine"], record["case"], record["method"]): record for record in run["records"]}
    versions = dict.fromkeys(
        record["version"] if engine != "bayesmixed" else f"bayesmixed {record['version']}"
        for (engine, _, _), record in records.items()
        if "version" in record
    )
    facts = {**run["machine"], "engines": "; ".join(versions)}
    parts = ["# Degrees of freedom of all coefficients, in one run"]
    parts.append("\n".join(f"- {name}: {value}" for name, value in facts.items()))
    parts.append(
        "Seconds after the REML fit, which is timed apart, each asked for once (of glmm, which does both at once, the "
        "smallest of three less the smallest without). R: lmerTest for Satterthwaite, pbkrtest for Kenward-Roger, at "
        "the optimum where lme4 stops at its defaults (hence most of the differences). Engines were given "
        f"{run['limit']:g} s and 12 GB. mixedlm and glmm list interactions in another order, and what mixedlm calls "
        "Kenward-Roger are Satterthwaite's numbers."
    )
    for method, title in TITLES.items():
        parts += [f"## {title}", _times(run, records, method), _numbers(run, records, method)]
    return "\n\n".join(parts) + "\n"


def _times(run: dict[str, Any], records: dict[Any, Any], method: str) -> str:
    rows = []
    for case, formula in run["formulas"].items():
        found = [records.get((engine, case, method)) for engine in ENGINES[method]]
        if any(found):
            fit = found[0].get("fit_seconds") if found[0] else None
            rows.append([case, f"`{formula}`".replace("|", "\\|"), _seconds(fit), *(_said(each) for each in found)])
    return _table(["case", "formula", "our fit, s", *(f"{engine}, s" for engine in ENGINES[method])], rows)


def _numbers(run: dict[str, Any], records: dict[Any, Any], method: str) -> str:
    rows = []
    for case in run["formulas"]:
        found = {engine: records.get((engine, case, method)) or {} for engine in ENGINES[method]}
        ours, theirs = found["bayesmixed"].get("df"), found["R"].get("df")
        apart = max(abs(a / b - 1) for a, b in zip(ours, theirs, strict=True)) if ours and theirs else None
        if ours:
            shown = [", ".join(f"{df:.6g}" for df in each.get("df", [])[:SHOWN]) for each in found.values()]
            rows.append([case, *shown, "" if apart is None else f"{apart:.0e}"])
    heads = [f"{engine}, first {SHOWN}" for engine in ENGINES[method]]
    return _table(["case", *heads, "largest relative difference, ours from R's"], rows)


def _said(record: dict[str, Any] | None) -> str:
    if record is None:
        return ""
    return f"none: {record['missing'][-WORDS:]}" if "missing" in record else _seconds(record["seconds"])


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(lines)
