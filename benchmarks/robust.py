"""How often 5 % tests reject with cluster-robust and with model-based standard errors: see README.md in this folder."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core already; before NumPy is imported

import argparse
import multiprocessing
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from linear import RESULTS, write
from machine import machine

import bayesmixed as bm

SEED = 20262
SIZES = (6, 8, 10, 12, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30, 36)  # of the 15 clusters
TREATED = (1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0)  # a treatment of whole clusters
FORMULA = "y ~ x * treated + (1 | cluster)"
COEFFICIENTS = {"x (within)": "x", "treated (between)": "treated", "x:treated": "x:treated"}
JOINTLY = ["treated = 0", "x:treated = 0"]
TESTED = (*COEFFICIENTS, "treated and x:treated")
METHODS: dict[str, dict[str, Any]] = {
    "CR2": {"vcov": "CR2", "cluster": "cluster"},
    "CR0, t of 14 df": {"vcov": "CR0", "cluster": "cluster"},
    "CR0, z": {"vcov": "CR0", "cluster": "cluster", "ddf": "asymptotic"},
    "model, Satterthwaite": {"ddf": "satterthwaite"},
    "model, z": {"ddf": "asymptotic"},
}
AIM = (3.5, 6.5)  # percent, of CR2 where variances differ


@dataclass(frozen=True)
class World:
    """True sds: of intercepts and of slopes in x, in clusters without and with treatment; of rows, and how x moves it.

    The fitted model has one sd of intercepts, none of slopes, one residual sd. No effect is there.
    """

    name: str
    intercepts: tuple[float, float]
    slopes: tuple[float, float]
    residual: tuple[float, float]
    spread: float

    def response(self, x: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One response under the null hypothesis."""
        arm = np.asarray(TREATED)
        b, c = (np.take(sds, arm) * rng.standard_normal(len(SIZES)) for sds in (self.intercepts, self.slopes))
        sd = np.take(self.residual, arm[codes]) * np.exp(self.spread * x)
        return b[codes] + c[codes] * x + sd * rng.standard_normal(len(x))


WORLDS = (
    World("as the model says", (0.7, 0.7), (0.0, 0.0), (1.0, 1.0), 0.0),
    World("heteroscedastic", (0.4, 0.9), (0.0, 0.0), (1.0, 1.6), 0.4),
    World("heteroscedastic, slopes left out", (0.4, 0.9), (0.2, 0.5), (1.0, 1.6), 0.4),
)


def main() -> None:
    """Run every world, then write results/robust.json and results/robust.md."""
    options = arguments()
    begin = time.perf_counter()
    firsts = range(0, options.n, 250)
    jobs = [(world, range(first, min(first + 250, options.n))) for world in WORLDS for first in firsts]
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(rejections, *zip(*jobs, strict=True)))
    records = []
    for world in WORLDS:
        found = np.concatenate([part for (one, _), part in zip(jobs, parts, strict=True) if one == world])
        for m, method in enumerate(METHODS):
            rates = dict(zip(TESTED, (100 * found[:, m].mean(axis=0)).tolist(), strict=True))
            records.append({"world": world.name, "method": method, "percent": rates})
    run = {
        "machine": {**machine(), "engine": f"bayesmixed {bm.__version__}"},
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "make study-robust",
        "seed": SEED,
        "n": options.n,
        "records": records,
        "seconds": time.perf_counter() - begin,
    }
    write(run, markdown(run), options.output, "robust")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="data sets of each kind")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at a time")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for robust.json and robust.md")
    return parser.parse_args()


def rejections(world: World, numbers: range) -> np.ndarray:
    """Whether p < 0.05 (data sets, methods, tests) in the data sets of these numbers."""
    warnings.simplefilter("ignore", bm.errors.BayesMixedWarning)
    codes = np.repeat(np.arange(len(SIZES)), SIZES)
    table = pd.DataFrame({"cluster": codes, "treated": np.take(TREATED, codes).astype(float)})
    table["x"] = np.random.default_rng(SEED).standard_normal(len(codes))
    table["y"] = np.random.default_rng(SEED + 1).standard_normal(len(codes))
    model, x = bm.Model(FORMULA, table), table["x"].to_numpy()
    found = np.zeros((len(numbers), len(METHODS), len(TESTED)), dtype=bool)
    for i, number in enumerate(numbers):
        rng = np.random.default_rng([SEED, WORLDS.index(world), number])
        fit = model.with_response(world.response(x, codes, rng)).fit("reml")
        for m, how in enumerate(METHODS.values()):
            each = bm.hypothesis(fit, **how).frame["p"]
            together = bm.hypothesis(fit, JOINTLY, **how).joint
            found[i, m] = [*(each[list(COEFFICIENTS.values())] < 0.05), together.p < 0.05]
    return found


def markdown(run: dict[str, Any]) -> str:
    """The page."""
    facts = {**run["machine"], "date": run["date"], "command": f"`{run['command']}`, seed {run['seed']}"}
    lines = [
        "# Cluster-robust tests: how often 5 % tests reject a true hypothesis",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        f"- seconds: {run['seconds']:.0f}",
        "",
        f"{run['n']} data sets of each kind: 15 clusters of {min(SIZES)} to {max(SIZES)} rows, 7 of them treated. "
        f"Fitted is `{FORMULA}` by REML. In the first kind that is how the data are made: sd of intercepts 0.7, "
        "residual sd 1. In the second the sds of intercepts are 0.4 and 0.9 (treated), the residual sds 1 and 1.6, and "
        "these grow with x by exp(0.4 x). In the third slopes vary too, with sds 0.2 and 0.5, and the model does not "
        "have them. No effect is there. The Monte Carlo standard error of a rate of 5 % is "
        f"{100 * np.sqrt(0.05 * 0.95 / run['n']):.1f}.",
        "",
        "| data | standard errors | " + " | ".join(TESTED) + " |",
        "| --- | --- |" + " --- |" * len(TESTED),
    ]
    for record in run["records"]:
        rates = " | ".join(f"{rate:.1f}" for rate in record["percent"].values())
        lines.append(f"| {record['world']} | {record['method']} | {rates} |")
    for world in WORLDS:
        rates = next(r["percent"] for r in run["records"] if (r["method"], r["world"]) == ("CR2", world.name))
        inside = [name for name, rate in rates.items() if AIM[0] <= rate <= AIM[1]]
        lines += ["", f"CR2, {world.name}: {len(inside)} of {len(rates)} tests within {AIM[0]} to {AIM[1]} %."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
