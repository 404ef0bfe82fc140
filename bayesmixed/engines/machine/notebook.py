"""Does this code run in a notebook? Asked of IPython where that is loaded, without loading it."""

from __future__ import annotations

import sys
import warnings
from typing import Any


def in_notebook() -> bool:
    """Whether output goes to a notebook (Jupyter, VS Code, Colab) rather than to a terminal or a file.

    >>> in_notebook()
    False
    """
    interactive: Any = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return getattr(shell, "kernel", None) is not None


def expect_no_widgets() -> None:
    """Import the bars that NumPyro imports, in a notebook without the warning that widgets are missing.

    NumPyro takes tqdm's bars for notebooks, which warn on import where ipywidgets is not installed. None of them is
    shown: ours needs no widget.
    """
    if in_notebook() and "tqdm.auto" not in sys.modules:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tqdm.auto  # noqa: F401
