"""How the records of a run become the tables of results/generalized.md."""

from __future__ import annotations

import itertools
from typing import Any

from cases import Case
from generalized_cases import ROWS
from report import Records, facts, found, logliks, missing, parts_of_ours, scaled, seconds, table, times, verdicts

PEERS = ("lme4", "glmmTMB", "glmm", "mixedlm")
LINEAR_GROWTH = 12.0  # times the seconds for ten times the rows, with room for noise
SHORT = 1e-5  # of log-likelihood: an optimum further below the best one is worse, not just rounded otherwise


def markdown(run: dict[str, Any], cases: list[Case]) -> str:
    """The whole page."""
    records, cases = found(run, cases)
    parts = [
        "# Maximum likelihood of generalized linear mixed models: times in one run",
        facts(run, records),
        "Laplace's approximation everywhere; lme4 is `glmer`. Data and formulas are the same for all, but for the "
        "spelling of responses and powers that a peer does not read.",
        "## Seconds (model and fit together, warm) and how many times ours the others take",
        times(records, cases, PEERS),
        "## Ours in parts",
        parts_of_ours(records, cases),
        "## Log-likelihoods",
        logliks(records, cases, PEERS),
        _worse(records, cases),
        "## Cost against rows at fixed groups",
        _growth(records),
        "## Targets",
        _targets(records),
        missing(run["records"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _worse(records: Records, cases: list[Case]) -> str:
    """Who stopped short, and by how much."""
    lines = []
    for case in cases:
        reached = {peer: records.get((peer, case.name), {}).get("loglik") for peer in ("bayesmixed", *PEERS)}
        values = {peer: value for peer, value in reached.items() if value is not None}
        best = max(values.values(), default=0.0)
        lines += [f"- {p}, {case.title}: {best - v:.1e} below the best" for p, v in values.items() if best - v > SHORT]
    return f"Worse by more than {SHORT:g}:\n\n" + ("\n".join(lines) or "- none")


def _growth(records: Records) -> str:
    """Seconds per million rows, which would be constant were there nothing but rows."""
    rows = []
    for peer in ("bayesmixed", *PEERS):
        taken = [seconds(records, peer, f"rows_{n}") for n in ROWS]
        if any(value is not None for value in taken):
            shares = ["" if t is None else f"{1e6 * t / n:.2f}" for n, t in zip(ROWS, taken, strict=True)]
            growth = ["" if a is None or b is None else f"{b / a:.1f}" for a, b in itertools.pairwise(taken)]
            rows.append([peer, *shares, *growth])
    labels = [f"{n:,} rows" for n in ROWS]
    header = [
        "seconds per million rows",
        *labels,
        *(f"{b} / {a}" for a, b in itertools.pairwise(labels)),
    ]
    return table(header, rows) if rows else ""


def _targets(records: Records) -> str:
    """The limits that were set."""

    def ours(case: str) -> float | None:
        return seconds(records, "bayesmixed", case)

    def theirs(peer: str, case: str, factor: float = 1.0) -> float | None:
        return scaled(seconds(records, peer, case), factor)

    few, middle, many = (f"rows_{n}" for n in ROWS)
    return verdicts(
        {
            "VerbAgg: at most glmm": (ours("verbagg"), theirs("glmm", "verbagg")),
            "grouseticks: at most glmer / 5": (ours("grouseticks"), theirs("lme4", "grouseticks", 0.2)),
            "Contraception: at most glmer / 5": (ours("contraception"), theirs("lme4", "contraception", 0.2)),
            "cbpp: at most glmer / 10": (ours("cbpp"), theirs("lme4", "cbpp", 0.1)),
            f"100,000 rows: at most {LINEAR_GROWTH:g} x 10,000 rows": (ours(middle), scaled(ours(few), LINEAR_GROWTH)),
            f"1,000,000 rows: at most {LINEAR_GROWTH:g} x 100,000 rows": (
                ours(many),
                scaled(ours(middle), LINEAR_GROWTH),
            ),
        }
    )
