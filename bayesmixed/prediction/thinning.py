"""Which draws are kept where fewer are asked for than there are."""

from __future__ import annotations

import numpy as np

from ..errors import FitError


def kept_draws(total: int, wanted: int | None) -> np.ndarray:
    """Positions of `wanted` draws, evenly spaced from the first to the last; of all where `wanted` is None or more.

    >>> kept_draws(10, 4)
    array([0, 3, 6, 9])
    """
    if wanted is None:
        return np.arange(total)
    kept = np.linspace(0, total - 1, min(positive(wanted), total))
    return np.round(kept).astype(int)


def positive(draws: int) -> int:
    """The number of draws asked for.

    Raises
    ------
    FitError
        It is no whole number, or less than 1.
    """
    if not isinstance(draws, int | np.integer) or isinstance(draws, bool) or draws < 1:
        raise FitError(f"draws must be a whole number, at least 1, not {draws!r}.", topic="whole-number")
    return int(draws)
