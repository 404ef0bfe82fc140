"""Rows less coefficients: the exact degrees of freedom of a linear model without bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import FitError
from ..messages import Told
from .reference import Fixed

if TYPE_CHECKING:
    from ..fits.point import PointFit


def reference(fit: PointFit) -> Fixed:
    """n - p degrees of freedom, standard errors with the unbiased residual variance whatever the fit's.

    An ML fit divides the residual sum of squares by n: its standard errors grow by (n / (n - p))^1/2.
    """
    if not fit.model.has_scale:
        raise FitError(
            'ddf="residual" is for linear models with one residual variance. Use ddf="asymptotic".',
            topic="degrees-of-freedom",
        )
    n, p = fit.n_obs, len(fit.beta)
    notes: tuple[str, ...] = ()
    root = fit.coefficient_root
    if not fit.engine.restricted and "sigma" in fit.model.free:
        root = root * np.sqrt(n / (n - p))
        notes = (Told("standard-errors", f"Standard errors: of the ML fit times sqrt(n / (n - p)), n = {n}, p = {p}."),)
    return Fixed(root, f"t with {n - p} residual degrees of freedom", float(n - p), notes)
