"""How the records of a run become tables: those that every benchmark of ML has, and the page results/linear.md."""

from __future__ import annotations

from typing import Any

from cases import ROWS, Case

PEERS = ("lme4", "glmm", "mixedlm")
STARTUP_LIMIT = 1.5  # seconds
FIT_ALONE = 0.015  # seconds: the fit of sleepstudy may take that long, however quick others are
LINEAR_GROWTH = 12.0  # times the seconds for ten times the rows, with room for noise

Records = dict[tuple[str, str], dict[str, Any]]


def markdown(run: dict[str, Any], cases: list[Case]) -> str:
    """The whole page."""
    records, cases = found(run, cases)
    parts = [
        "# Maximum likelihood of linear mixed models: times in one run",
        facts(run, records),
        "## Seconds (model and fit together, warm) and how many times ours the others take",
        times(records, cases),
        "## Ours in parts",
        parts_of_ours(records, cases),
        "## Log-likelihoods",
        logliks(records, cases),
        "## Targets",
        _targets(run, records),
        missing(run["records"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def found(run: dict[str, Any], cases: list[Case]) -> tuple[Records, list[Case]]:
    """The records by engine and case, and the cases that were run."""
    records: Records = {(record["peer"], record["case"]): record for record in run["records"]}
    return records, [case for case in cases if any(key[1] == case.name for key in records)]


def facts(run: dict[str, Any], records: Records) -> str:
    """Machine, engines, date and command."""
    versions = {peer: f"{peer} {record['version']}" for (peer, _), record in records.items() if "version" in record}
    runtimes = {record["runtime"] for record in records.values() if "runtime" in record}
    lines = {**run["machine"], "engines": ", ".join([*versions.values(), *runtimes]), "date": run["date"]}
    lines["command"] = f"`{run['command']}`, threads as each engine sets them by default"
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def times(records: Records, cases: list[Case], peers: tuple[str, ...] = PEERS) -> str:
    """Seconds of every engine, and how many times ours."""
    header = ["case", "formula", "bayesmixed", *(word for peer in peers for word in (peer, "ratio"))]
    rows = []
    for case in cases:
        ours = seconds(records, "bayesmixed", case.name)
        row = [case.title, f"`{case.formula.replace('|', chr(92) + '|')}`", shown(ours)]
        for peer in peers:
            theirs = seconds(records, peer, case.name)
            row += [shown(theirs), f"{theirs / ours:.2f}" if ours and theirs else ""]
        rows.append(row)
    return table(header, rows)


def parts_of_ours(records: Records, cases: list[Case]) -> str:
    """Seconds of Model() and of fit("ml")."""
    rows = []
    for case in cases:
        record = records.get(("bayesmixed", case.name), {})
        if "seconds" in record:
            model, fit = record["model_seconds"], record["fit_seconds"]
            rows.append([case.title, shown(model), shown(fit), f"{fit / model:.2f}", str(record["repeats"])])
    return table(["case", "Model()", 'fit("ml")', "fit / Model()", "median of"], rows)


def logliks(records: Records, cases: list[Case], peers: tuple[str, ...] = PEERS) -> str:
    """Log-likelihoods side by side."""
    rows = []
    for case in cases:
        values = {peer: records.get((peer, case.name), {}).get("loglik") for peer in ("bayesmixed", *peers)}
        best = max((value for value in values.values() if value is not None), default=None)
        ours = values["bayesmixed"]
        short = "" if ours is None or best is None else f"{best - ours:.1e}"
        rows.append([case.title, *("" if value is None else f"{value:.6f}" for value in values.values()), short])
    return table(["case", "bayesmixed", *peers, "ours below the best"], rows)


def _targets(run: dict[str, Any], records: Records) -> str:
    def ours(case: str, part: str = "seconds") -> float | None:
        return records.get(("bayesmixed", case), {}).get(part)

    def theirs(peer: str, case: str, factor: float = 1.0) -> float | None:
        return scaled(seconds(records, peer, case), factor)

    alone = theirs("glmm", "sleepstudy", 3.0)
    large, middle = f"rows_{ROWS[-1]}", f"rows_{ROWS[-2]}"
    targets = {
        "sleepstudy, model and fit: at most lmer": (ours("sleepstudy"), theirs("lme4", "sleepstudy")),
        "sleepstudy, the fit alone: at most 3 x glmm or 15 ms": (
            ours("sleepstudy", "fit_seconds"),
            None if alone is None else max(alone, FIT_ALONE),
        ),
        "InstEval, service: at most glmm": (ours("insteval"), theirs("glmm", "insteval")),
        "InstEval, service * dept: at most lmer / 30": (ours("insteval_dept"), theirs("lme4", "insteval_dept", 1 / 30)),
        "1,000,000 rows, the fit: at most 5 x Model()": (
            ours(large, "fit_seconds"),
            scaled(ours(large, "model_seconds"), 5.0),
        ),
        f"1,000,000 rows, model and fit: at most {LINEAR_GROWTH:g} x that of 100,000 rows": (
            ours(large),
            scaled(ours(middle), LINEAR_GROWTH),
        ),
        "import and first fit, beyond importing pandas and SciPy": (run["startup"]["beyond"], STARTUP_LIMIT),
    }
    return verdicts(targets)


def verdicts(targets: dict[str, tuple[float | None, float | None]]) -> str:
    """Each target's measured seconds beside its limit."""
    return table(["target", "measured", "limit", ""], [_verdict(label, *pair) for label, pair in targets.items()])


def scaled(value: float | None, factor: float) -> float | None:
    """A limit, where it could be measured."""
    return None if value is None else factor * value


def _verdict(label: str, value: float | None, limit: float | None) -> list[str]:
    if value is None or limit is None:
        return [label, shown(value), shown(limit), "not measured"]
    return [label, shown(value), shown(limit), "met" if value <= limit else "**missed**"]


def missing(records: list[dict[str, Any]]) -> str:
    """What could not be measured, and why; empty where all was."""
    lines = [f"- {record['peer']}, {record['case']}: {record['missing']}" for record in records if "missing" in record]
    return "## Not measured\n\n" + "\n".join(lines) if lines else ""


def seconds(records: Records, peer: str, case: str) -> float | None:
    """Seconds of a fit, None where it was not measured."""
    return records.get((peer, case), {}).get("seconds")


def shown(value: float | None) -> str:
    """Seconds or milliseconds."""
    if value is None:
        return "missing"
    return f"{1000 * value:.1f} ms" if value < 1 else f"{value:.2f} s"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
