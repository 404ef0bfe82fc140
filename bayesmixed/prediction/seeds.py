"""What random numbers a seed gives."""

from __future__ import annotations

import numpy as np

from ..errors import FitError


def generator(seed: int | None) -> np.random.Generator:
    """NumPy's generator from a seed: the same numbers for the same seed, fresh ones for None.

    Raises
    ------
    FitError
        A seed that is no whole number, or negative.
    """
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise FitError(f"seed must be a whole number, 0 or more, not {seed!r}.") from None
