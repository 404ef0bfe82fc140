"""How the records of a calibration become the tables of results/calibration.md."""

from __future__ import annotations

from typing import Any

LEVEL = 0.05  # of a case, all its quantities together
WRONG = "## A wrong program must fail: effects with twice the sd that it reports\n\n"
AGAIN = 4  # times the replicates with which a right program is tried again where chance, or a fault, flagged it


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    right = [record for record in run["records"] if not (record["wrong"] or record.get("approximate"))]
    approximate = [record for record in run["records"] if record.get("approximate")]
    wrong = [record for record in run["records"] if record["wrong"]]
    facts = {**run["machine"], "date": run["date"], "command": f"`{run['command']}` ({run['seconds']:.0f} s)"}
    parts = [
        f"# Simulation-based calibration of {run['title']}",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        introduction(run, right),
        "## Right programs\n\n" + verdicts(right),
        "![ranks of a right program](slopes_collapsed.png)" if wrong else "",
        approximations(approximate),
        WRONG + verdicts(wrong) if wrong else "",
        "![ranks of a wrong program](wrong_slopes_collapsed.png)" if wrong else "",
        "## Every quantity\n\n" + quantities(run["records"]),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def introduction(run: dict[str, Any], right: list[dict[str, Any]]) -> str:
    """What was done, and the verdict over all right programs."""
    p = [row["p"] for record in right for row in record["uniformity"]]
    if not p:
        return ""
    together = min(1.0, len(p) * min(p))
    flagged = [record for record in right if not uniform(record)]
    repeated = sum(uniform(record["again"]) for record in flagged)
    return (
        f"{run['replicates']} replicates a case (half where effects are sampled that need not be), seeds from "
        f"{run['seed']} on: "
        "parameters from the priors (numbers, held), a response simulated on the case's own rows, one short chain, "
        "true values ranked among about independent draws. p is exact, of the simultaneous envelope of the ranks' "
        "distribution function; adjusted for the number of quantities of the case (Holm). Default priors reach from "
        "effects that vanish to effects a hundred times the noise; gentle ones (sds Gamma(2.5), sigma Gamma(4)) keep "
        "away from both ends, where chains that sample the effects themselves need far more than a short run. Moderate "
        "ones are normal with sd 1 for the intercept and 0.5 for slopes, half-normal with scale 0.5 for sds.\n\n"
        f"Over all {len(p)} quantities of right programs the smallest p is {min(p):.4f}, {together:.2f} after "
        f"Bonferroni. {len(flagged)} of {len(right)} cases fall below {LEVEL:g}, {LEVEL * len(right):.1f} are expected "
        f"by chance; such a case is tried again with another seed and {AGAIN} times the replicates"
        + (f": {repeated} of {len(flagged)} are uniform then." if flagged else ".")
    )


def approximations(records: list[dict[str, Any]]) -> str:
    """What is not exact, and how often its fits said so."""
    said = [f"- {record['title']}: {record['warned']} of {record['ranked']} fits named a problem" for record in records]
    return "\n\n".join(
        ["## An approximation, reported: Laplace's posterior", verdicts(records), "\n".join(said)] if records else []
    )


def uniform(record: dict[str, Any]) -> bool:
    """Whether no quantity departs."""
    return all(row["adjusted"] >= LEVEL for row in record["uniformity"])


def verdict(record: dict[str, Any]) -> str:
    """Say "uniform", or the quantities that are not, and what became of it."""
    bad = [f"{row['quantity']}: {row['reading']}" for row in record["uniformity"] if row["adjusted"] < LEVEL]
    words = "; ".join(bad).replace("|", "\\|") or "uniform"
    if "again" in record:
        again = record["again"]
        smallest = min(row["adjusted"] for row in again["uniformity"])
        words += f"; again, {again['ranked']} replicates: {verdict(again)} ({shown(smallest)})"
    return words


def verdicts(records: list[dict[str, Any]]) -> str:
    """One row per case."""
    header = [
        "case",
        "priors",
        "route",
        "ranked",
        "failed",
        "diverged",
        "draws",
        "smallest adjusted p",
        "ranks",
        "seconds",
    ]
    rows = [
        [
            record["title"],
            record["priors"],
            record["route"],
            str(record["ranked"]),
            str(sum(record["failures"].values())),
            str(record["divergent"]),
            f"{record['draws']:.0f} (from {record['fewest_draws']})",
            shown(min(row["adjusted"] for row in record["uniformity"])),
            verdict(record),
            f"{record['seconds']:.0f}",
        ]
        for record in records
    ]
    return table(header, rows)


def quantities(records: list[dict[str, Any]]) -> str:
    """One row per case and quantity: p and the shares of central intervals that hold the true value."""
    levels = sorted({row["nominal"] for record in records for row in record["coverage"]})
    rows = []
    for record in records:
        for found in record["uniformity"]:
            shares = {r["nominal"]: r["observed"] for r in record["coverage"] if r["quantity"] == found["quantity"]}
            quantity = found["quantity"].replace("|", "\\|")
            rows.append([record["case"], quantity, shown(found["p"]), *(f"{shares[level]:.3f}" for level in levels)])
    notes = [limits(n, record) for n, record in {record["ranked"]: record for record in records}.items()]
    return (
        "\n".join(notes) + "\n\n" + table(["case", "quantity", "p", *(f"{100 * level:g} %" for level in levels)], rows)
    )


def limits(n: int, record: dict[str, Any]) -> str:
    """Between which shares a calibrated quantity lies."""
    found = {row["nominal"]: (row["lower"], row["upper"]) for row in record["coverage"]}
    spans = ", ".join(f"{100 * level:g} %: {low:.3f} to {high:.3f}" for level, (low, high) in found.items())
    return f"Of {n} replicates, shares of a calibrated quantity lie within {spans} in 95 % of calibrations."


def shown(p: float) -> str:
    """A probability."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rows])
