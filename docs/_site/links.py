"""Do all links inside the built site lead somewhere? Files and anchors of every page are looked up; none is fetched.

python docs/_site/links.py build/site/html
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

TARGETS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}


@dataclass
class Page(HTMLParser):
    """A page's links (line, address) and the anchors that can be linked to."""

    links: list[tuple[int, str]] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What an element links to, and what it is called."""
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        address = given.get(TARGETS.get(tag, ""))
        if address is not None:
            self.links.append((self.getpos()[0], address))


def broken(root: Path) -> Iterator[str]:
    """A sentence for every link inside `root` that leads nowhere."""
    pages = {path: _read(path) for path in sorted(root.rglob("*.html")) if path.parent != root / "_static"}
    for path, page in pages.items():
        for line, address in page.links:
            fault = _fault(path, address, root, pages)
            if fault:
                yield f"{path.relative_to(root)}:{line}: {address!r}: {fault}"


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _fault(path: Path, address: str, root: Path, pages: dict[Path, Page]) -> str:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""  # elsewhere
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target = target / "index.html"
    if not target.is_relative_to(root) or not target.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "no such anchor"
    return ""


def main(root: Path) -> int:
    """Print what is broken; the exit status says whether anything is."""
    root = root.resolve()
    faults = list(broken(root))
    print("\n".join(faults) if faults else f"Every link inside {root.name} leads somewhere.")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
