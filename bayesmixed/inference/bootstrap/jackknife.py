"""The estimates of a fit with each level of its outermost factor left out: what BCa's acceleration is made of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...errors import FitError
from ...fits.point import PointFit
from ..replicates.nesting import nesting
from ..replicates.refitted import Statistic, named
from ..replicates.rows import without_level
from .case import refitted_on
from .parameters import estimates, of_refits


def left_out(fit: PointFit, statistic: Statistic | None) -> pd.DataFrame:
    """One row per level: the parameters, or a function of the fit.

    Raises
    ------
    FitError
        For crossed factors, and where some of these fits fail.
    """
    factors = nesting(fit.model, "bca")
    levels = factors[0].n_levels
    if statistic is None and len(factors) == 1:
        refits = fit.engine.refitter(fit).resampled(np.ones((levels, levels)) - np.eye(levels))
        if refits is not None and refits.converged.all():
            return of_refits(fit, refits)
    every = [refitted_on(fit, without_level(fit.model, factors[0].codes, level)) for level in range(levels)]
    fits = [one for one in every if one is not None and one.status.converged]
    if len(fits) < levels:
        raise FitError(
            f"BCa fits the model without each level of {factors[0].factor}, and {levels - len(fits)} of these {levels} "
            'fits failed: use kind="percentile".',
            topic="bootstrap-limits",
        )
    rows = [estimates(one) if statistic is None else pd.Series(named(statistic(one))) for one in fits]
    return pd.DataFrame(rows).reset_index(drop=True)
