"""How long glmm's Satterthwaite takes beside its fit alone: CSV FORMULA FACTORS METHOD in, a JSON line out."""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib.metadata import version

import glmm
import pandas as pd


def main(path: str, formula: str, factors: str, method: str) -> None:
    """The smallest of three REML fits without degrees of freedom, and what three with them take more."""
    assert method == "satterthwaite"  # the only one that it has
    warnings.simplefilter("ignore")
    data = pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "str"))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    fit = glmm.fit(data, formula, anova_test="Wald")
    for wanted in (False, True) * 3:
        begin = time.perf_counter()
        fit = glmm.fit(data, formula, satterthwaite=wanted, anova_test="Wald")
        seconds[wanted].append(time.perf_counter() - begin)
    alone, both = min(seconds[False]), min(seconds[True])
    found = {"version": f"glmm {version('glmm')}", "fit_seconds": alone, "seconds": both - alone}
    print(json.dumps({**found, "df": [float(value) for value in fit.coef_df]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
