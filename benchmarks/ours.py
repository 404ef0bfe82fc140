"""How long bayesmixed takes on one case: python ours.py CASE CSV FORMULA FACTORS REPEATS FAMILY prints a JSON line."""

from __future__ import annotations

import json
import statistics
import sys
import time

import pandas as pd

import bayesmixed as bm


def main(case: str, path: str, formula: str, factors: str, repeats: str, family: str = "gaussian") -> None:
    """Time Model() and its first fit, each time on a new model, after one untimed round."""
    data = pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "category"))
    once(formula, data, family)
    rounds = [once(formula, data, family) for _ in range(int(repeats))]
    model, fit, loglik = zip(*rounds, strict=True)
    print(
        json.dumps(
            {
                "peer": "bayesmixed",
                "version": bm.__version__,
                "case": case,
                "seconds": statistics.median(m + f for m, f in zip(model, fit, strict=True)),
                "model_seconds": statistics.median(model),
                "fit_seconds": statistics.median(fit),
                "loglik": loglik[0],
                "repeats": int(repeats),
            }
        )
    )


def once(formula: str, data: pd.DataFrame, family: str) -> tuple[float, float, float]:
    """Seconds for the model, seconds for its fit, log-likelihood."""
    begin = time.perf_counter()
    model = bm.Model(formula, data, family=family)
    assert model.design.n_rows == len(data)  # the table is encoded by now, not later inside the fit
    between = time.perf_counter()
    fit = model.fit("ml")
    return between - begin, time.perf_counter() - between, float(fit.loglik)


if __name__ == "__main__":
    main(*sys.argv[1:])
