"""Pictures of fits and of checks: each is a function to a tidy frame (``*_frame``) and a drawing by matplotlib.

A new picture of a fit is one file and one line of `PLOTS`, of what a check found one line of `CHECKED`. matplotlib is
imported when something is drawn, not before, and its global style stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import nearest
from .calibration import calibration, calibration_frame
from .caterpillar import caterpillar, caterpillar_frame
from .densities import densities, densities_frame
from .shrinkage import shrinkage, shrinkage_frame

PLOTS: dict[str, Callable[..., Any]] = {
    "caterpillar": caterpillar,
    "densities": densities,
    "shrinkage": shrinkage,
}
CHECKED: dict[str, Callable[..., Any]] = {
    "calibration": calibration,
}


def __getattr__(name: str) -> Any:
    raise AttributeError(f"bm.plot has no {name!r}. {nearest(name, [*PLOTS, *CHECKED])}")


__all__ = [
    "CHECKED",
    "PLOTS",
    "calibration",
    "calibration_frame",
    "caterpillar",
    "caterpillar_frame",
    "densities",
    "densities_frame",
    "shrinkage",
    "shrinkage_frame",
]
