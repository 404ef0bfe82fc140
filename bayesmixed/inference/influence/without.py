"""Estimates without each of several sets of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Without:
    """`values` (L, names) of every parameter, `se` (L, P) of the coefficients; NaN where there are none.

    `fall` (L,) by how much the log-likelihood of all rows is lower there than at the fit's estimates; `reasons` why a
    set, by its position, has no estimates.
    """

    values: pd.DataFrame
    se: np.ndarray
    fall: np.ndarray
    reasons: dict[int, str]

    @classmethod
    def joined(cls, parts: Sequence[Without]) -> Without:
        """Those of the parts, one after the other."""
        firsts = np.cumsum([0, *(len(part.fall) for part in parts[:-1])])
        pairs = zip(firsts, parts, strict=True)
        return cls(
            pd.concat([part.values for part in parts], ignore_index=True),
            np.concatenate([part.se for part in parts]),
            np.concatenate([part.fall for part in parts]),
            {int(first) + i: reason for first, part in pairs for i, reason in part.reasons.items()},
        )
