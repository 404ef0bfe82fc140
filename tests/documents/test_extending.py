"""What docs/how/extending.md adds to the package works as the page stands: its Python that begins with imports runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bayesmixed.covariance import STRUCTURES
from bayesmixed.engines import ENGINES
from bayesmixed.families import FAMILIES
from bayesmixed.plots import PLOTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how" / "extending.md"
REGISTRIES: tuple[dict[str, Any], ...] = (FAMILIES, STRUCTURES, ENGINES, PLOTS)


def complete_blocks() -> dict[str, list[str]]:
    """Section of the page -> its Python blocks that begin with their imports."""
    found: dict[str, list[str]] = {}
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        code = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        found[section.splitlines()[0]] = [block for block in code if block.startswith(("import ", "from "))]
    return found


@contextmanager
def registries_as_they_were() -> Iterator[None]:
    """Takes out again what is added meanwhile."""
    kept = [dict(registry) for registry in REGISTRIES]
    try:
        yield
    finally:
        for registry, entries in zip(REGISTRIES, kept, strict=True):
            registry.clear()
            registry.update(entries)


@pytest.mark.parametrize("section", complete_blocks())
def test_the_page_runs(section: str) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    blocks = complete_blocks()[section]
    assert blocks, f"no example in the section {section!r}"
    for block in blocks:
        with registries_as_they_were():
            exec(compile(block, f"{PAGE.name}, {section}", "exec"), {})
