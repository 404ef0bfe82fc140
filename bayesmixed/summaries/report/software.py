"""Which software, in which versions, made a fit?"""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...fits.base import Fit

_POINT = ("numpy", "scipy")
_DRAWS = (*_POINT, "jax", "numpyro")


def versions(fit: Fit) -> str:
    """bayesmixed, what it computes with, and Python, each with its version."""
    package = __name__.partition(".")[0]
    # of the code that runs: the installed one, if there is any, may be another
    own = f"{package} {import_module(package).__version__}"
    names = _DRAWS if fit.sampled else _POINT
    return ", ".join([own, *(f"{name} {version(name)}" for name in names), f"Python {platform.python_version()}"])
