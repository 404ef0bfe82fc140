"""What do four programs print for the same analysis? Runs the scripts of this folder and keeps what they print.

    python docs/from/programs/run.py                              all that can be run here
    python docs/from/programs/run.py --only singular in_bambi  analyses and scripts by name
    python docs/from/programs/run.py --bambi .venv-bambi/bin/python

lme4 and glmmTMB need `Rscript` with these packages, bambi an environment of its own (`make` knows it as .venv-bambi).
The first line of an output names the versions; a program that is not here keeps the output that it has.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import bayesmixed as bm

FOLDER = Path(__file__).resolve().parent
TABLES = {"sleepstudy": "sleepstudy", "cbpp": "cbpp", "singular": "Oats"}
WIDTH = "102"  # columns of a line, as on the other pages

R_PACKAGES = {"in_lme4": ("lme4", "lmerTest"), "in_glmmTMB": ("glmmTMB", "TMB")}
OURS = ("bayesmixed", "numpyro", "jax")
BAMBI = ("bambi", "nutpie", "pymc", "arviz")


def scripts(only: list[str]) -> Iterator[Path]:
    """The scripts whose analysis or own name is among `only`, all of them where that is empty."""
    for analysis in TABLES:
        for path in sorted((FOLDER / analysis).glob("*.R")) + sorted((FOLDER / analysis).glob("*.py")):
            if not only or {analysis, path.stem} & set(only):
                yield path


def printed(script: Path, interpreter: str) -> str:
    """What a script prints where its table is a CSV file beside it, warnings included where they come."""
    with TemporaryDirectory() as workplace:
        table = TABLES[script.parent.name]
        bm.load_data(table).to_csv(Path(workplace) / f"{table}.csv", index=False)
        command = [interpreter, str(script)]
        surroundings = os.environ | {"COLUMNS": WIDTH, "PYTHONWARNINGS": "ignore", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=workplace, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def interpreter_of(script: Path, bambi: str) -> str | None:
    """What runs a script, None where that is not installed."""
    if script.suffix == ".R":
        return shutil.which("Rscript")
    return shutil.which(bambi) if script.stem == "in_bambi" else sys.executable


def versions(script: Path, interpreter: str) -> str:
    """The line of versions of a script's program."""
    if script.suffix == ".R":
        names = ", ".join(f'"{name}"' for name in R_PACKAGES[script.stem])
        asked = f'cat(sapply(c({names}), function(p) paste(p, packageVersion(p))), R.version.string, sep = ", ")'
        return _said([interpreter, "-e", asked])
    packages = BAMBI if script.stem == "in_bambi" else OURS
    asked = "import sys; from importlib.metadata import version; print(*[f'{p} {version(p)}' for p in sys.argv[1:]], "
    return _said([interpreter, "-c", asked + "'Python ' + sys.version.split()[0], sep=', ')", *packages])


def _said(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Write the output of every script asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="analyses or scripts")
    parser.add_argument("--bambi", default=".venv-bambi/bin/python", help="a Python that has bambi and nutpie")
    asked = parser.parse_args()
    for script in scripts(asked.only):
        interpreter = interpreter_of(script, asked.bambi)
        if interpreter is None:
            print(f"{script.parent.name}/{script.name}: nothing here runs it")
            continue
        text = f"{versions(script, interpreter)}\n\n{printed(script, interpreter)}"
        script.with_suffix(".txt").write_text(text, encoding="utf-8")
        print(f"{script.parent.name}/{script.name}")


if __name__ == "__main__":
    main()
