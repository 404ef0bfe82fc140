"""Which way to refit a model by maximum likelihood is the quickest?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .alone import OneByOne
from .generalized import Approximated, approximated_together
from .linear import SideBySide, searched_together

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from .refits import Refitter


def quickest(fit: PointFit) -> Refitter:
    """All refits side by side where that can be done, else one by one."""
    if fit.model.linear:
        return SideBySide(fit) if searched_together(fit) else OneByOne(fit)
    return Approximated(fit) if approximated_together(fit) else OneByOne(fit)
