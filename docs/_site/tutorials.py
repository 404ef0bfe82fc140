"""What do tutorials print today? They are run when the site is built, and what they printed is kept.

It is kept until the tutorial, the package, its dependencies or the Python change.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import nbformat

from .outside import DOCS, REPOSITORY, rewritten

FOLDER = DOCS / "tutorials"
SOURCES = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.name != "build.py"}
KEPT = Path(os.environ.get("BAYESMIXED_DOCS_CACHE", REPOSITORY / "build" / "tutorials"))
ANY = os.environ.get("TUTORIALS") == "kept"  # for work on other pages: those run last will do
AT_ONCE = 2
OFFER = "{{download}}`Open it as a notebook: {name}.ipynb <notebooks/{name}.ipynb>`"  # made by `notebooks`
LIMIT = 600.0  # seconds of a tutorial, on a machine that does other things too
DEPENDENCIES = ("arviz", "formulae", "jax", "matplotlib", "numpy", "numpyro", "pandas", "scipy")


def executed(text: str) -> Any:
    """The notebook of a tutorial's text, with what it printed: what Sphinx reads in the text's place."""
    notebook = nbformat.read(_kept(text), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = rewritten(cell.source, FOLDER)
    name = next(name for name, path in SOURCES.items() if path.read_text(encoding="utf-8") == text)
    title, *rest = notebook.cells[0].source.split("\n", 1)
    offered = OFFER.format(name=name)
    notebook.cells[0].source = "\n".join([title, "", offered, *rest])
    return notebook


def run_all() -> None:
    """Run the tutorials that have changed, two at a time.

    Raises
    ------
    TutorialFault
        One failed, warned or took too long.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    missing = [name for name, path in SOURCES.items() if not _kept(path.read_text(encoding="utf-8")).is_file()]
    with ThreadPoolExecutor(AT_ONCE) as pool:  # each runs in a kernel, a process of its own
        for line in pool.map(_run, missing):
            print(line, flush=True)


def outdated(app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Tutorials whose text is as it was, but not what they print."""
    keys = {f"tutorials/{name}": _kept(path.read_text(encoding="utf-8")).name for name, path in SOURCES.items()}
    before = getattr(env, "bayesmixed_tutorials", {})
    env.bayesmixed_tutorials = keys
    return [name for name, key in keys.items() if before.get(name) != key]


def _run(name: str) -> str:
    sys.path.insert(0, str(FOLDER))
    import build  # the script that makes the pages in the repository, which needs more than other pages do

    started, source = perf_counter(), SOURCES[name]
    notebook = build.executed(source, LIMIT)
    for old in KEPT.glob(f"{name}-*.ipynb"):
        old.unlink()
    nbformat.write(notebook, KEPT / _key(source.read_text(encoding="utf-8")))
    return f"tutorial {name}: {perf_counter() - started:.0f} s"


def _kept(text: str) -> Path:
    """Where the run of a tutorial is kept, whether it is there or not; with `ANY` an older one of the same name."""
    path = KEPT / _key(text)
    older = sorted(KEPT.glob(f"{path.name.rsplit('-', 1)[0]}-*.ipynb")) if ANY else []
    return older[0] if older and not path.is_file() else path


def _key(text: str) -> str:
    name = next(name for name, path in SOURCES.items() if path.read_text(encoding="utf-8") == text)
    return f"{name}-{hashlib.sha256(text.encode() + _surroundings()).hexdigest()[:16]}.ipynb"


@cache
def _surroundings() -> bytes:
    """What else decides what is printed."""
    versions = [f"{name} {metadata.version(name)}" for name in DEPENDENCIES]
    digest = hashlib.sha256("\n".join([platform.python_version(), *versions]).encode())
    for path in sorted((REPOSITORY / "bayesmixed").rglob("*")):
        if path.suffix == ".py":
            digest.update(_code(path).encode())
        elif path.suffix in (".json", ".csv"):
            digest.update(path.read_bytes())
    return digest.digest()


def _code(path: Path) -> str:
    """The code of a file without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, False) is not None:
            node.body[0] = ast.Pass()
    return ast.dump(tree)
