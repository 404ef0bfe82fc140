"""Whether the fitted model gives data like those observed: statistics of the response beside those of replicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...messages import Told
from ...page import Page, Printed, Section, column, places
from ...prediction.rows_by import RowsBy, rows_by
from ..finding import listed
from .replicated import Replicated, replicated
from .statistics import OBSERVED, Statistic, statistics

if TYPE_CHECKING:
    from ...fits.base import Fit

LIMITS = (0.025, 0.975)
FLAG = 0.05  # two-sided
SHOWN = 40  # rows of the printed table


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveCheck(Printed):
    """The result of `pp_check`; printing gives a page.

    Attributes
    ----------
    frame
        One row per statistic and group: statistic, group (with ``by=``), rows (of a whole frequency weight w counted
        w times), observed, mean, sd, lower and upper (central 95 %) of the replicates; p, the share of replicates at
        or above the observed value; p_two_sided, twice the smaller share in either direction (at most 1). NaN where a
        statistic is not defined for the observed response.
    replicates
        statistic, group, replicate, value: what `frame` summarises.
    formula, method
        What was fitted and how.
    n, re, by
        Replicates, their random effects, and what the rows were grouped by.
    weighting
        What frequency weights other than 1 mean here, in words.
    """

    frame: pd.DataFrame
    replicates: pd.DataFrame = field(repr=False)
    formula: str
    method: str
    n: int
    re: str
    by: str | None
    weighting: str = ""

    @property
    def page(self) -> Page:
        """The page that is printed."""
        heading = Section("Predictive check", lines=tuple(_facts(self)))
        return Page((heading, Section("", _shown(self), tuple(_words(self)), index=False)))


def pp_check(
    fit: Fit,
    statistic: str | Callable[..., Any] | Sequence[Any] = ("mean", "sd", "min", "max"),
    by: Any = None,
    n: int = 500,
    *,
    re: str = "all",
    seed: int | None = None,
) -> PredictiveCheck:
    """Compare statistics of the observed response with those of replicates that the fitted model gives.

    Of a fit with draws every replicate has parameters of its own, evenly spaced among the draws: a posterior
    predictive check. Of a point fit the parameters are held at their estimates. A statistic that the model fits
    directly (the mean of a linear model) cannot tell much; take one that matters and that the model does not fit.

    Parameters
    ----------
    fit
        Any fit.
    statistic
        "mean", "sd", "min", "max", "median", "zeros" (the share of zeros), a function from y (n,) to a number, or a
        list of these.
    by
        A grouping factor, a column of the model's table, or one value per row used: the statistics of each group.
    n
        Number of replicates.
    re
        "all": new responses of the levels in the data; "new": of levels drawn anew, which also asks whether the random
        effects are distributed as the model says.
    seed
        Same seed, same replicates.

    Returns
    -------
    PredictiveCheck
        Prints as a page; `frame` holds the numbers.

    Raises
    ------
    FitError
        An unknown statistic or column; a statistic that fails, naming the replicate and the group.

    References
    ----------
    Gelman, Meng & Stern (1996), Statistica Sinica 6, 733-807.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> check = bm.pp_check(fit, ["max", "sd"], n=200, seed=1)
    >>> check.frame[["statistic", "observed"]].round(1).to_numpy().tolist()
    [['max', 1635.0], ['sd', 63.0]]
    """
    asked = statistics(statistic)
    source = replicated(fit, n, re, seed)
    groups = None if by is None else rows_by(fit.model, by)
    members, levels = _members(source, groups)
    observed = _values(asked, source.observed[None], OBSERVED, members, levels)[0]
    found = np.concatenate([_values(asked, block, first, members, levels) for first, block in source.blocks()])
    return PredictiveCheck(
        frame=_frame(asked, observed, found, members, levels),
        replicates=_long(asked, found, levels),
        formula=fit.model.formula.line,
        method=fit.label,
        n=source.n,
        re=re,
        by=None if groups is None else groups.name,
        weighting=source.weighting,
    )


def _members(source: Replicated, groups: RowsBy | None) -> tuple[list[np.ndarray], list[Any] | None]:
    """Positions among the rows compared of each group, and the groups' names (None for all rows together)."""
    if groups is None:
        return [np.arange(len(source.rows))], None
    at = groups.places(source.rows)
    there = [j for j, rows in enumerate(at) if len(rows)]
    return [at[j] for j in there], [groups.levels[j] for j in there]


def _values(
    asked: Sequence[Statistic], y: np.ndarray, first: int, members: Sequence[np.ndarray], levels: list[Any] | None
) -> np.ndarray:
    """(m, statistics, groups) of y (m, rows)."""
    found = np.empty((len(y), len(asked), len(members)))
    for j, rows in enumerate(members):
        part = y if levels is None else y[:, rows]
        where = "" if levels is None else f" in group {levels[j]!r}"
        for i, one in enumerate(asked):
            found[:, i, j] = one.values(part, first, where)
    return found


def _frame(
    asked: Sequence[Statistic],
    observed: np.ndarray,
    found: np.ndarray,
    members: Sequence[np.ndarray],
    levels: list[Any] | None,
) -> pd.DataFrame:
    above, below = np.mean(found >= observed, axis=0), np.mean(found <= observed, axis=0)
    missing = ~np.isfinite(observed)
    lower, upper = np.quantile(found, LIMITS, axis=0)
    values = {
        "observed": observed,
        "mean": found.mean(axis=0),
        "sd": found.std(axis=0),
        "lower": lower,
        "upper": upper,
        "p": above,
        "p_two_sided": np.minimum(1.0, 2 * np.minimum(above, below)),
    }
    G = len(members)
    columns: dict[str, Any] = {"statistic": np.repeat([one.name for one in asked], G)}
    if levels is not None:
        columns["group"] = levels * len(asked)
    columns["rows"] = np.tile([len(rows) for rows in members], len(asked))
    return pd.DataFrame(columns | {name: np.where(missing, np.nan, value).ravel() for name, value in values.items()})


def _long(asked: Sequence[Statistic], found: np.ndarray, levels: list[Any] | None) -> pd.DataFrame:
    n, S, G = found.shape
    columns: dict[str, Any] = {"statistic": np.repeat([one.name for one in asked], G * n)}
    if levels is not None:
        columns["group"] = [level for level in levels for _ in range(n)] * S
    columns |= {"replicate": np.tile(np.arange(n), S * G), "value": found.transpose(1, 2, 0).ravel()}
    return pd.DataFrame(columns)


def _facts(check: PredictiveCheck) -> list[str]:
    effects = {"all": "of the levels in the data", "new": "of levels drawn anew"}[check.re]
    grouped = f", by {check.by}" if check.by else ""
    return [
        f"  formula:    {check.formula} ({check.method})",
        f"  replicates: {check.n}, new responses {effects}{grouped}",
        *([f"  weights:    {check.weighting}"] if check.weighting else []),
    ]


def _shown(check: PredictiveCheck) -> pd.DataFrame:
    frame = check.frame
    if len(frame) > SHOWN:
        frame = frame.sort_values("p_two_sided", kind="stable").head(SHOWN)
    words = [name for name in ("statistic", "group", "rows") if name in frame]
    table = frame[words].astype(str)
    digits = places(frame["upper"] - frame["lower"])
    for name in ("observed", "mean", "lower", "upper"):
        table[name] = column(frame[name], digits)
    for name, heading in (("p", "p"), ("p_two_sided", "two-sided")):
        table[heading] = [_share(value, check.n) for value in frame[name]]
    return table


def _share(p: float, n: int) -> str:
    return "" if np.isnan(p) else f"<{1 / n:.2g}" if p == 0 else f"{p:.3f}"


def _words(check: PredictiveCheck) -> list[str]:
    frame = check.frame
    lines: list[str] = [
        Told(
            "predictive-checks",
            "mean, lower and upper (95 %) are of replicates; p is the share of them at or above the observed value.",
        )
    ]
    if len(frame) > SHOWN:
        lines.append(Told("shortened", f"The {SHOWN} smallest two-sided p of {len(frame)}; .frame has them all."))
    undefined = int(frame["observed"].isna().sum())
    if undefined:
        lines.append(
            Told(
                "predictive-checks",
                f"{undefined} not defined for the observed response (such as the sd of a single row).",
            )
        )
    far = frame[frame["p_two_sided"] < FLAG]
    names = far["statistic"]
    if "group" in far:
        names = names + " (" + far["group"].astype(str) + ")"
    if len(far):
        expected = f"; of {len(frame)}, about {FLAG * len(frame):.0f} would be by chance" if len(frame) >= 20 else ""
        lines.append(
            Told(
                "outside-the-prediction",
                f"Outside what the model predicts (two-sided p below {FLAG:g}): {listed(list(names))}{expected}. "
                "bm.plot.pp_check(fit) shows the whole distribution.",
            )
        )
    else:
        lines.append(
            Told(
                "outside-the-prediction",
                f"No statistic lies outside what the model predicts (two-sided p below {FLAG:g}).",
            )
        )
    return lines
