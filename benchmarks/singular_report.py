"""How the records of the study of singular fits become results/singular.md."""

from __future__ import annotations

from typing import Any

import numpy as np
from report import table

NAMES = {"ml": "ML", "map": "MAP", "laplace": "Laplace", "nuts": "NUTS"}
KINDS = {
    "gaussian": "normal, {groups} groups x {size} rows",
    "bernoulli": "Bernoulli, {groups} groups x {size} rows",
    "poisson": "Poisson, {groups} groups x {size} rows",
}
NOMINAL = 0.95


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    records = sorted(run["records"], key=lambda record: (list(KINDS).index(record["family"]), record["sd"]))
    facts = {
        **run["machine"],
        "date": run["date"],
        "command": f"`{run['command']}`, seed {run['seed']}, {run['seconds'] / 60:.0f} minutes",
    }
    parts = [
        "# Singular fits and coverage on small data sets",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        _words(run),
        "## Singular fits",
        table(_singular_header(records), _singular_rows(records)),
        "## Coverage of 95 % intervals",
        table(
            ["data", "true sd", "engine", "data sets", "slope", "intercept", "width (intercept)", "estimate of the sd"],
            [_row(record) for record in records],
        ),
        "## Verdict",
        _verdict(records),
        _troubles(records),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _words(run: dict[str, Any]) -> str:
    arms = {(record["family"], record["sd"]) for record in run["records"]}
    return (
        f"`y ~ x + (1 | g)`, {len(arms) * run['n']:,} data sets: {run['n']} for each kind and true standard deviation "
        f"of the intercepts (in units of sigma where the response is normal), the first {run['n_sampled']} of each by "
        "the engines that give draws. Every engine at its defaults: ML and MAP with Wald intervals, Laplace and NUTS "
        "with equal-tailed ones under the default priors. The values after ± are Monte Carlo standard errors. Widths "
        "and estimates are medians over data sets; the estimate of an engine with draws is the posterior median. A fit "
        "is singular where the relative standard deviation is below 1e-4, as in lme4."
    )


def _singular_header(records: list[dict[str, Any]]) -> list[str]:
    return ["data", "true sd", *(f"{NAMES[engine]}: singular" for engine in _point_engines(records)), "least sd by MAP"]


def _point_engines(records: list[dict[str, Any]]) -> list[str]:
    return [engine for engine in ("ml", "map") if any(record["engine"] == engine for record in records)]


def _singular_rows(records: list[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for family, sd in dict.fromkeys((record["family"], record["sd"]) for record in records):
        here = {r["engine"]: r for r in records if (r["family"], r["sd"]) == (family, sd)}
        shares = [f"{100 * here[e]['singular'] / here[e]['n']:.1f} %" for e in _point_engines(records)]
        least = f"{here['map']['sd_least']:.3f}" if "map" in here else ""
        rows.append([_kind(next(iter(here.values()))), f"{sd:g}", *shares, least])
    return rows


def _row(record: dict[str, Any]) -> list[str]:
    shares = [_share(record[name], record["n"]) for name in ("slope", "intercept")]
    sizes = [f"{record['width']:.3f}", f"{record['sd_median']:.3f}"]
    return [_kind(record), f"{record['sd']:g}", NAMES[record["engine"]], str(record["n"]), *shares, *sizes]


def _kind(record: dict[str, Any]) -> str:
    return KINDS[record["family"]].format(**record)


def _share(value: float, n: int) -> str:
    """A coverage with its Monte Carlo error; that of the nominal coverage, so that a share of one has one too."""
    return f"{100 * value:.1f} % ± {100 * np.sqrt(NOMINAL * (1 - NOMINAL) / n):.1f}"


def _verdict(records: list[dict[str, Any]]) -> str:
    lines = []
    for engine in _point_engines(records):
        mine = [record for record in records if record["engine"] == engine]
        singular, n = sum(record["singular"] for record in mine), sum(record["n"] for record in mine)
        lines.append(f"- {NAMES[engine]}: {singular:,} of {n:,} fits singular ({100 * singular / n:.1f} %)")
    for engine in dict.fromkeys(record["engine"] for record in records):
        mine = [record for record in records if record["engine"] == engine]
        weights = [record["n"] for record in mine]
        means = [np.average([record[name] for record in mine], weights=weights) for name in ("slope", "intercept")]
        lines.append(f"- {NAMES[engine]}, all arms: slope {100 * means[0]:.1f} %, intercept {100 * means[1]:.1f} %")
    return "\n".join(lines)


def _troubles(records: list[dict[str, Any]]) -> str:
    """Fits that failed, did not converge, or warned of their draws."""
    lines = []
    for record in records:
        counts = {
            "failed": record["failed"],
            "not converged": record["not_converged"],
            "with warnings": record["warned"],
        }
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        if said:
            lines.append(f"- {_kind(record)}, sd {record['sd']:g}, {NAMES[record['engine']]}: {said}")
        lines += [f"  - {error}" for error in record["errors"]]
    return "## What the fits said\n\n" + "\n".join(lines) if lines else ""
