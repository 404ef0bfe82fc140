"""The same parameters of several fits in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor, log10
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import FitError, checked_level, with_known_options
from ..messages import Told, retold
from ..page import Page, Printed, Section, column, places
from . import tables
from .base import Fit
from .told_apart import differences, labelled, numbered, same_data

LOGLIK, RESTRICTED = "log-likelihood", "REML log-likelihood"  # minus half the REML criterion
ROUNDING = 1e-9  # of a standard error: less is what rounding leaves of zero
LEGEND = Told("standard-errors", "Estimate (standard error); of draws posterior mean (standard deviation).")
INTERVALS = Told(
    "limits",
    "Estimate [{level} % interval]: Wald's of fixed effects, normal; of draws posterior mean [quantiles]. No interval: "
    "bm.confint(fit) has one.",
)


class SideBySide(Printed, pd.DataFrame):  # type: ignore[misc]  # to_html and its like are those of pages
    """A DataFrame (parameters x (fit, estimate | se)) that prints without NaNs.

    `attrs` hold the rows of each fit ("rows"), the lines below the table ("lines") and the coverage of intervals
    ("level", None where there are none).
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    @property
    def page(self) -> Page:
        """The page that is printed."""
        level = self.attrs.get("level")
        legend = LEGEND if level is None else retold(INTERVALS, INTERVALS.format(level=f"{100 * level:g}"))
        return Page((Section("", self._shown(), (*self.attrs.get("lines", ()), legend), gap=2),))

    def _shown(self) -> pd.DataFrame:
        shown, rows = pd.DataFrame(index=[*self.index, "rows"]), self.attrs.get("rows", {})
        for label in self.columns.get_level_values(0).unique():
            cells = [_cell(str(name), row) for name, row in self[label].iterrows()]
            shown[label] = [*cells, str(rows.get(label, ""))]
        return shown


@with_known_options
def side_by_side(*fits: Any, labels: str | Sequence[str] | None = None, level: float | None = None) -> SideBySide:
    """Fixed effects, standard deviations, correlations and sigma of several fits of comparable models.

    Parameters
    ----------
    *fits
        Any fits, or one dict of them by label: point fits give estimates and standard errors (of fixed effects),
        draws posterior means and standard deviations.
    labels
        One for each; by default the method, numbered where it occurs again.
    level
        Coverage of intervals that are shown in the place of standard errors, such as 0.95; None for none. Those of
        draws are quantiles, those of point fits Wald's, of fixed effects alone: estimate +- z se.

    Returns
    -------
    DataFrame
        Rows are parameters, columns (fit, "estimate" | "se"), with `level` also "lower" and "upper". For papers it has
        ``.to_latex()``, ``.to_markdown()`` and ``.to_html()``. The last rows are the log-likelihood of point fits and
        that of REML fits, minus half their criterion, which compares to no other criterion. Printing it shows
        "estimate (se)" and how many rows each fit used (``attrs["rows"]``), and says what differs between the models
        (formula, family, link, constants, weights) and where rows or responses do.

    Raises
    ------
    FitError
        For anything but fits, labels that are not one per fit, and a level outside (0, 1).

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
    rows                              30             30
    Estimate (standard error); of draws posterior mean (standard deviation).
    """
    if len(fits) == 1 and isinstance(fits[0], Mapping):
        labels, fits = labels or [str(name) for name in fits[0]], tuple(fits[0].values())
    if not fits:
        raise FitError(
            "side_by_side needs at least one fit: bm.side_by_side(ml, reml, post).", topic="needs-several-fits"
        )
    for fit in fits:
        if not isinstance(fit, Fit):
            what = "a list: put a star before it, side_by_side(*fits)" if isinstance(fit, list | tuple) else repr(fit)
            raise FitError(f'side_by_side takes fits, such as model.fit("ml"), not {what}.', topic="needs-a-fit")
    names = numbered([fit.label for fit in fits]) if labels is None else labelled(labels, len(fits))
    if level is not None:
        checked_level(level, "side_by_side")
    columns: dict[tuple[str, str], pd.Series] = {}
    scalars = [tables.scalar_table(fit.model.design, fit.parameters) for fit in fits]
    for fit, label, found in zip(fits, names, scalars, strict=True):
        columns[label, "estimate"], columns[label, "se"] = _estimates(fit, found)
        if level is not None:
            columns[label, "lower"], columns[label, "upper"] = _limits(fit, found, level)
    order = list(dict.fromkeys(name for series in columns.values() for name in series.index))
    order.sort(key=_rank(scalars))
    table = pd.DataFrame({key: series.reindex(order) for key, series in columns.items()})
    page = SideBySide(table.dropna(how="all"))
    page.attrs["rows"] = {label: fit.n_obs for label, fit in zip(names, fits, strict=True)}
    page.attrs["level"] = level
    page.attrs["lines"] = (*differences(fits, names), *filter(None, [same_data(fits)]))
    return page


def _estimates(fit: Fit, scalars: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    labels = list(scalars["label"])
    estimate = pd.Series([float(np.mean(v)) for v in scalars["values"]], index=labels)
    if fit.sampled:
        return estimate, pd.Series([float(np.std(v, ddof=int(v.size > 1))) for v in scalars["values"]], index=labels)
    estimate[RESTRICTED if fit.engine.restricted else LOGLIK] = fit.loglik  # type: ignore[attr-defined]
    se = fit.coefficients["se"]
    return estimate, pd.Series(se.to_numpy(), index=labels[: len(se)])


def _limits(fit: Fit, scalars: pd.DataFrame, level: float) -> tuple[pd.Series, pd.Series]:
    labels = list(scalars["label"])
    if fit.sampled:
        ends = [np.quantile(values, [0.5 - level / 2, 0.5 + level / 2]) for values in scalars["values"]]
        return tuple(pd.Series(end, index=labels) for end in np.transpose(ends))  # type: ignore[return-value]
    estimate, se = _estimates(fit, scalars)
    half = float(ndtri(0.5 + level / 2)) * se
    middle = estimate[se.index]
    return middle - half, middle + half


def _rank(scalars: Sequence[pd.DataFrame]) -> Callable[[str], int]:
    """Fixed effects first, then sds, correlations, dispersion and what is no parameter."""
    kinds = ["fixed", "sd", "cor", "dispersion"]
    rank = {
        label: kinds.index(kind) for frame in scalars for label, kind in zip(frame["label"], frame["kind"], strict=True)
    }
    return lambda name: rank.get(name, len(kinds))


def _cell(name: str, row: pd.Series) -> str:
    estimate, se = float(row["estimate"]), float(row["se"])
    if pd.isna(estimate):
        return ""
    if name in (LOGLIK, RESTRICTED):
        return f"{estimate:.2f}"
    if abs(estimate) < ROUNDING * (0 if pd.isna(se) else se):
        estimate = 0.0
    if "lower" in row and not pd.isna(row["lower"]):
        values = [estimate, float(row["lower"]), float(row["upper"])]
        estimate_text, lower, upper = column(values, places([(values[2] - values[1]) / 10], 1))
        return f"{estimate_text} [{lower}, {upper}]"
    text = _significant(estimate, 4) if abs(estimate) < 1e3 else f"{estimate:.1f}"
    return text if pd.isna(se) or "lower" in row else f"{text} ({_significant(se, 3)})"


def _significant(value: float, digits: int) -> str:
    """A number with its zeros, 42.00 rather than 42, without an exponent but for one below 1e-8.

    >>> _significant(42, 4), _significant(6.27e-5, 3), _significant(1.5e-9, 3)
    ('42.00', '0.0000627', '1.50e-09')
    """
    if value == 0 or abs(value) >= 10**digits:
        return f"{value:.0f}"
    if 1e-8 < abs(value) < 1e-4:
        return f"{value:.{digits - 1 - floor(log10(abs(value)))}f}"
    return f"{value:#.{digits}g}".rstrip(".")
