"""How is NumPyro imported in a notebook without widgets?"""

from __future__ import annotations

import sys
import warnings

from ...page.notebook import in_notebook


def expect_no_widgets() -> None:
    """Import the bars that NumPyro imports, in a notebook without the warning that widgets are missing.

    NumPyro takes tqdm's bars for notebooks, which warn on import where ipywidgets is not installed. None of them is
    shown: ours needs no widget.
    """
    if in_notebook() and "tqdm.auto" not in sys.modules:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tqdm.auto  # noqa: F401
