"""What replicates say of power: the share of tests that find an effect, its exact limits, and how estimates mislead.

Clopper & Pearson (1934), Biometrika 26, 404-413; Gelman & Carlin (2014), Perspect. Psychol. Sci. 9, 641-651.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from .settings import Setting
from .tested import Tested

MEASURES = ["power", "lower", "upper", "estimate", "exaggeration", "wrong_sign", "failures", "boundary"]
LEVEL = 0.95  # of the limits of power


def exact_limits(found: int, made: int, level: float = LEVEL) -> tuple[float, float]:
    """Limits of the probability of which `found` of `made` trials are a sample.

    Examples
    --------
    >>> [round(float(limit), 4) for limit in exact_limits(8, 10)]
    [0.4439, 0.9748]
    """
    tail = (1 - level) / 2
    low = float(betaincinv(found, made - found + 1, tail)) if found > 0 else 0.0
    high = float(betaincinv(found + 1, made - found, 1 - tail)) if found < made else 1.0
    return low, high


def power_table(
    replicates: pd.DataFrame, settings: Sequence[Setting], tests: Sequence[Tested], alpha: float
) -> pd.DataFrame:
    """One row per setting and test, of `replicates` by setting (number), test, estimate, p and singular."""
    groups = dict(list(replicates.groupby(["setting", "test"], sort=False)))
    rows = []
    for s, setting in enumerate(settings):
        for test, true in zip(tests, setting.true, strict=True):
            own = groups.get((s, test.name), replicates.iloc[:0])
            rows.append({**setting.size.columns, "test": test.name, **_measures(own, float(true), alpha)})
    return pd.DataFrame(rows)


def _measures(own: pd.DataFrame, true: float, alpha: float) -> dict[str, Any]:
    used = own[own["p"].notna()]
    made, estimates = len(used), used["estimate"].to_numpy(dtype=float)
    if not made:
        return dict.fromkeys(MEASURES, np.nan) | {"failures": len(own)}
    significant = used["p"].to_numpy() < alpha
    found = int(np.sum(significant))
    low, high = exact_limits(found, made)
    told, known = estimates[significant], found > 0 and true != 0 and np.isfinite(true)
    return {
        "power": found / made,
        "lower": low,
        "upper": high,
        "estimate": float(np.mean(estimates)),
        "exaggeration": float(np.mean(np.abs(told)) / abs(true)) if known else np.nan,
        "wrong_sign": float(np.mean(np.sign(told) != np.sign(true))) if known else np.nan,
        "failures": len(own) - made,
        "boundary": float(used["singular"].mean()),
    }
