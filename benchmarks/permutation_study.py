"""How often a permutation test of a treatment given to whole groups rejects where there is no effect: see README.md."""

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

import numpy as np
import pandas as pd
from machine import machine

import bayesmixed as bm

SEED = 20263
SIZES, ROWS, SD = (6, 12), 8, 0.7
ARRANGEMENTS, DATA_SETS, PART = 199, 2000, 50
ALPHA = 0.05


def main() -> None:
    """Run the study, then write results/permutation.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--n", type=int, default=DATA_SETS, help="data sets of each size")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    facts, begin = machine(), time.perf_counter()
    jobs = [(size, range(a, min(a + PART, options.n))) for size in SIZES for a in range(0, options.n, PART)]
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pd.concat(pool.map(p_values, *zip(*jobs, strict=True)))
    text = page(facts, found, time.perf_counter() - begin)
    (options.output / "permutation.md").write_text(text, encoding="utf-8")
    print(text)


def p_values(size: int, numbers: range) -> pd.DataFrame:
    """Per data set p of the permutation test by two statistics, of the ratio's own law, and of the linear model."""
    rows = []
    warnings.simplefilter("ignore")
    for number in numbers:
        rng = np.random.default_rng([SEED, size, number])
        g = np.repeat(np.arange(size), ROWS)
        y = SD * rng.standard_normal(size)[g] + rng.standard_normal(len(g))
        frame = pd.DataFrame({"y": y, "treated": np.where(g % 2, "yes", "no"), "g": g})
        fit = bm.Model("y ~ treated + (1 | g)", frame).fit("ml")
        null = bm.Model("y ~ 1 + (1 | g)", frame).fit("ml")
        linear = bm.Model("y ~ treated", frame).fit("reml")
        options = {"by": "g", "seed": number, "progress": False}
        test = bm.permutation_test(fit, "treated", ARRANGEMENTS, **options)
        found = {
            "permutation, likelihood ratio": test.p,
            "likelihood ratio, chi²": bm.anova(null, fit).frame["p"].iloc[-1],
            "linear model, F": bm.anova(linear).frame["p"].iloc[0],
        }
        rows.append({"groups": size} | found)
    return pd.DataFrame(rows)


def page(facts: dict[str, str], found: pd.DataFrame, seconds: float) -> str:
    """The page as Markdown."""
    each = found.groupby("groups").size().iloc[0]
    tests = [name for name in found if name != "groups"]
    lines = ["# Permutation tests of a treatment given to whole groups", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds:.0f} s",
        "- command: `make study-permutation`",
        "",
        f"`y ~ treated + (1 | g)`, {ROWS} rows a group, groups' sd {SD} of sigma, half of the groups treated, no "
        f"effect. {each} data sets, {ARRANGEMENTS} arrangements each, or all of them where there are fewer. Rejections "
        f"at 5 %, in percent; standard error {100 * np.sqrt(ALPHA * (1 - ALPHA) / each):.1f}.",
        "",
        "| groups | " + " | ".join(tests) + " |",
        "|" + " --- |" * (1 + len(tests)),
    ]
    for size, rows in found.groupby("groups"):
        lines.append(
            f"| {size} | " + " | ".join(f"{100 * float((rows[name] <= ALPHA).mean()):.1f}" for name in tests) + " |"
        )
    lines += [
        "",
        "Six groups, three of them treated, have 20 arrangements, and each has a mirror image with the same ratio: the "
        "least p there is is 2 / 20. A permutation test needs groups enough to be able to reject.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
