"""Pictures of fits: each is a function to a tidy frame (``*_frame``) and a drawing of that frame by matplotlib.

A new plot is one file and one line of `PLOTS`. matplotlib is imported when something is drawn, not before,
and its global style stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import nearest
from .caterpillar import caterpillar, caterpillar_frame
from .shrinkage import shrinkage, shrinkage_frame

PLOTS: dict[str, Callable[..., Any]] = {
    "caterpillar": caterpillar,
    "shrinkage": shrinkage,
}


def __getattr__(name: str) -> Any:
    raise AttributeError(f"bm.plot has no {name!r}. {nearest(name, PLOTS)}")


__all__ = [
    "PLOTS",
    "caterpillar",
    "caterpillar_frame",
    "shrinkage",
    "shrinkage_frame",
]
