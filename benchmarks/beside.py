"""Whether a change made anything slower: the same calls in two checkouts, in turn within one run. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROUNDS, REPEATS = 5, 3
ENOUGH, MOST = 0.3, 30  # seconds, and calls, of short ones a round
LIMIT = 1.05  # of the ratio of the smallest times: what is above is marked
ONCE = ("nuts cold",)  # once a process: a second call would find things made


def main() -> None:
    """Time every call in both trees for some rounds, then print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout: the folder that holds bayesmixed/")
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="calls whose name contains this")
    parser.add_argument("--write", action="store_true", help="also write results/beside.md")
    if sys.argv[1:2] == ["--one"]:
        return one(sys.argv[2])
    options = parser.parse_args()
    times: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for number in range(options.rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            for name, seconds in timed((options.before, options.after)[side], options.only).items():
                times[name][side].extend(seconds)
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    page = markdown(times, options)
    print(page)
    if options.write:
        (HERE / "results" / "beside.md").write_text(page, encoding="utf-8")


def timed(tree: Path, only: str) -> dict[str, list[float]]:
    """Seconds of every call in a fresh process that imports this tree."""
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    path = {"PYTHONPATH": str(tree.resolve()), "BAYESMIXED_COMPILATION_CACHE": ""}
    command = [sys.executable, str(Path(__file__).resolve()), "--one", only]
    run = subprocess.run(command, env=os.environ | threads | path, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{tree}:\n{run.stderr}")
    found = json.loads(run.stdout.splitlines()[-1])
    if not Path(found["tree"]).samefile(tree):
        raise SystemExit(f"{tree} was asked for, {found['tree']} was imported.")
    return dict(found["times"])


def one(only: str) -> None:
    """What a process of `timed` does: every call after an untimed one, as JSON on the last line."""
    warnings.simplefilter("ignore")
    begin = time.process_time()
    import bayesmixed as bm

    bm.Model  # noqa: B018 loads what the package loads when it is used
    times = {"import": [time.process_time() - begin]}
    for name, prepare in calls(bm):
        if only in name:
            call = prepare()
            times[name] = [seconds(call)] if name in ONCE else repeated(call)
    print(json.dumps({"tree": str(Path(bm.__file__).parents[1]), "times": times}))


def seconds(call: Callable[[], Any]) -> float:
    """CPU seconds of one call: other programs on the machine count for little."""
    begin = time.process_time()
    call()
    return time.process_time() - begin


def repeated(call: Callable[[], Any]) -> list[float]:
    """Seconds of several calls after an untimed one, more of short ones."""
    call()
    found = [seconds(call) for _ in range(REPEATS)]
    while sum(found) < ENOUGH and len(found) < MOST:
        found.append(seconds(call))
    return found


def calls(bm: Any) -> Iterator[tuple[str, Callable[[], Callable[[], Any]]]]:
    """Names, and what prepares each call; a fit is of a new model each time so that nothing is reused."""
    from cases import simulated

    slopes, cbpp = "Reaction ~ Days + (Days | Subject)", "prop(incidence, size) ~ period + (1 | herd)"
    ticks = "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION)"
    sleep, herds, grouse = (bm.load_data(name) for name in ("sleepstudy", "cbpp", "grouseticks"))
    grouse = grouse.assign(cHEIGHT=grouse["HEIGHT"] - grouse["HEIGHT"].mean())
    many = simulated(100_000)
    short = bm.NUTS(draws=200, tune=200, chains=1)

    def fit(formula: str, data: Any, method: Any, **options: Any) -> Any:
        return bm.Model(formula, data, **options).fit(method, seed=1, progress=False)

    def fitting(*arguments: Any, **options: Any) -> Callable[[], Callable[[], Any]]:
        return lambda: lambda: fit(*arguments, **options)

    ml, post = fit(slopes, sleep, "ml"), fit(slopes, sleep, bm.Laplace(draws=500))
    yield "Model, 100,000 rows", lambda: lambda: bm.Model("y ~ x + (x | g)", many)
    yield "Model, sleepstudy", lambda: lambda: bm.Model(slopes, sleep)
    yield "100,000 rows ml", fitting("y ~ x + (x | g)", many, "ml")
    yield "sleepstudy ml", fitting(slopes, sleep, "ml")
    yield "sleepstudy reml", fitting(slopes, sleep, "reml")
    yield "sleepstudy map", fitting(slopes, sleep, "map")
    yield "sleepstudy laplace", fitting(slopes, sleep, "laplace")
    yield "cbpp ml", fitting(cbpp, herds, "ml", family="binomial")
    yield "cbpp ml, 9 nodes", fitting(cbpp, herds, bm.ML(quadrature=9), family="binomial")
    yield "cbpp map", fitting(cbpp, herds, "map", family="binomial")
    yield "cbpp laplace", fitting(cbpp, herds, "laplace", family="binomial")
    yield "grouseticks ml", fitting(ticks, grouse, "ml", family="poisson")
    yield "crossed ml", fitting("y ~ 1 + (1 | s) + (1 | d)", crossed(), "ml")
    yield "nuts cold", fitting(slopes, sleep, short)
    yield "nuts warm", fitting(slopes, sleep, short)
    yield "cbpp nuts warm", fitting(cbpp, herds, short, family="binomial")
    yield "predict, confidence", lambda: lambda: ml.predict(interval="confidence")
    yield "predict, prediction", lambda: lambda: ml.predict(interval="prediction", seed=1)
    yield "predict of draws", lambda: lambda: post.predict(interval="prediction", seed=1)
    yield "summary, point", lambda: lambda: str(ml.summary())
    yield "summary, draws", lambda: lambda: str(post.summary())
    yield "simulate 100", lambda: lambda: ml.simulate(100, seed=1)
    yield "side_by_side", lambda: lambda: str(bm.side_by_side(ml, post))
    yield "loo", lambda: lambda: bm.loo(post)


def crossed() -> Any:
    """20,000 ratings of 400 by 1,500."""
    import numpy as np
    import pandas as pd

    rng, n = np.random.default_rng(4), 20_000
    s, d = rng.integers(0, 1_500, n), rng.integers(0, 400, n)
    y = 3 + rng.normal(scale=0.3, size=1_500)[s] + rng.normal(scale=0.5, size=400)[d] + rng.normal(size=n)
    return pd.DataFrame({"s": s.astype(str), "d": d.astype(str), "y": y})


def markdown(times: dict[str, tuple[list[float], list[float]]], options: argparse.Namespace) -> str:
    """The page."""
    from machine import machine  # here: the report imports the package, whose import the processes time
    from report import table

    facts = {**machine(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    facts |= {"before": revision(options.before), "after": revision(options.after)}
    said = (
        f"Milliseconds of CPU, one BLAS thread, smallest and median over {options.rounds} rounds in which the trees "
        f"take turns, {REPEATS} to {MOST} calls a round after an untimed one (one call where a second would find a "
        "program compiled); "
        f"! marks ratios of the smallest above {LIMIT}."
    )
    header = ["call", "before, min", "after, min", "ratio", "before, median", "after, median", "ratio", ""]
    parts = ["# Before and after", "\n".join(f"- {name}: {value}" for name, value in facts.items()), said]
    return "\n\n".join([*parts, table(header, [row(name, *pair) for name, pair in times.items()])]) + "\n"


def row(name: str, before: list[float], after: list[float]) -> list[str]:
    """One call."""
    cells, ratios = [name], []
    for of in (min, statistics.median):
        a, b = of(before), of(after)
        ratios.append(b / a)
        cells += [f"{1000 * a:.1f}", f"{1000 * b:.1f}", f"{b / a:.2f}"]
    return [*cells, "!" if ratios[0] > LIMIT else ""]


def revision(tree: Path) -> str:
    """The commit of a checkout."""
    run = subprocess.run(["git", "-C", str(tree), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return run.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
