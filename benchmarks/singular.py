"""How often small data sets give singular fits, and what intervals cover, by engine: see README.md in this folder."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core already; before NumPy is imported

import argparse
import multiprocessing
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from linear import RESULTS, write
from machine import machine
from singular_report import markdown

import bayesmixed as bm

SEED = 20260
SDS = (0.0, 0.1, 0.3)  # of the true intercepts; in units of sigma for the normal response
INTERCEPT, SLOPE = 0.3, 0.5
ENGINES = ("ml", "map", "laplace", "nuts")
SAMPLED = ("laplace", "nuts")  # those that give draws, and are run on the first data sets of each arm only


@dataclass(frozen=True)
class Arm:
    """Data sets of one kind: `groups` of `size` rows, y ~ x + (1 | g), intercepts of standard deviation `sd`."""

    family: str
    groups: int
    size: int
    sd: float

    def responses(
        self, seeds: np.random.SeedSequence, x: np.ndarray, codes: np.ndarray, n: int
    ) -> Iterator[np.ndarray]:
        """n responses, each from a seed of its own."""
        for seed in seeds.spawn(n):
            rng = np.random.default_rng(seed)
            eta = INTERCEPT + SLOPE * x + self.sd * rng.standard_normal(self.groups)[codes]
            if self.family == "gaussian":
                yield eta + rng.standard_normal(len(x))
            elif self.family == "bernoulli":
                yield (rng.random(len(x)) < 1 / (1 + np.exp(-eta))).astype(float)
            else:
                yield rng.poisson(np.exp(eta)).astype(float)


def arms() -> list[Arm]:
    """Every kind."""
    shapes = (("gaussian", 8, 6), ("bernoulli", 10, 8), ("poisson", 10, 8))
    return [Arm(*shape, sd) for sd in SDS for shape in shapes]


def main() -> None:
    """Run every arm on every core, then write results/singular.json and results/singular.md."""
    options = arguments()
    engine = f"bayesmixed {bm.__version__}, JAX {version('jax')}, NumPyro {version('numpyro')}"
    run: dict[str, Any] = {
        "machine": {**machine(), "engine": engine},
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "make study-singular",
        "seed": SEED,
        "n": options.n,
        "n_sampled": min(options.n_sampled, options.n),
    }
    begin = time.perf_counter()
    seeds = np.random.SeedSequence(SEED).spawn(len(arms()))
    jobs = [(arm, seed, options) for arm, seed in zip(arms(), seeds, strict=True)]
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        run["records"] = [record for records in pool.map(one_arm, *zip(*jobs, strict=True)) for record in records]
    run["seconds"] = time.perf_counter() - begin
    write(run, markdown(run), options.output, "singular")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="*", default=ENGINES, help="names of engines")
    parser.add_argument("--n", type=int, default=400, help="data sets of each of the nine arms")
    parser.add_argument("--n-sampled", type=int, default=100, help="of these, for Laplace and NUTS")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="arms at a time")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for singular.json and singular.md")
    return parser.parse_args()


def one_arm(arm: Arm, seeds: np.random.SeedSequence, options: argparse.Namespace) -> list[dict[str, Any]]:
    """One record per engine. x and the priors, which are scaled to a response, are the same for every data set."""
    warnings.simplefilter("ignore", bm.errors.BayesMixedWarning)
    codes = np.repeat(np.arange(arm.groups), arm.size)
    x = np.random.default_rng(SEED).standard_normal(len(codes))
    first, *others = arm.responses(seeds, x, codes, options.n + 1)
    table = pd.DataFrame({"y": first, "x": x, "g": pd.Categorical(codes)})
    model = bm.Model("y ~ x + (1 | g)", table, family=arm.family)
    records = []
    for engine in options.engines:
        begin = time.perf_counter()
        chosen = others[: options.n_sampled] if engine in SAMPLED else others
        fits = [one_fit(model.with_response(y), engine, i) for i, y in enumerate(chosen)]
        records.append({**vars(arm), "engine": engine, **summarised(fits), "seconds": time.perf_counter() - begin})
        print(records[-1], flush=True)
    return records


def one_fit(model: bm.Model, engine: str, seed: int) -> dict[str, Any]:
    """What one fit says; only its error where it failed."""
    try:
        fit = model.fit(engine, seed=seed, progress=False)
    except bm.errors.BayesMixedError as error:
        return {"error": str(error)}
    table, status = fit.coefficients, fit.status
    inside = {
        name: bool(table.loc[row, "lower"] <= truth <= table.loc[row, "upper"])
        for name, row, truth in (("slope", "x", SLOPE), ("intercept", "Intercept", INTERCEPT))
    }
    return {
        **inside,
        "width": float(table.loc["Intercept", "upper"] - table.loc["Intercept", "lower"]),
        "sd": float(np.median(fit.parameters.sds[0])),
        "singular": bool(getattr(status, "singular", False)),
        "converged": bool(getattr(status, "converged", True)),
        "warned": engine in SAMPLED and bool(status.problems),
    }


def summarised(fits: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts, shares and medians over the fits of one arm by one engine."""
    good = pd.DataFrame([fit for fit in fits if "error" not in fit])
    return {
        "n": len(good),
        "failed": len(fits) - len(good),
        "errors": sorted({fit["error"] for fit in fits if "error" in fit}),
        "singular": int(good["singular"].sum()),
        "not_converged": int((~good["converged"]).sum()),
        "warned": int(good["warned"].sum()),
        "slope": float(good["slope"].mean()),
        "intercept": float(good["intercept"].mean()),
        "width": float(good["width"].median()),
        "sd_median": float(good["sd"].median()),
        "sd_least": float(good["sd"].min()),
    }


if __name__ == "__main__":
    main()
