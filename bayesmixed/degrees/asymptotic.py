"""The normal reference: z and chi^2, as for generalized models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .reference import Fixed

if TYPE_CHECKING:
    from ..fits.point import PointFit


def reference(fit: PointFit) -> Fixed:
    """Infinite degrees of freedom."""
    return Fixed(fit.coefficient_root, "z", np.inf)
