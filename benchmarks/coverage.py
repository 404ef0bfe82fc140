"""What intervals of predictions cover, by engine, for seen levels and for new ones: see README.md in this folder."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core already; before NumPy is imported

import argparse
import json
import multiprocessing
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from linear import RESULTS, write
from machine import machine
from report import table

import bayesmixed as bm

SEED = 20261
LEVEL = 0.95
POINT, SAMPLED = ("ml", "reml", "map"), ("laplace", "nuts")
NEW = 10  # levels that no fit has seen, one row each
TRIALS = 10  # of a binomial response
BETA = (0.5, 0.4)
SDS = (0.6, 0.3)  # of intercepts and slopes
# Quantity -> how it is asked for: arguments of `predict`, whether of new levels, what it is to cover.
ASKED: dict[str, tuple[dict[str, Any], str, str]] = {
    "mean, effects zero": ({"re": "none", "interval": "confidence"}, "seen", "centre"),
    "mean, seen level": ({"interval": "confidence"}, "seen", "mean"),
    "response, seen level": ({"interval": "prediction"}, "seen", "response"),
    "mean, new level": ({"interval": "confidence", "new_levels": "sample"}, "new", "mean"),
    "response, new level": ({"interval": "prediction", "new_levels": "sample"}, "new", "response"),
}


@dataclass(frozen=True)
class Arm:
    """Data sets of one kind: `groups` of `size` rows, with correlated slopes or intercepts alone."""

    family: str
    formula: str
    groups: int
    size: int

    @property
    def engines(self) -> tuple[str, ...]:
        """REML is for normal responses."""
        point = POINT if self.family == "gaussian" else [name for name in POINT if name != "reml"]
        return (*point, *SAMPLED)

    def world(self, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A table to fit and one of new rows: one per seen level, then `NEW` of new ones; truths beside them."""
        slopes = SDS[1] if "(x | g)" in self.formula else 0.0
        b = rng.standard_normal((self.groups + NEW, 2)) * np.array([SDS[0], slopes])
        train = np.repeat(np.arange(self.groups), self.size)
        test = np.arange(self.groups + NEW)
        return self._rows(train, b, rng), self._rows(test, b, rng)

    def _rows(self, codes: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        x = rng.standard_normal(len(codes))
        centre = BETA[0] + BETA[1] * x
        eta = centre + b[codes, 0] + b[codes, 1] * x
        rows = pd.DataFrame({"g": [f"g{code}" for code in codes], "x": x, "n": TRIALS})
        rows["new"] = codes >= self.groups
        if self.family == "gaussian":
            return rows.assign(centre=centre, mean=eta, y=eta + rng.standard_normal(len(x)))
        if self.family == "poisson":
            return rows.assign(centre=np.exp(centre), mean=np.exp(eta), y=rng.poisson(np.exp(eta)))
        share = 1 / (1 + np.exp(-eta))
        centre = 1 / (1 + np.exp(-centre))
        return rows.assign(centre=centre, mean=share, y=rng.binomial(TRIALS, share))


def arms() -> list[Arm]:
    """Every kind."""
    return [
        Arm("gaussian", "y ~ x + (x | g)", 18, 10),
        Arm("gaussian", "y ~ x + (1 | g)", 8, 6),
        Arm("poisson", "y ~ x + (1 | g)", 20, 6),
        Arm("binomial", "prop(y, n) ~ x + (1 | g)", 15, 5),
    ]


def main() -> None:
    """Run every arm by every engine, then write results/coverage.json and results/coverage.md."""
    options = arguments()
    begin = time.perf_counter()
    run: dict[str, Any] = {
        "machine": {**machine(), "engine": f"bayesmixed {bm.__version__}, NumPyro {version('numpyro')}"},
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "make study-coverage",
        "seed": SEED,
        "n": options.n,
        "n_sampled": options.n_sampled,
    }
    jobs = [(arm, engine, options) for arm in arms() for engine in arm.engines]
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        run["records"] = list(pool.map(one_arm, *zip(*jobs, strict=True)))
    run["seconds"] = time.perf_counter() - begin
    write(run, markdown(run), options.output, "coverage")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=300, help="data sets per kind for point fits")
    parser.add_argument("--n-sampled", type=int, default=60, help="data sets per kind for fits with draws")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="arms at a time")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for coverage.json and coverage.md")
    return parser.parse_args()


def one_arm(arm: Arm, engine: str, options: argparse.Namespace) -> dict[str, Any]:
    """Shares of covered rows and mean widths; the Monte Carlo error is that of data sets, within which rows depend."""
    warnings.simplefilter("ignore", bm.errors.BayesMixedWarning)
    n = options.n_sampled if engine in SAMPLED else options.n
    seeds = np.random.SeedSequence(SEED).spawn(n)
    found = [one_fit(arm, engine, seed, i) for i, seed in enumerate(seeds)]
    shares = {name: np.array([each[name][0] for each in found]) for name in ASKED}
    record = {
        **asdict(arm),
        "engine": engine,
        "n": n,
        "coverage": {name: float(values.mean()) for name, values in shares.items()},
        "error": {name: float(values.std(ddof=1) / np.sqrt(n)) for name, values in shares.items()},
        "width": {name: float(np.mean([each[name][1] for each in found])) for name in ASKED},
    }
    print(json.dumps(record), flush=True)
    return record


def one_fit(arm: Arm, engine: str, seed: np.random.SeedSequence, number: int) -> dict[str, tuple[float, float]]:
    """Per quantity the share of rows whose interval holds the truth, and the mean width."""
    train, test = arm.world(np.random.default_rng(seed))
    trials = {"trials": "n"} if arm.family == "binomial" else {}
    fit = bm.Model(arm.formula, train, family=arm.family).fit(engine, seed=number, progress=False)
    found = {}
    for name, (asked, levels, truth) in ASKED.items():
        rows = test[test["new"] == (levels == "new")].reset_index(drop=True)
        counted = trials if asked["interval"] == "prediction" else {}
        table = fit.predict(rows, level=LEVEL, seed=number, **asked, **counted)
        wanted = rows["y" if truth == "response" else truth].to_numpy()
        inside = (table["lower"] <= wanted) & (wanted <= table["upper"])
        found[name] = (float(np.mean(inside)), float(np.mean(table["upper"] - table["lower"])))
    return found


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    facts = {
        **run["machine"],
        "date": run["date"],
        "command": f"`{run['command']}`, seed {run['seed']}, {run['seconds'] / 60:.0f} minutes",
    }
    words = (
        f"{run['n']} data sets of each kind for point fits, the first {run['n_sampled']} for fits with draws, true "
        f"coefficients {BETA}, sds of intercepts and slopes {SDS}, residual sd 1, {TRIALS} trials. Every data set has "
        f"effects of its own; its fit predicts a new row of every level and of {NEW} levels it has not seen. Shares of "
        f"{100 * LEVEL:g} % intervals that hold the truth, ± Monte Carlo standard error over data sets; in brackets "
        "the mean width. Intervals of counts hold whole numbers, so that they cover more. Point fits hold the variance "
        "parameters at their estimates: where there are few groups this shows as too little coverage for new levels."
    )
    rows = [
        [
            f"{record['family']}, {record['groups']} groups x {record['size']}: `{record['formula']}`".replace(
                "|", "\\|"
            ),
            record["engine"],
            *(_cell(record, name) for name in ASKED),
        ]
        for record in run["records"]
    ]
    parts = [
        "# Coverage of intervals of predictions, for seen and for new levels",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        words,
        table(["data", "engine", *ASKED], rows),
    ]
    return "\n\n".join(parts) + "\n"


def _cell(record: dict[str, Any], name: str) -> str:
    share, error = 100 * record["coverage"][name], 100 * record["error"][name]
    return f"{share:.1f} ± {error:.1f} ({record['width'][name]:.2f})"


if __name__ == "__main__":
    main()
