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


def report(peer: str, fit: Callable[[str, pd.DataFrame], float]) -> None:
    """Time ``fit(formula, data) -> log-likelihood`` on the case that the command line names."""
    warnings.simplefilter("ignore")
    case, path, formula, factors, repeats = sys.argv[1:]
    data = pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "category"))
    loglik = fit(formula, data)
    seconds = statistics.median(timed(fit, formula, data) for _ in range(int(repeats)))
    line = {"peer": peer, "version": version(peer), "case": case, "seconds": seconds, "loglik": loglik}
    print(json.dumps({**line, "repeats": int(repeats)}))


def timed(fit: Callable[[str, pd.DataFrame], float], formula: str, data: pd.DataFrame) -> float:
    """Seconds of one call."""
    begin = time.perf_counter()
    fit(formula, data)
    return time.perf_counter() - begin
