"""How often each test of a treatment given to whole groups rejects where there is no effect: see README.md here."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core already; before NumPy is imported

import argparse
import multiprocessing
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from linear import RESULTS, write
from machine import machine
from rejection_report import markdown
from scipy import stats

import bayesmixed as bm
from bayesmixed.degrees.methods import reference

SEED = 20261
SD = 0.65  # of the groups, in units of sigma: an intraclass correlation of 0.3
BATCH = 250  # data sets of one piece of work
DDF = ("asymptotic", "satterthwaite", "kenward-roger", "containment")
EFFECT = np.array([[0.0, 1.0]])  # the row of the treatment


@dataclass(frozen=True)
class Arm:
    """y ~ treatment + (1 | g) without an effect: `groups` of 20 rows, or of 4 to 36 where sizes are `unequal`.

    Half of the groups are treated; with unequal sizes a third.
    """

    groups: int
    unequal: bool

    def table(self) -> pd.DataFrame:
        """Treatment and group of each row."""
        sizes = np.linspace(4, 36, self.groups).round().astype(int) if self.unequal else np.full(self.groups, 20)
        treated = np.arange(self.groups) % (3 if self.unequal else 2) == 0
        g = np.repeat(np.arange(self.groups), sizes)
        return pd.DataFrame({"g": g, "treatment": treated[g].astype(float)})


def arms() -> list[Arm]:
    """Every kind of data set."""
    return [Arm(groups, unequal) for unequal in (False, True) for groups in (6, 12, 24)]


def p_values(table: pd.DataFrame, y: np.ndarray) -> dict[str, float]:
    """p of "no effect" by every test, of one data set, and whether the group variance was estimated as zero."""
    data = table.assign(y=y)
    model = bm.Model("y ~ treatment + (1 | g)", data)
    reml, ml = model.fit("reml"), model.fit("ml")
    null = bm.Model("y ~ 1 + (1 | g)", data).fit("ml")
    found = {"lrt": float(stats.chi2.sf(max(2 * (ml.loglik - null.loglik), 0.0), 1))}
    for ddf in DDF:
        found[ddf] = reference(reml, ddf).test(EFFECT, EFFECT @ reml.beta).p
    return found | {"zero": float(bool(reml.status.singular))}


def batch(arm: Arm, seed: np.random.SeedSequence, n: int) -> list[dict[str, float]]:
    """p-values of n data sets, each of a seed of its own."""
    warnings.simplefilter("ignore")
    table, found = arm.table(), []
    for child in seed.spawn(n):
        rng = np.random.default_rng(child)
        effects = SD * rng.standard_normal(arm.groups)
        found.append(p_values(table, effects[table["g"]] + rng.standard_normal(len(table))))
    return found


def main() -> None:
    """Run every arm on every core, then write results/rejection.json and results/rejection.md."""
    options = arguments()
    jobs = [(arm, min(BATCH, options.n - i)) for arm in arms() for i in range(0, options.n, BATCH)]
    seeds = np.random.SeedSequence(SEED).spawn(len(jobs))
    begin = time.perf_counter()
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(batch, [arm for arm, _ in jobs], seeds, [n for _, n in jobs]))
    records: list[dict[str, Any]] = []
    for arm in arms():
        rows = pd.DataFrame([row for (other, _), part in zip(jobs, parts, strict=True) if other == arm for row in part])
        tests = rows.drop(columns="zero")
        rates = {name: float((tests[name] < options.alpha).mean()) for name in tests}
        records.append(asdict(arm) | {"n": len(rows), "zero": float(rows["zero"].mean()), "rates": rates})
    run = {
        "machine": {**machine(), "engine": f"bayesmixed {bm.__version__}"},
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "make study-rejection",
        "seed": SEED,
        "alpha": options.alpha,
        "sd": SD,
        "seconds": time.perf_counter() - begin,
        "records": records,
    }
    write(run, markdown(run), options.output, "rejection")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="data sets per arm")
    parser.add_argument("--alpha", type=float, default=0.05, help="level of the tests")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="workers")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
