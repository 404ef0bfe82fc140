"""How long our degrees of freedom take: python ours_degrees.py CSV FORMULA FACTORS METHOD prints a JSON line."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd

import bayesmixed as bm
from bayesmixed.degrees.methods import reference


def main(path: str, formula: str, factors: str, method: str) -> None:
    """Seconds of the REML fit and, after it, of the degrees of freedom of every coefficient, each asked for once."""
    data = pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "category"))
    warm = bm.Model("y ~ x + (1 | g)", pd.DataFrame({"y": [1.0, 3, 2, 5, 4, 4], "x": range(6), "g": list("aabbcc")}))
    reference(warm.fit("reml"), method)  # what is imported when first needed
    begin = time.perf_counter()
    fit = bm.Model(formula, data).fit("reml")
    between = time.perf_counter()
    judged, rows = reference(fit, method), np.eye(len(fit.beta))
    df, se = judged.df(rows), np.sqrt(np.diag(judged.covariance(rows)))
    seconds = time.perf_counter() - between
    found = {"version": bm.__version__, "fit_seconds": between - begin, "seconds": seconds}
    print(json.dumps({**found, "df": df.tolist(), "se": se.tolist()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
