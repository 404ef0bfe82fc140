"""Which licences has what is installed with the package? Writes LICENCES.md; run by `make licences`.

Of the environment that runs it, which holds what the extra `all` brings and nothing else.
"""

from __future__ import annotations

import platform
import re
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path

PACKAGE = "bayesmixed"
INSTALLERS = {"pip", "setuptools", "wheel"}
PAGE = Path(__file__).parent / "LICENCES.md"
HEAD = """# The licences of what is installed with bayesmixed

What `pip install "bayesmixed[all]"` brought on {date} with Python {python} on {system}: {number} packages, each with
the licence that its own description states (the expression, else the classifiers, else the field). Nothing of them is
copied into bayesmixed. Wheels may hold libraries with licences of their own (OpenBLAS, HDF5, XLA, ...), which those
packages list. The licences of bayesmixed's own data sets are in `bayesmixed/data/README.md`. Written by
`make licences`.

| package | version | licence | brought by |
|---|---|---|---|
"""
LONG = 40  # characters from which a licence field holds the text of a licence, not its name


def main() -> None:
    """Write the page."""
    installed = {normal(found.name): found for found in distributions()}
    brought = by_whom(installed)
    listed = sorted(set(installed) - INSTALLERS - {PACKAGE}, key=lambda name: (PACKAGE not in brought[name], name))
    rows = [
        f"| {installed[name].name} | {installed[name].version} | {licence(installed[name])} | {words(brought[name])} |"
        for name in listed
    ]
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "python": platform.python_version(), "system": platform.system()}
    PAGE.write_text(HEAD.format(**facts, number=len(rows)) + "\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows)} packages in {PAGE}")


def normal(name: str) -> str:
    """The name as package indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def by_whom(installed: dict[str, Distribution]) -> dict[str, set[str]]:
    """Package -> the installed packages that ask for it."""
    found = defaultdict(set)
    for asking in installed.values():
        extras = {"all"} if normal(asking.name) == PACKAGE else set()  # of others none, as far as one can see
        for line in asking.requires or []:
            if not set(re.findall(r"extra == [\'\"]([^\'\"]+)", line)) <= extras:
                continue
            found[normal(re.match(r"[\w.-]+", line)[0])].add(normal(asking.name))
    return found


def words(asking: set[str]) -> str:
    """Who brings a package; bayesmixed itself before all others."""
    return PACKAGE if PACKAGE in asking else ", ".join(sorted(asking))


def licence(of: Distribution) -> str:
    """What the package's description says of its licence."""
    told = of.metadata
    classifiers = [line.split(" :: ")[-1] for line in told.get_all("Classifier", []) if line.startswith("License")]
    field = (told.get("License") or "").strip()
    short = field if field and len(field) <= LONG and "\n" not in field else ""
    return told.get("License-Expression") or ", ".join(classifiers) or short or file_title(of)


def file_title(of: Distribution) -> str:
    """The first line of the licence that lies beside the description."""
    files = [path for path in of.files or [] if path.stem.upper() in ("LICENSE", "LICENCE", "COPYING")]
    lines = [line for path in files for line in path.read_text("utf-8").splitlines() if line.strip()]
    return f"{lines[0].strip()} (its file's title)" if lines else "not stated: see its source"


if __name__ == "__main__":
    main()
