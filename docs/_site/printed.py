"""How do pages come to show what their Python prints now? It is run from the top, and what is printed put behind it.

    python docs/_site/printed.py guide/priors.md     some pages, below docs/; all of `PAGES` where none is named

For pages whose output stands in blocks of the language "text" (`tests/documents/test_written_pages.py` compares them).
An error of this package that a page provokes is shown as its last line; tables beside the page are at hand.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bayesmixed.errors import BayesMixedError

DOCS = Path(__file__).resolve().parents[1]
PAGES = ("start/first-five-minutes.md", "guide/priors.md", "guide/saving.md", "guide/writing-it-up.md")
WIDTH = "112"  # of the lines that pages show
CODE = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)


def filled(text: str, name: str) -> str:
    """A page's Markdown with what its Python prints, run in the working folder."""
    scope: dict[str, object] = {}

    def with_output(block: re.Match[str]) -> str:
        shown = printed(block["code"], name, scope)
        return f"```python\n{block['code']}```\n" + (f"\n```text\n{shown}```\n" if shown else "")

    return CODE.sub(with_output, text)


def printed(code: str, name: str, scope: dict[str, object]) -> str:
    """What a block prints, without blanks at the ends of lines, and the error that it ends in."""
    said, error = io.StringIO(), ""
    with contextlib.redirect_stdout(said):
        try:
            exec(compile(code, name, "exec"), scope)
        except BayesMixedError as problem:
            error = f"{type(problem).__name__}: {problem}"
    return "".join(f"{line.rstrip()}\n" for line in (said.getvalue() + error).splitlines())


def main(names: list[str]) -> None:
    """Rewrite the pages, and the pictures that they save and show."""
    import matplotlib

    matplotlib.use("Agg")
    os.environ["COLUMNS"] = WIDTH
    for name in names or PAGES:
        page = DOCS / name
        with TemporaryDirectory() as workplace, contextlib.chdir(workplace):
            for table in page.parent.glob("*.csv"):
                shutil.copy(table, workplace)
            text = filled(page.read_text(encoding="utf-8"), name)
            for picture in Path(workplace).glob("*.png"):
                shutil.copy(picture, page.parent)
        page.write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
