"""What random numbers a seed gives."""

from __future__ import annotations

from typing import Any

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
        raise _not_a_seed(seed) from None


def whole_seed(seed: int | None) -> int:
    """The seed as an int, a fresh one for None.

    Raises
    ------
    FitError
        A seed that is no whole number, or negative.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if not is_whole(seed) or seed < 0:
        raise _not_a_seed(seed)
    return int(seed)


def is_whole(value: Any) -> bool:
    """Whether an option is a whole number; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _not_a_seed(seed: Any) -> FitError:
    return FitError(f"seed must be a whole number, 0 or more, not {seed!r}.", topic="seed")
