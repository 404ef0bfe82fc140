"""The same parameters of several fits in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import pandas as pd

from ..errors import FitError
from ..page import number
from . import tables
from .base import Fit

LOGLIK, RESTRICTED = "log-likelihood", "REML log-likelihood"  # minus half the REML criterion
LEGEND = "Estimate (standard error); of draws posterior mean (standard deviation)."


class SideBySide(pd.DataFrame):
    """A DataFrame (parameters x (fit, estimate | se)) that prints without NaNs."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __str__(self) -> str:
        shown = pd.DataFrame(index=self.index)
        for label in self.columns.get_level_values(0).unique():
            pairs = zip(self[label, "estimate"], self[label, "se"], strict=True)
            shown[label] = [_cell(name, *pair) for name, pair in zip(self.index, pairs, strict=True)]
        lines = [line.rstrip() for line in shown.to_string(justify="right").splitlines()]
        return "\n".join([*lines, *self.attrs.get("formulas", ()), LEGEND])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        formulas = "".join(f"<p>{escape(line)}</p>" for line in self.attrs.get("formulas", ()))
        return self.map(number).to_html(border=0) + formulas


def side_by_side(*fits: Fit) -> SideBySide:
    """Fixed effects, standard deviations, correlations and sigma of several fits of comparable models.

    Parameters
    ----------
    *fits
        Any fits: point fits give estimates and standard errors (of fixed effects), draws posterior
        means and standard deviations.

    Returns
    -------
    DataFrame
        Rows are parameters, columns (fit, "estimate" | "se"); the last rows are the log-likelihood of point fits and
        that of REML fits, minus half their criterion, which compares to no other criterion. Printing it shows
        "estimate (se)", and which formula each fit has where they differ.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> print(bm.side_by_side(model.fit("ml"), model.fit("reml")))
                                      ML           REML
    Intercept              1527.5 (17.7)  1527.5 (19.4)
    sd(Intercept | Batch)          37.26          42.00
    sigma                          49.51          49.51
    log-likelihood               -163.66
    REML log-likelihood                         -159.83
    Estimate (standard error); of draws posterior mean (standard deviation).
    """
    if not fits:
        raise FitError("side_by_side needs at least one fit: bm.side_by_side(ml, reml, post).")
    columns: dict[tuple[str, str], pd.Series] = {}
    for fit in fits:
        if not isinstance(fit, Fit):
            what = "a list: put a star before it, side_by_side(*fits)" if isinstance(fit, list | tuple) else repr(fit)
            raise FitError(f'side_by_side takes fits, such as model.fit("ml"), not {what}.')
    labels = numbered([fit.label for fit in fits])
    for fit, label in zip(fits, labels, strict=True):
        estimate, se = _estimates(fit)
        columns[label, "estimate"], columns[label, "se"] = estimate, se
    order = list(dict.fromkeys(name for series in columns.values() for name in series.index))
    order.sort(key=_rank(fits))
    table = pd.DataFrame({key: series.reindex(order) for key, series in columns.items()})
    found = SideBySide(table.dropna(how="all"))
    formulas = [" ".join(str(fit.model.formula).split()) for fit in fits]
    if len(set(formulas)) > 1:
        found.attrs["formulas"] = tuple(f"{label}: {text}" for label, text in zip(labels, formulas, strict=True))
    return found


def numbered(names: Sequence[str]) -> list[str]:
    """Names of which one that occurs again gets #2, #3, ...

    >>> numbered(["ML", "NUTS", "ML"])
    ['ML', 'NUTS', 'ML #2']
    """
    counts = [list(names[: i + 1]).count(name) for i, name in enumerate(names)]
    return [name if n == 1 else f"{name} #{n}" for name, n in zip(names, counts, strict=True)]


def _estimates(fit: Fit) -> tuple[pd.Series, pd.Series]:
    scalars = tables.scalar_table(fit.model.design.groups, fit.model.coefficients, fit.parameters)
    labels = list(scalars["label"])
    estimate = pd.Series([float(np.mean(v)) for v in scalars["values"]], index=labels)
    if fit.sampled:
        return estimate, pd.Series([float(np.std(v, ddof=int(v.size > 1))) for v in scalars["values"]], index=labels)
    estimate[RESTRICTED if fit.engine.restricted else LOGLIK] = fit.loglik  # type: ignore[attr-defined]
    se = fit.coefficients["se"]
    return estimate, pd.Series(se.to_numpy(), index=labels[: len(se)])


def _rank(fits: tuple[Fit, ...]) -> Callable[[str], int]:
    """Fixed effects first, then sds, correlations, dispersion and what is no parameter."""
    kinds = ["fixed", "sd", "cor", "dispersion"]
    frames = [tables.scalar_table(f.model.design.groups, f.model.coefficients, f.parameters) for f in fits]
    rank = {
        label: kinds.index(kind) for frame in frames for label, kind in zip(frame["label"], frame["kind"], strict=True)
    }
    return lambda name: rank.get(name, len(kinds))


def _cell(name: str, estimate: float, se: float) -> str:
    if pd.isna(estimate):
        return ""
    if name in (LOGLIK, RESTRICTED):
        return f"{estimate:.2f}"
    text = _significant(estimate, 4) if abs(estimate) < 1e3 else f"{estimate:.1f}"
    return text if pd.isna(se) else f"{text} ({_significant(se, 3)})"


def _significant(value: float, digits: int) -> str:
    """A number with its zeros, 42.00 rather than 42, and no exponent for a large one."""
    if value == 0 or abs(value) >= 10**digits:
        return f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".")
