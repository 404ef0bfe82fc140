"""Does the wheel work where nothing but it is installed? Run by `make dist-check`.

For every Python at hand two environments are made, one with matplotlib and one without; in each the README's example
is run as a package index shows it, from an empty folder. A Python that is not at hand is asked of pip: is there a
wheel of everything that the package needs?
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
EXTRAS = ("", "plots")
# What is installed is the wheel, with its types, data and licences, and importing it loads little.
BEFORE = """
import sys
import bayesmixed
assert not {"jax", "arviz", "matplotlib"} & set(sys.modules), "importing the package loads too much"
from importlib.metadata import files, version
assert bayesmixed.__version__ == version("bayesmixed")
held = {path.as_posix() for path in files("bayesmixed")}
assert {"bayesmixed/py.typed", "bayesmixed/data/README.md"} <= held
assert any(name.endswith("licenses/LICENSES/GPL-2.0.txt") for name in held)
for row in bayesmixed.list_data().query("shipped").itertuples():
    assert len(bayesmixed.load_data(row.name)) == row.rows
"""
AFTER = """
post.save("fit")
assert bm.load("fit").coefficients.equals(post.coefficients)
print(bm.show_versions())
"""
WITHOUT_PLOTS = """
try:
    import matplotlib
except ImportError:
    pass
else:
    raise SystemExit(print("matplotlib is there"))  # ArviZ 0.23, that of Python 3.11, brings it
try:
    bm.plot.shrinkage(post)
except bm.errors.BayesMixedError as error:
    assert 'pip install "bayesmixed[plots]"' in str(error) and "\\n" not in str(error), error
else:
    raise SystemExit("a picture was drawn without matplotlib")
"""


def main() -> None:
    """Check every Python, print a line of each, end with 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", nargs="*", default=PYTHONS, help="versions such as 3.12; all that are supported")
    parser.add_argument("--keep", type=Path, help="a folder for the environments, kept to be looked at and used again")
    options = parser.parse_args()
    failures = 0
    with folder_of(options.keep) as folder:
        for version in options.python:
            for extra in EXTRAS:
                begin = time.perf_counter()
                try:
                    found = checked(version, extra, options.wheel.resolve(), folder)
                except subprocess.CalledProcessError as error:
                    found, failures = f"FAILED\n{error.stdout}{error.stderr}", failures + 1
                seconds = time.perf_counter() - begin
                print(f"Python {version}, {extra or 'no extra'}: {found} ({seconds:.0f} s)", flush=True)
    sys.exit(failures > 0)


@contextmanager
def folder_of(keep: Path | None) -> Iterator[Path]:
    """Where the environments are made: a folder that is removed, unless one is given."""
    if keep is None:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
    else:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()


def checked(version: str, extra: str, wheel: Path, folder: Path) -> str:
    """What was found of one Python with one extra; a step that fails raises CalledProcessError."""
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    python = interpreter(version)
    if python is None:
        options = ["--only-binary", ":all:", "--python-version", version, "--target", str(folder / "nowhere")]
        run([sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", *options, wanted])
        return "not at hand, so nothing was run; pip finds a wheel of everything that it needs"
    environment = folder / f"py{version}-{extra or 'bare'}"
    if not environment.exists():
        run([python, "-m", "venv", str(environment)])
    inside = str(environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    run([inside, "-m", "pip", "install", "--quiet", wanted])
    run([inside, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel)])
    run([inside, "-m", "pip", "check"])
    return example(inside, extra, wheel, folder)


def interpreter(version: str) -> str | None:
    """That Python on the path, else pyenv's newest of it."""
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
        return found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    builds = sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
    return str(builds[-1]) if builds else None


def example(python: str, extra: str, wheel: Path, folder: Path) -> str:
    """Run the README's example; its table must be the one that the README shows, of point fits to the last digit."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", description(wheel), re.MULTILINE | re.DOTALL)
    code = next(text for language, text in blocks if language == "python" and "side_by_side" in text)
    table = next(text for language, text in blocks if not language and "REML log-likelihood" in text)
    drawing = [line for line in code.splitlines() if "bm.plot." in line]
    rest = code if extra else "\n".join(line for line in code.splitlines() if line not in drawing)
    program = BEFORE + rest + AFTER + ("" if extra else WITHOUT_PLOTS)
    with tempfile.TemporaryDirectory(dir=folder) as empty:
        printed = run([python, "-I", "-c", program], cwd=empty)
        picture = Path(empty, "shrinkage.png")
        missing = [line for line in table.splitlines()[1:-2] if line[:58].rstrip() not in printed]
        if missing or picture.exists() != bool(extra):
            raise subprocess.CalledProcessError(1, python, printed, f"\nThese lines are not in it: {missing}")
        if extra:
            return f"README's example runs, picture of {picture.stat().st_size // 1000} kB"
        there = "matplotlib is there" in printed
        return "README's example runs, " + ("but matplotlib came with ArviZ" if there else "pictures name the extra")


def description(wheel: Path) -> str:
    """The README as the wheel carries it."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return str(message_from_bytes(archive.read(name)).get_payload(decode=True), "utf-8")


def run(command: list[str], **options: str) -> str:
    """What a command prints; nothing of this environment reaches it but what finds programs and packages."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    clean |= {"COLUMNS": "102", "MPLBACKEND": "Agg"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=clean, **options)
    return done.stdout


if __name__ == "__main__":
    main()
