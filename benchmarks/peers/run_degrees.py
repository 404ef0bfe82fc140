"""How long mixedlm's degrees of freedom take: CSV FORMULA FACTORS METHOD on the command line, a JSON line out."""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib.metadata import version

import mixedlm
import pandas as pd

METHODS = {"kenward-roger": mixedlm.kenward_roger_df, "satterthwaite": mixedlm.satterthwaite_df}


def main(path: str, formula: str, factors: str, method: str) -> None:
    """Seconds of the REML fit, and of the degrees of freedom of every coefficient after it."""
    warnings.simplefilter("ignore")
    data = pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "category"))
    begin = time.perf_counter()
    fit = mixedlm.lmer(formula, data, REML=True)
    between = time.perf_counter()
    df = METHODS[method](fit).df
    seconds = time.perf_counter() - between
    found = {"version": f"mixedlm {version('mixedlm')}", "fit_seconds": between - begin, "seconds": seconds}
    print(json.dumps({**found, "df": [float(value) for value in df]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
