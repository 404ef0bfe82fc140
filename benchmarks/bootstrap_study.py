"""How often bootstrap intervals cover and bootstrap tests reject: see README.md in this folder."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core already; before NumPy is imported

import argparse
import multiprocessing
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import machine

import bayesmixed as bm
from bayesmixed.errors import FitError

SEED = 20261
GROUPS, ROWS = 24, 8  # of a data set whose intervals are asked
INTERCEPT, SLOPE, SDS, CORRELATION, SIGMA = 2.0, 0.5, (1.0, 0.5), 0.3, 1.0
FORMULA = "y ~ x + (x | g)"
TRUE = {"x": SLOPE, "sd(x | g)": SDS[1]}
KINDS = ("parametric", "residual", "case", "wild")
INTERVALS = ("percentile", "bca")
LEVEL, REPLICATES, DATA_SETS = 0.9, 299, 200
TESTED = {"a treatment of whole groups": "y ~ 1 + (1 | g)", "the variance of intercepts": "y ~ treated"}
SIZES, TEST_REPLICATES, TEST_DATA_SETS = (6, 12), 199, 500
PART = 25  # data sets of a job


def main() -> None:
    """Run both studies, then write results/bootstrap.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--share", type=float, default=1.0, help="of the data sets")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    facts, begin = machine(), time.perf_counter()
    n, m = int(options.share * DATA_SETS), int(options.share * TEST_DATA_SETS)
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [(law, range(a, min(a + PART, n))) for law in LAWS for a in range(0, n, PART)]
        covered = pd.concat(pool.map(coverage, *zip(*jobs, strict=True)))
        jobs = [(size, range(a, min(a + PART, m))) for size in SIZES for a in range(0, m, PART)]
        rejected = pd.concat(pool.map(rejections, *zip(*jobs, strict=True)))
    minutes = (time.perf_counter() - begin) / 60
    (options.output / "bootstrap.md").write_text(page(facts, covered, rejected, minutes), encoding="utf-8")


def normal(rng: np.random.Generator, size: int) -> np.ndarray:
    """Standard normal numbers."""
    return rng.standard_normal(size)


def skewed(rng: np.random.Generator, size: int) -> np.ndarray:
    """Exponential numbers of mean 0 and variance 1: skewness 2."""
    return rng.exponential(size=size) - 1.0


LAWS = {"normal": normal, "skewed": skewed}


def data_set(law: str, number: int) -> pd.DataFrame:
    """A data set whose effects and residuals follow a law."""
    rng = np.random.default_rng([SEED, list(LAWS).index(law), number])
    draw = LAWS[law]
    g, x = np.repeat(np.arange(GROUPS), ROWS), np.tile(np.linspace(-1, 1, ROWS), GROUPS)
    first, second = draw(rng, GROUPS), draw(rng, GROUPS)
    intercepts = SDS[0] * first
    slopes = SDS[1] * (CORRELATION * first + np.sqrt(1 - CORRELATION**2) * second)
    y = INTERCEPT + SLOPE * x + intercepts[g] + slopes[g] * x + SIGMA * draw(rng, len(x))
    return pd.DataFrame({"y": y, "x": x, "g": g})


def coverage(law: str, numbers: range) -> pd.DataFrame:
    """Per data set, kind, interval and parameter whether the truth is inside; NaN where there is no interval."""
    rows = []
    warnings.simplefilter("ignore")
    for number in numbers:
        fit = bm.Model(FORMULA, data_set(law, number)).fit("reml")
        for kind in KINDS:
            boot = bm.bootstrap(fit, REPLICATES, kind, seed=number, progress=False)
            for interval in INTERVALS:
                for name, true in TRUE.items():
                    inside = _inside(boot, interval, name, true)
                    rows.append({"law": law, "kind": kind, "interval": interval, "parameter": name, "inside": inside})
    return pd.DataFrame(rows)


def _inside(boot: Any, interval: str, name: str, true: float) -> float:
    try:
        limits = boot.confint(interval, level=LEVEL, which=name).frame.loc[name]
    except FitError:  # all replicates on one side
        return np.nan
    return float(limits["lower"] <= true <= limits["upper"])


def rejections(size: int, numbers: range) -> pd.DataFrame:
    """Per data set and version of the test its p, of a treatment of groups and of a variance that are not there."""
    rows = []
    warnings.simplefilter("ignore")
    for number in numbers:
        rng = np.random.default_rng([SEED, size, number])
        g = np.repeat(np.arange(size), ROWS)
        treated, noise = (g % 2).astype(float), rng.standard_normal(len(g))
        for what, reduced in TESTED.items():
            sd = 0.0 if "variance" in what else 0.7
            frame = pd.DataFrame({"y": sd * rng.standard_normal(size)[g] + noise, "treated": treated, "g": g})
            full = bm.Model("y ~ treated + (1 | g)", frame).fit("ml")
            small = bm.Model(reduced, frame).fit("ml")
            test = bm.bootstrap_test(full, small, TEST_REPLICATES, seed=number, progress=False)
            p = test.frame["p"]
            rows += [{"groups": size, "tested": what, "version": name, "p": value} for name, value in p.items()]
    return pd.DataFrame(rows)


def page(facts: dict[str, str], covered: pd.DataFrame, rejected: pd.DataFrame, minutes: float) -> str:
    """The page as Markdown."""
    n, m = covered.groupby(["law", "kind", "interval", "parameter"]).size().iloc[0], len(rejected)
    lines = ["# Bootstrap intervals and tests", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes"]
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / n)
    columns = [f"`{name}`, {law}".replace("|", r"\|", 1) for name in TRUE for law in LAWS]
    lines += [
        "- command: `make study-bootstrap`",
        "",
        f"## Coverage of {100 * LEVEL:g} % intervals, in percent",
        "",
        f"`{FORMULA}`, {GROUPS} groups of {ROWS} rows, REML; effects and residuals normal, or exponential less their "
        f"mean (skewness 2). {n} data sets, {REPLICATES} replicates each: standard error {error:.1f}. In brackets the "
        "share of data sets without an interval (all replicates on one side of the estimate).",
        "",
        f"| kind | interval | {' | '.join(columns)} |",
        "|" + " --- |" * (2 + len(TRUE) * len(LAWS)),
    ]
    for kind in KINDS:
        for interval in INTERVALS:
            cells = [_covered(covered, (law, kind, interval, name)) for name in TRUE for law in LAWS]
            lines.append(f"| {kind} | {interval} | {' | '.join(cells)} |")
    versions = list(dict.fromkeys(rejected["version"]))
    each = m // (len(SIZES) * len(TESTED) * len(versions))
    lines += [
        "",
        "## Rejections at 5 %, in percent",
        "",
        f"`y ~ treated + (1 | g)`, {ROWS} rows a group, neither a treatment nor, where that is tested, a variance. "
        f"{each} data sets, {TEST_REPLICATES} replicates each: standard error "
        f"{100 * np.sqrt(0.05 * 0.95 / each):.1f}. LRT: the chi-squared law with all parameters. F has no p where the "
        "simulated ratios are smaller than its law's: not counted as a rejection.",
        "",
        "| tested | groups | " + " | ".join(versions) + " |",
        "|" + " --- |" * (2 + len(versions)),
    ]
    for what in TESTED:
        for size in SIZES:
            rows = rejected[(rejected["tested"] == what) & (rejected["groups"] == size)]
            rates = [100 * float(np.mean(rows.loc[rows["version"] == name, "p"] <= 0.05)) for name in versions]
            lines.append(f"| {what} | {size} | {' | '.join(f'{rate:.1f}' for rate in rates)} |")
    return "\n".join(lines) + "\n"


def _covered(covered: pd.DataFrame, key: tuple[str, ...]) -> str:
    rows = covered
    for column, value in zip(("law", "kind", "interval", "parameter"), key, strict=True):
        rows = rows[rows[column] == value]
    missing = float(rows["inside"].isna().mean())
    rate = 100 * float(rows["inside"].mean())
    return f"{rate:.1f}" + (f" ({100 * missing:.0f})" if missing else "")


if __name__ == "__main__":
    main()
