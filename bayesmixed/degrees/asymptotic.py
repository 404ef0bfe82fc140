"""The normal reference: z and chi^2, as for generalized models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..messages import Told
from .reference import Fixed

if TYPE_CHECKING:
    from ..fits.point import PointFit

NOTE = Told(
    "normal-reference",
    "The normal reference takes variances as known: with few groups p is too small, limits too narrow.",
)


def reference(fit: PointFit) -> Fixed:
    """Infinite degrees of freedom; of a linear model with a word on what that costs."""
    notes = () if not fit.model.linear or "sigma" in fit.model.constants else (NOTE,)
    return Fixed(fit.coefficient_root, "z", np.inf, notes)
