"""What the runners of samplers share: first fit of a process, further fits of the same shapes, memory, draws to a file.

Each runs alone too: CASE CSV FORMULA FACTORS FAMILY WARM STARTED OUTPUT on the command line, a JSON line out. STARTED
is the time.time() at which the process was started, OUTPUT a prefix for the files of draws.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

MIB = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in KiB elsewhere


def report(
    peer: str,
    version: str,
    model: Callable[[str, Any, str], Any],
    fit: Callable[[Any, int], Any],
    draws: Callable[..., Any],
) -> None:
    """Time ``fit(model(formula, data, family), seed)``, that prints a summary; ``draws`` gives every scalar.

    The first fit counts from the start of the process. Of further ones, each on a new model of a response that differs
    a little, only ``fit`` counts.
    """
    case, path, formula, factors, family, warm, started, output = sys.argv[1:]
    data = table(path, factors)
    fitted = fit(model(formula, data, family), 1)
    first = time.time() - float(started)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    files, seconds = [save(draws(fitted), f"{output}_0.npy")], []
    for i in range(1, int(warm) + 1):
        again = model(formula, (shifted if family == "gaussian" else swapped)(data, formula, i), family)
        begin = time.perf_counter()
        fitted = fit(again, 1 + i)
        seconds.append(time.perf_counter() - begin)
        files.append(save(draws(fitted), f"{output}_{i}.npy"))
    line = {"peer": peer, "version": version, "case": case, "first": first, "warm": seconds, "mib": memory}
    print(json.dumps({**line, "files": files}))


def table(path: str, factors: str) -> Any:
    """The case's table, its factors as categories."""
    import pandas as pd

    return pd.read_csv(path, dtype=dict.fromkeys(filter(None, factors.split(",")), "category"))


def shifted(data: Any, formula: str, seed: int) -> Any:
    """Other data of the same shape: a hundredth of a standard deviation of noise in the response."""
    import numpy as np

    name = formula.split("~")[0].strip()
    noise = np.random.default_rng(seed).standard_normal(len(data))
    return data.assign(**{name: data[name] + 0.01 * data[name].std() * noise})


def swapped(data: Any, formula: str, seed: int) -> Any:
    """Other data of the same shape: the response's columns of a few rows, two at least, in another order."""
    import numpy as np

    names = [name for name in re.findall(r"\w+", formula.split("~")[0]) if name in data]
    some = np.random.default_rng(seed).choice(len(data), max(2, len(data) // 100), replace=False)
    values = data[names].to_numpy(copy=True)
    values[some] = values[np.roll(some, 1)]
    return data.assign(**dict(zip(names, values.T, strict=True)))


def save(draws: Any, path: str) -> str:
    """Write draws (chains, draws, scalars)."""
    import numpy as np

    np.save(path, np.asarray(draws))
    return path
