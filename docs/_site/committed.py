"""Which files outside docs/ are pages of the site? The changelog and the committed tables of benchmarks and studies."""

from __future__ import annotations

import re
from pathlib import Path

from .outside import DOCS, REPOSITORY, TABLES

CHANGELOG = "CHANGELOG.md"
# Beginnings of names.
TIMES = ("corners", "degrees", "generalized", "linear", "loading", "posterior", "profiles", "replicates")


def pages() -> dict[str, str]:
    """By path below docs/."""
    tables = sorted((REPOSITORY / TABLES).glob("*.md"))
    made = {f"results/{path.name}": _moved(path, DOCS / "results") for path in tables}
    made["results/index.md"] = _index(tables)
    made["changelog.md"] = _moved(REPOSITORY / CHANGELOG, DOCS)
    return made


def _moved(path: Path, folder: Path) -> str:
    """A file's Markdown with its relative links as seen from another folder."""

    def moved(match: re.Match[str]) -> str:
        target = match[2]
        if "://" in target:
            return match[0]
        return f"{match[1]}{_relative((path.parent / target).resolve(), folder)}{match[3]}"

    return re.sub(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))", moved, path.read_text(encoding="utf-8"))


def _relative(path: Path, folder: Path) -> str:
    shared = next(parent for parent in (folder, *folder.parents) if path.is_relative_to(parent))
    up = len(folder.relative_to(shared).parts)
    return "../" * up + path.relative_to(shared).as_posix()


def _index(tables: list[Path]) -> str:
    times = [path for path in tables if path.stem.startswith(TIMES)]
    studies = [path for path in tables if path not in times]
    names = "\n".join(path.stem for path in tables)
    return f"""# The committed tables

What programs in `benchmarks/` wrote, as they wrote it; each names the command that makes it again, the machine and the
versions.

## How right

{_list(studies)}

## How fast

{_list(times)}

```{{toctree}}
:hidden:

{names}
```
"""


def _list(paths: list[Path]) -> str:
    return "\n".join(f"- [{_title(path)}]({path.name})" for path in paths)


def _title(path: Path) -> str:
    first = next(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# "))
    return first.removeprefix("# ")
