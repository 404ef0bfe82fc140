"""How does a tutorial's source become its page? It is run in a kernel of its own; text, output and pictures are kept.

    python docs/tutorials/build.py                    all of them
    python docs/tutorials/build.py sleepstudy priors  some

Needs the extra ``docs``. A page is not written where its source fails, warns or takes longer than `LIMIT`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import jupytext
import nbclient
import nbconvert

from bayesmixed.engines.machine.bars import BAR

FOLDER = Path(__file__).resolve().parent
LIMIT = 120.0  # seconds that a tutorial may take, so that a reader tries it
# Tables as text: pages are read in a terminal and in diffs as often as in a browser.
SHOWN = ["image/png", "text/markdown", "text/plain"]
SLOW = "A gradient takes"  # how a warning begins that is of the machine, not of the tutorial


class TutorialFault(RuntimeError):
    """A tutorial that fails, warns or takes too long."""


@dataclass(frozen=True)
class Page:
    """A tutorial that was run: `text` in Markdown, `pictures` by file name, `seconds` it took."""

    name: str
    text: str
    pictures: dict[str, bytes]
    seconds: float

    def write(self, folder: Path) -> None:
        """The page beside its pictures, which replace those of an earlier run."""
        beside = folder / pictures_of(self.name)
        for old in beside.glob("*.png"):
            old.unlink()
        for name, data in self.pictures.items():
            beside.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        (folder / f"{self.name}.md").write_text(self.text, encoding="utf-8")


def sources() -> dict[str, Path]:
    """Every tutorial by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path != Path(__file__).resolve()}


def run(source: Path) -> Page:
    """The page of a source.

    Raises
    ------
    TutorialFault
        It failed, something was written to stderr, or it took longer than `LIMIT`.
    """
    started = perf_counter()
    notebook = executed(source)
    return _page(source.stem, notebook, perf_counter() - started)


def executed(source: Path, limit: float = LIMIT) -> Any:
    """The notebook of a source with what it printed and drew, progress bars left out; raises as `run` does."""
    notebook = jupytext.read(source)
    started = perf_counter()
    with TemporaryDirectory() as workplace:  # what a tutorial writes stays out of the repository
        client = nbclient.NotebookClient(notebook, timeout=limit, kernel_name="python3")
        if os.name == "posix":  # sockets in a folder of ours, where nobody on the network listens
            client.create_kernel_manager()
            client.km.transport, client.km.ip = "ipc", str(Path(workplace) / "kernel")
        try:
            client.execute(cwd=workplace)
        except nbclient.exceptions.CellExecutionError as error:
            raise TutorialFault(f"{source.name} fails: {error.ename}: {error.evalue}\n{_failed(notebook)}") from error
        except nbclient.exceptions.CellTimeoutError as error:
            raise TutorialFault(f"{source.name} has a cell that takes more than {limit:.0f} s.") from error
    seconds = perf_counter() - started
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _shown(output)]
    said = _stderr(notebook)
    if said:
        raise TutorialFault(f"{source.name} warns: {said}")
    if seconds > limit:
        raise TutorialFault(f"{source.name} took {seconds:.0f} s, more than {limit:.0f}.")
    return notebook


def pictures_of(name: str) -> str:
    """The folder of a tutorial's pictures."""
    return f"{name}_pictures"


def _failed(notebook: Any) -> str:
    """The cell that raised an error."""
    failed = [cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.get("outputs", []))]
    return failed[0].source if failed else ""


def _stderr(notebook: Any) -> str:
    return "".join(o.text for cell in notebook.cells for o in cell.get("outputs", []) if o.get("name") == "stderr")


def _shown(output: Any) -> bool:
    """Whether an output is of the tutorial: no progress bar, and no word on how slow the machine is."""
    late = output.get("name") == "stderr" and output.text.startswith(SLOW)
    return not late and BAR not in output.get("metadata", {})


def _page(name: str, notebook: Any, seconds: float) -> Page:
    exporter = nbconvert.MarkdownExporter()
    exporter.display_data_priority = SHOWN
    resources = {"unique_key": name, "output_files_dir": pictures_of(name)}
    text, found = exporter.from_notebook_node(notebook, resources=resources)
    note = f"<!-- Made by docs/tutorials/build.py from {name}.py: edit that file, then `make tutorials`. -->\n"
    lines = [line.rstrip() for line in (note + text.replace("![png]", f"![{name}]")).splitlines()]
    return Page(name, "\n".join(lines) + "\n", dict(found["outputs"]), seconds)


def main(asked: list[str]) -> int:
    """Write the pages asked for, all by default; the exit status is the number of those that could not be."""
    known = sources()
    unknown = [name for name in asked if name not in known]
    if unknown:
        print(f"No tutorial is called {unknown[0]!r}. Known: {', '.join(known)}.")
        return 1
    faults = 0
    for name in asked or known:
        try:
            page = run(known[name])
        except TutorialFault as fault:
            print(f"{name}: NOT written. {fault}")
            faults += 1
            continue
        page.write(FOLDER)
        print(f"{name}: {page.seconds:.0f} s, {len(page.pictures)} pictures")
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
