"""What the Python peers share: read the table, one untimed call, the median of the timed ones, a JSON line."""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

import pandas as pd

Fit = Callable[[str, pd.DataFrame, str], float]


def report(peer: str, fit: Fit) -> None:
    """Time ``fit(formula, data, family) -> log-likelihood`` on the case that the command line names."""
    warnings.simplefilter("ignore")
    case, path, formula, factors, repeats, family = sys.argv[1:]
    data = pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "category"))
    loglik = fit(formula, data, family)
    seconds = statistics.median(timed(fit, formula, data, family) for _ in range(int(repeats)))
    line = {"peer": peer, "version": version(peer), "case": case, "seconds": seconds, "loglik": loglik}
    print(json.dumps({**line, "repeats": int(repeats)}))


def timed(fit: Fit, formula: str, data: pd.DataFrame, family: str) -> float:
    """Seconds of one call."""
    begin = time.perf_counter()
    fit(formula, data, family)
    return time.perf_counter() - begin
