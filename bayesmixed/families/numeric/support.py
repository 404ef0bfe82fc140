"""Which responses a density is defined for, and what to do with others."""

from __future__ import annotations

import numpy as np

POSITIVE_ADVICE = (
    "Zeros: model whether there is anything by family='bernoulli' on I(y > 0) and the rest by this family, "
    "or take family='gaussian' with link='log'. Negative values need family='gaussian' or 'student'."
)


def whole(y: np.ndarray) -> np.ndarray:
    """Which elements (n,) are whole numbers."""
    inside = np.where(np.isfinite(y), y, 0.5)
    return np.abs(inside - np.round(inside)) < 1e-8
