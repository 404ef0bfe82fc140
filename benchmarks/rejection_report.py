"""The page of rejection rates."""

from __future__ import annotations

from typing import Any

import numpy as np

TITLES = {
    "lrt": "likelihood ratio (ML, chi²)",
    "asymptotic": "Wald z",
    "satterthwaite": "Satterthwaite",
    "kenward-roger": "Kenward-Roger",
    "containment": "containment",
}


def markdown(run: dict[str, Any]) -> str:
    """What is written to results/rejection.md."""
    records, alpha = run["records"], run["alpha"]
    error = np.sqrt(alpha * (1 - alpha) / records[0]["n"])
    lines = [
        "# How often tests of a treatment given to whole groups reject a true null hypothesis",
        "",
        f"`{run['command']}`, {run['date']}, {run['seconds']:.0f} s. Seed {run['seed']}.",
        "",
        f"`y ~ treatment + (1 | g)`, no effect of the treatment, groups' sd {run['sd']} of sigma (an intraclass "
        f"correlation of {run['sd'] ** 2 / (1 + run['sd'] ** 2):.2f}). Equal sizes: 20 rows a group, half of the "
        "groups treated. Unequal: 4 to 36 rows, a third treated. "
        f"{records[0]['n']} data sets each; a right test rejects {alpha:.0%}, with a standard error of {error:.1%}. "
        "Tests other than the likelihood ratio are of the REML fit.",
        "",
        "| test | " + " | ".join(_arm(record) for record in records) + " |",
        "|---|" + "---|" * len(records),
    ]
    for name, title in TITLES.items():
        rates = [record["rates"][name] for record in records]
        lines.append(f"| {title} | " + " | ".join(f"{rate:.1%}" for rate in rates) + " |")
    zero = " | ".join(f"{record['zero']:.1%}" for record in records)
    lines += [f"| *fits with a group sd of 0* | {zero} |", ""]
    lines += [f"{name}: {value}  " for name, value in run["machine"].items()]
    return "\n".join(lines) + "\n"


def _arm(record: dict[str, Any]) -> str:
    return f"{record['groups']} groups, {'unequal' if record['unequal'] else 'equal'}"
