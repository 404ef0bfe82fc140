"""Averages over rows behind rough starting values of dispersion parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..base import Observed


def average(values: np.ndarray, observed: Observed) -> float:
    """The mean of `values` (n,) with the response's frequency weights."""
    return float(np.average(np.broadcast_to(values, np.shape(observed.y)), weights=observed.weights))
