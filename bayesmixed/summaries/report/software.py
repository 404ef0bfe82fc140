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


def own_version() -> tuple[str, str]:
    """The package's name, and the version of the code that runs: the installed one, if there is any, may be another."""
    package = __name__.partition(".")[0]
    return package, str(import_module(package).__version__)


def versions(fit: Fit) -> str:
    """bayesmixed, what it computes with, and Python, each with its version."""
    names = _DRAWS if fit.sampled else _POINT
    own = " ".join(own_version())
    return ", ".join([own, *(f"{name} {version(name)}" for name in names), f"Python {platform.python_version()}"])
