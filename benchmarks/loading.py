"""How much processor time a fresh process takes to load a small saved fit. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from machine import machine
from report import table

import bayesmixed as bm

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "benchmarks" / "results" / "loading.md"
ROUNDS = 5
LIMIT = 1.0  # CPU seconds to a loaded fit
LIBRARIES = ("numpy", "pandas", "scipy", "xarray", "h5netcdf", "h5py", "arviz")
LOAD = "import bayesmixed as bm; bm.load(sys.argv[{}])"
PROGRAMS = {  # each given the files of both fits
    "the interpreter alone": "",
    "import numpy, pandas": "import numpy, pandas",
    "import bayesmixed": "import bayesmixed",
    "load the REML fit": LOAD.format(1),
    "load the NUTS fit": LOAD.format(2),
}
LIMITED = ("load the REML fit", "load the NUTS fit")
TIMED = "import sys, time; {}; print(time.process_time())"  # which counts from the start of the process
VERSIONS = (
    "import json, platform; from importlib.metadata import version; from importlib.util import find_spec; "
    "python = platform.python_version() + (' with dask' if find_spec('dask') else ''); "
    f"print(json.dumps([python, *(f'{{n}} {{version(n)}}' for n in {LIBRARIES})]))"
)


def main() -> None:
    """Save two fits, load them in fresh processes of every interpreter in turn, write results/loading.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", nargs="*", default=[], help="further interpreters of environments with the package")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    pythons = [sys.executable, *options.python]
    with tempfile.TemporaryDirectory() as folder:
        files = saved(Path(folder))
        sizes = [Path(file).stat().st_size for file in files]
        times = timed(pythons, files, options.rounds)
    versions = [json.loads(run(python, VERSIONS)) for python in pythons]
    page = markdown(versions, times, sizes, options.rounds)
    PAGE.write_text(page, encoding="utf-8")
    print(page)


def saved(folder: Path) -> list[str]:
    """The files of sleepstudy's fits by REML and by NUTS at its defaults."""
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    fits = {"reml": model.fit("reml"), "nuts": model.fit("nuts", seed=1, progress=False)}
    return [str(fit.save(folder / name)) for name, fit in fits.items()]


def timed(pythons: list[str], files: list[str], rounds: int) -> dict[str, list[list[float]]]:
    """Program -> CPU seconds of every round, by interpreter; the first, untimed round compiles what is imported."""
    times: dict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in pythons])
    for number in range(rounds + 1):
        for name, program in PROGRAMS.items():
            for which, python in enumerate(pythons):
                seconds = float(run(python, TIMED.format(program or "pass"), *files))
                if number:
                    times[name][which].append(seconds)
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return times


def run(python: str, program: str, *arguments: str) -> str:
    """What a fresh process prints that finds this checkout first."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [python, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def markdown(versions: list[list[str]], times: dict[str, list[list[float]]], sizes: list[int], rounds: int) -> str:
    """The whole page."""
    facts = {name: value for name, value in machine().items() if name not in ("python", "packages", "blas")}
    facts |= {f"Python {python}": ", ".join(libraries) for python, *libraries in versions}
    facts |= {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": "`make bench-loading`"}
    header = ["a fresh process", *(f"Python {python}" for python, *_ in versions), f"limit {LIMIT:g} s"]
    rows = [[name, *(shown(of) for of in by), verdict(name, by)] for name, by in times.items()]
    parts = [
        "# Loading a saved fit in a new process: CPU seconds",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        f"Processor time of the whole process, user and system, from its start: medians of {rounds} processes, the "
        "smallest and the largest in brackets; files compiled, threads as each library sets them. Programs and "
        "interpreters take turns. On a machine that is busy with other things the same work costs more processor time: "
        "see the load. Where dask is installed, as the extra `cluster` does, xarray imports it when it reads names of "
        f"draws. Fits of `Reaction ~ Days + (Days | Subject)`: by REML ({sizes[0] // 1000} kB) and by NUTS at "
        f"its defaults ({sizes[1] // 1000} kB).",
        table(header, rows),
    ]
    return "\n\n".join(parts) + "\n"


def shown(seconds: list[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


def verdict(name: str, by: list[list[float]]) -> str:
    """Whether the median of every interpreter is below the limit, of programs that have one."""
    if name not in LIMITED:
        return ""
    return "met" if all(statistics.median(seconds) < LIMIT for seconds in by) else "**missed**"


if __name__ == "__main__":
    main()
