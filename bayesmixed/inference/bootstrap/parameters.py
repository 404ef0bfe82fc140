"""What a bootstrap is of: the parameters of a fit by name, of one point or of many refits, or a function of a fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from ...engines.refits.refits import Refits
from ...errors import FitError, nearest
from ...fits.point import PointFit
from ...fits.tables import scalar_table
from ...model import Model
from ...parameters.values import Parameters


def values(model: Model, parameters: Parameters) -> pd.DataFrame:
    """Coefficients, sds, correlations, dispersion (draws x names), named as `side_by_side` names them."""
    table = scalar_table(model.design, parameters)
    held = set(model.constants)
    kept = table[~((table["kind"] == "dispersion") & table["parameter"].isin(held))]
    return pd.DataFrame({label: v.ravel() for label, v in zip(kept["label"], kept["values"], strict=True)})


def estimates(fit: PointFit) -> pd.Series:
    """Those of the fit itself."""
    return values(fit.model, fit.parameters).iloc[0].rename("estimate")


def of_refits(fit: PointFit, refits: Refits) -> pd.DataFrame:
    """Those of refits of the fit's model, one row each."""
    return values(fit.model, refits.parameters)


def chosen(names: Any, known: Sequence[str]) -> list[str]:
    """The parameters that were asked for; all if None.

    Raises
    ------
    FitError
        For an unknown name, with the nearest one.
    """
    if names is None:
        return list(known)
    if not isinstance(names, Iterable):
        raise FitError(
            f"statistic must be a function of a fit, or names of parameters, not {names!r}.", topic="own-statistic"
        )
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in known:
            raise FitError(
                f"statistic has no parameter {name!r}. {nearest(str(name), known)}", topic="no-such-parameter"
            )
    return wanted
