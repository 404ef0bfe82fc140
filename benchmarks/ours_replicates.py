"""Seconds a replicate of bm.bootstrap and bm.bootstrap_test: one case of replicates.py, a JSON line out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import bayesmixed as bm


def main() -> None:
    """Data set, formula, smaller formula or "", family and replicates on the command line."""
    dataset, formula, smaller, family, replicates = sys.argv[1:6]
    n, data = int(replicates), bm.load_data(dataset)
    fit = bm.Model(formula, data, family=family).fit("ml")
    bm.bootstrap(fit, 20, seed=2)  # what is loaded once is loaded now
    boot, seconds = timed(lambda: bm.bootstrap(fit, n, seed=1))
    test = None
    if smaller:
        small = bm.Model(smaller, data, family=family).fit("ml")
        test = timed(lambda: bm.bootstrap_test(fit, small, n, seed=1))[1] / n
    answer = {"engine": "bayesmixed", "version": bm.__version__, "replicate": seconds / n, "test": test}
    print(json.dumps(answer | {"sd": boot.se.tolist(), "failed": len(boot.failures), "boundary": boot.boundary}))


def timed(call: Callable[[], object]) -> tuple[object, float]:
    """What a call gives, and its CPU seconds."""
    begin = time.process_time()
    return call(), time.process_time() - begin


if __name__ == "__main__":
    main()
