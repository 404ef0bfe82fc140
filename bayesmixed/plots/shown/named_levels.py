"""Which levels are named where there are too many to name all, and where do their names stand?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

from ...design.columns.factors import level_text
from ...errors import FitError, nearest
from ..drawing import theme

Names = int | Sequence[Any] | None
_ENDS = 6  # levels named at each end of one panel; of several panels each has its share


def named(levels: Sequence[Any] | np.ndarray, estimates: np.ndarray, names: Names) -> np.ndarray:
    """Positions of the levels to name, ascending.

    Parameters
    ----------
    levels, estimates
        Levels (L,) and what orders them (L, K), one column per panel.
    names
        So many at each end of every panel; or these levels; None for all where they can be read, else the extremes.

    Raises
    ------
    FitError
        For a level that there is not, or more names than can be read.
    """
    L, K = estimates.shape
    if names is None:
        return np.arange(L) if L <= theme.MAX_LABELS else _extremes(estimates, max(1, _ENDS // K))
    if isinstance(names, int | np.integer):
        if names < 0:
            raise FitError(
                f"names={names}: give the number of levels to name at each end, or a list of levels.",
                topic="unknown-option",
            )
        found = _extremes(estimates, int(names))
    else:
        found = _positions(levels, names)
    if len(found) > theme.MAX_LABELS:
        raise FitError(
            f"names= asks for {len(found)} names, and {theme.MAX_LABELS} can be read: name fewer levels.",
            topic="too-much-to-see",
        )
    return found


def ends(L: int) -> np.ndarray:
    """Positions of the rows to name of `L` that are drawn in their order."""
    return named(range(L), np.arange(float(L))[:, None], None)


def spread(places: np.ndarray, apart: float, low: float, high: float) -> np.ndarray:
    """Ascending places nearest to `places` that are `apart` from each other, between `low` and `high` if they fit.

    >>> spread(np.array([0.0, 0.1, 5.0]), 1.0, -1.0, 6.0).round(2).tolist()
    [-0.45, 0.55, 5.0]
    """
    steps = apart * np.arange(len(places))
    moved = isotonic_regression(places - steps).x + steps if len(places) else places
    return np.maximum(np.minimum(moved, high - steps[::-1]), low + steps)


def _extremes(estimates: np.ndarray, n: int) -> np.ndarray:
    """The `n` lowest and the `n` highest of each column."""
    order = np.argsort(estimates, axis=0, kind="stable")
    return np.unique(np.concatenate([order[:n], order[len(order) - min(n, len(order)) :]]))


def _positions(levels: Iterable[Any], names: Any) -> np.ndarray:
    known = {level_text(level): i for i, level in enumerate(levels)}
    wanted = [level_text(name) for name in ([names] if isinstance(names, str) else names)]
    for name in wanted:
        if name not in known:
            raise FitError(
                f"names= holds {name!r}, which is no level that is drawn. {nearest(name, known, 'Levels')}",
                topic="no-such-level",
            )
    return np.unique([known[name] for name in wanted]).astype(int)
