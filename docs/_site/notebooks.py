"""How does a tutorial become a notebook? With its cells as they are, links that lead to the site, and no output.

    PYTHONPATH=docs python -m _site.notebooks

A notebook without output stays small in every clone, and its reader runs it: what a tutorial prints stands on its page.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from .outside import LINK, REPOSITORY, led_to
from .tutorials import FOLDER, SOURCES

NOTEBOOKS = FOLDER / "notebooks"
SITE = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Documentation"]
INSTALL = '# Where bayesmixed is not installed yet, as on Colab, take the "#" from the next line and run it once.\n' + (
    '# %pip install "bayesmixed[plots]"'
)
ANCHOR = re.compile(r"\]\((?=#)")
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def write() -> list[Path]:
    """Write the notebook of every tutorial; those of tutorials that are gone are removed."""
    NOTEBOOKS.mkdir(exist_ok=True)
    for old in set(NOTEBOOKS.glob("*.ipynb")) - {NOTEBOOKS / f"{name}.ipynb" for name in SOURCES}:
        old.unlink()
    return [_written(name, notebook(path)) for name, path in SOURCES.items()]


def notebook(source: Path) -> Any:
    """The notebook of a tutorial's source: how to install, then its cells."""
    cells = jupytext.read(source).cells
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = absolute(cell.source, source.stem)
    page = nbformat.v4.new_markdown_cell(
        f"A tutorial of bayesmixed: [this page with its output]({address(source.stem)})."
    )
    cells = [page, nbformat.v4.new_code_cell(INSTALL), *cells]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # the same each time, where nbformat draws one
        cell.metadata = {}
    return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)


def absolute(text: str, name: str) -> str:
    """Markdown of the tutorial of that name with links that work wherever its notebook is opened."""
    text = ANCHOR.sub(f"]({address(name)}", text)
    return LINK.sub(lambda match: match["before"] + _on_site(match["target"]) + match["after"], text)


def address(name: str) -> str:
    """Where the page of a tutorial is."""
    return f"{SITE}tutorials/{name}.html"


def _on_site(target: str) -> str:
    found = led_to(target, FOLDER)
    if "://" in found:
        return found
    path = posixpath.normpath(posixpath.join("/tutorials", found)).removeprefix("/")
    return f"{SITE}{path.removesuffix('.md')}.html" if path.endswith(".md") else SITE + path


def _written(name: str, made: Any) -> Path:
    path = NOTEBOOKS / f"{name}.ipynb"
    nbformat.validate(made)
    nbformat.write(made, path)
    return path


if __name__ == "__main__":
    for written in write():
        print(written.relative_to(REPOSITORY))
