"""How long mixedlm's profiles take: run_profile_mixedlm.py CSV FORMULA FACTORS FAMILY REPEATS prints a JSON line.

It profiles coefficients alone.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import mixedlm
import pandas as pd
from mixedlm.inference import profile_glmer, profile_lmer


def main() -> None:
    """Median CPU times of 20 points a coefficient, and of the limits alone."""
    warnings.simplefilter("ignore")
    path, formula, factors, family, repeats = sys.argv[1:]
    data = pd.read_csv(path, dtype=dict.fromkeys(factors.split(","), "category"))
    if family == "gaussian":
        fit, profile = mixedlm.lmer(formula, data, REML=False), profile_lmer
    else:
        data["proportion"] = data["incidence"] / data["size"]
        text, _, weights = formula.partition(" weights=")
        fit = mixedlm.glmer(text, data, family=mixedlm.families.Binomial(), weights=weights)
        profile = profile_glmer
    found = profile(fit)
    line = {
        "engine": "mixedlm",
        "version": version("mixedlm"),
        "profile": seconds(lambda: profile(fit), int(repeats)),
        "confint": seconds(lambda: profile(fit, n_points=3), int(repeats)),
        "points": 20 * len(found),
        "limits": {name: [one.ci_lower, one.ci_upper] for name, one in found.items()},
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


if __name__ == "__main__":
    main()
