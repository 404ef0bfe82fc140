"""How long our profiles take: python ours_profile.py CASE CSV REPEATS prints a JSON line."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from profile_cases import CASES

import bayesmixed as bm


def main() -> None:
    """One untimed call of each, then the median CPU time of the timed ones."""
    case = next(case for case in CASES if case.name == sys.argv[1])
    fit = bm.Model(case.formula, bm.load_data(case.dataset), family=case.family).fit("ml")
    repeats = int(sys.argv[3])
    profile, limits, own = bm.profile(fit), bm.confint(fit).frame, list(fit.model.coefficients)
    line = {
        "engine": "bayesmixed",
        "version": bm.__version__,
        "profile": seconds(lambda: bm.profile(fit), repeats),
        "confint": seconds(lambda: bm.confint(fit), repeats),
        "coefficients": {
            "profile": seconds(lambda: bm.profile(fit, own), repeats),
            "confint": seconds(lambda: bm.confint(fit, which=own), repeats),
        },
        "points": len(profile.frame),
        "limits": {in_r(name): [row["lower"], row["upper"]] for name, row in limits.iterrows()},
    }
    print(json.dumps(line))


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds."""
    found = []
    for _ in range(repeats):
        begin = time.process_time()
        call()
        found.append(time.process_time() - begin)
    return statistics.median(found)


def in_r(label: str) -> str:
    """The name that lme4 gives a parameter."""
    name = label.replace("Intercept", "(Intercept)").replace("[", "").replace("]", "")
    if not name.startswith(("sd(", "cor(")):
        return name
    kind, inside = name[:-1].split("(", 1)
    columns, group = inside.rsplit(" | ", 1)
    return f"{kind}_{'.'.join(reversed(columns.split(', ')))}|{group}"


if __name__ == "__main__":
    main()
