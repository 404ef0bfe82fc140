"""How long glmm's Satterthwaite takes beside its fit alone: CSV FORMULA FACTORS in, a JSON line out."""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib.metadata import version

import glmm
import pandas as pd


def main() -> None:
    """The smallest of three fits without degrees of freedom and of three with them, after an untimed one."""
    warnings.simplefilter("ignore")
    path, formula, factors = sys.argv[1:]
    data = pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "category"))
    columns = {name: data[name].astype(str) if data[name].dtype == "category" else data[name] for name in data}
    fit, seconds = None, {True: [], False: []}
    glmm.fit(columns, formula, anova_test="Wald")
    for wanted in (False, True) * 3:
        begin = time.perf_counter()
        fit = glmm.fit(columns, formula, satterthwaite=wanted, anova_test="Wald")
        seconds[wanted].append(time.perf_counter() - begin)
    alone, both = min(seconds[False]), min(seconds[True])
    found = {"peer": f"glmm {version('glmm')}", "fit": alone, "degrees": both - alone}
    print(json.dumps({**found, "df": [float(value) for value in fit.coef_df]}))


if __name__ == "__main__":
    main()
