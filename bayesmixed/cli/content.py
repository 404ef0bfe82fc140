"""What JSON says of a model, of a fit and of a diagnosis: the keys that scripts read."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .plain import records
from .program import NAME

if TYPE_CHECKING:
    import pandas as pd

    from ..checks.diagnosis.diagnose import Diagnosis
    from ..fits.base import Fit
    from ..model import Model


def of_model(model: Model) -> dict[str, Any]:
    """Keys: bayesmixed (version), formula, family, link, rows, dropped, groups, constants."""
    return {
        NAME: import_module(NAME).__version__,
        "formula": list(model.formula.texts),
        "family": model.family.name,
        "link": model.family.link.name,
        "rows": model.n_obs,
        "dropped": model.design.n_dropped,
        "groups": {term.factor: term.n_levels for term in model.design.groups},
        "constants": dict(model.constants),
    }


def of_fit(fit: Fit) -> dict[str, Any]:
    """Keys: method, label, coefficients, varcorr, dispersion, ranef, status (with its problems).

    Of point fits also loglik, deviance, aic, bic, n_parameters and theta, of draws seed.
    """
    every = ("loglik", "deviance", "aic", "bic", "n_parameters", "theta", "seed")
    return {
        "method": fit.engine.name,
        "label": fit.label,
        **{name: getattr(fit, name) for name in every if hasattr(fit, name)},
        "coefficients": records(fit.coefficients, "name"),
        "varcorr": _variances(fit.varcorr()),
        "dispersion": fit.parameters.mean_dispersion(),
        "ranef": {factor: records(table, "level") for factor, table in fit.ranef().items()},
        "status": asdict(fit.status),
    }


def of_diagnosis(found: Diagnosis) -> dict[str, Any]:
    """Keys: clean, findings (check, severity, what, words, remedy), profile, simpler."""
    simpler = found.simpler
    return {
        "clean": found.clean,
        "findings": records(found.table),
        "profile": records(found.profile),
        "simpler": None if simpler is None else {"same": simpler.same, "table": records(simpler.table)},
    }


def _variances(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of `Fit.varcorr`, the correlations with earlier columns of the block by their names."""
    from ..fits.tables import VARIANCE_COLUMNS

    return [
        {
            **dict(zip(VARIANCE_COLUMNS, row[:3], strict=True)),
            "correlations": {
                str(name): value for name, value in zip(table.columns[3:], row[3:], strict=True) if value == value
            },
        }
        for row in table.itertuples(index=False, name=None)
    ]
