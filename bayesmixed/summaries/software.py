"""Which software, in which versions, made a fit?"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..fits.base import Fit

_POINT = ("bayesmixed", "numpy", "scipy")
_DRAWS = (*_POINT, "jax", "numpyro")


def versions(fit: Fit) -> str:
    """bayesmixed, what it computes with, and Python, each with its version."""
    names = _POINT if hasattr(fit, "loglik") else _DRAWS
    return ", ".join([*map(_version, names), f"Python {platform.python_version()}"])


def _version(name: str) -> str:
    """The name with its version; run from a folder, without being installed, the package has none."""
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} (not installed)"
