"""Where do equations come from? MathJax lies beside the pages, so that they are drawn without a network."""

from __future__ import annotations

import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

PACKAGE = "django-static-mathjax"  # MathJax's own files, unchanged; nothing of it is imported
WITHIN = "mathjax/static/mathjax/es5"
FOLDER = "mathjax"  # below the site's _static
PROGRAM = "tex-mml-chtml.js"
PARTS = ("output/chtml/fonts/woff-v2", "input/tex/extensions")  # which the program asks for when it needs them
PATH = f"{FOLDER}/{PROGRAM}"


def copy(app: Any) -> None:
    """Put what pages ask for into the site's folder of static files: of the package's 35 MB, two."""
    if app.builder.format != "html":
        return
    source = Path(str(distribution(PACKAGE).locate_file(WITHIN)))
    target = Path(app.outdir) / "_static" / FOLDER
    for part in PARTS:
        shutil.copytree(source / part, target / part, dirs_exist_ok=True)
    shutil.copy2(source / PROGRAM, target / PROGRAM)
