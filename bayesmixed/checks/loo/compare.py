"""Which of several models predicts best what it has not seen, and by how much more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...errors import FitError, with_known_options
from ...fits.told_apart import labelled, numbered
from ...messages import Told
from ...page import Page, Printed, Section, column
from ..finding import listed
from .leave_one_out import LeaveOneOut, loo

FEW = 100  # observations below which the normal approximation of a difference is poor (Sivula et al. 2020)
SMALL = 4  # a difference below which it is poor however many there are


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Printed):
    """The result of `loo_compare`; printing gives a page.

    Attributes
    ----------
    frame
        One row per model, the best first: elpd, se, p_loo, elpd_diff (less that of the best, so never above 0),
        se_diff (of that difference, from its terms), weight (stacking), bad_k (how many Pareto k are too large).
    by
        What was left out whole; None for single rows.
    left_out
        How many rows, or levels, were left out one after the other.
    misspecified
        The models whose p_loo is above their number of parameters.
    """

    frame: pd.DataFrame
    by: str | None
    left_out: int
    misspecified: tuple[str, ...] = ()

    @property
    def page(self) -> Page:
        """The page that is printed."""
        what = "rows" if self.by is None else f"levels of {self.by}"
        table = self.frame.astype(object)
        for name in ("elpd", "se", "p_loo", "elpd_diff", "se_diff", "weight"):
            table[name] = column(self.frame[name], 2)
        heading = f"Leave-one-out of {self.left_out} {what}: the best model first"
        return Page((Section(heading, table.astype(str), tuple(_words(self))),))


@with_known_options
def loo_compare(
    *fits: Any,
    by: Any = None,
    labels: Sequence[str] | None = None,
    draws: int | None = None,
    seed: int | None = None,
) -> Comparison:
    """Compare models of the same response by leave-one-out.

    Parameters
    ----------
    *fits
        Two or more fits with draws, or results of `loo` that left out the same; or one dict of them by label.
    labels
        One for each; by default formulas, with what else tells the models apart.
    by, draws, seed
        As in `loo`, of every fit.

    Returns
    -------
    Comparison
        Prints as a table; `frame` holds the numbers.

    Raises
    ------
    FitError
        For fewer than two; for a point fit; for responses, rows or kinds of response that differ.

    References
    ----------
    Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432; Yao et al. (2018), Bayesian Analysis 13,
    917-1007, for the weights; Sivula, Magnusson, Matamoros & Vehtari (2020), arXiv:2008.10296, for small differences.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> sleep = bm.load_data("sleepstudy")
    >>> slopes = bm.Model("Reaction ~ Days + (Days | Subject)", sleep).fit("laplace", seed=1)
    >>> intercepts = bm.Model("Reaction ~ Days + (1 | Subject)", sleep).fit("laplace", seed=1)
    >>> print(list(bm.loo_compare(intercepts, slopes).frame.index))
    ['Reaction ~ Days + (Days | Subject)', 'Reaction ~ Days + (1 | Subject)']
    """
    if len(fits) == 1 and isinstance(fits[0], Mapping):
        labels, fits = labels or [str(name) for name in fits[0]], tuple(fits[0].values())
    if len(fits) < 2:
        what = "a list: put a star before it, bm.loo_compare(*fits)" if _is_list(fits) else str(len(fits))
        raise FitError(
            f"loo_compare takes two or more fits, bm.loo_compare(one, other), not {what}.", topic="needs-several-fits"
        )
    found = [one if isinstance(one, LeaveOneOut) else loo(one, by, draws=draws, seed=seed) for one in fits]
    for other in found[1:]:
        _refuse_different(found[0], other)
    names = _names(found) if labels is None else labelled(labels, len(found))
    misspecified = tuple(name for name, one in zip(names, found, strict=True) if one.misspecified)
    return Comparison(_frame(found, names), found[0].by, len(found[0].frame), misspecified)


def _is_list(fits: tuple[Any, ...]) -> bool:
    return len(fits) == 1 and isinstance(fits[0], list | tuple)


def _refuse_different(one: LeaveOneOut, other: LeaveOneOut) -> None:
    if one.by != other.by:
        raise FitError(
            f"One left out {one.by or 'single rows'}, another {other.by or 'single rows'}: use one by=.",
            topic="different-data",
        )
    if not one.frame.index.equals(other.frame.index):
        raise FitError(
            f"The models use different rows ({len(one.frame)} and {len(other.frame)} left out): fit all to one table, "
            "without the rows in which any of their columns lacks a value.",
            topic="different-data",
        )
    a, b = one.model.design, other.model.design
    assert a.response is not None and b.response is not None  # fitted
    if a.response.name != b.response.name or not np.array_equal(a.response.y, b.response.y):
        raise FitError(
            f"The models have different responses ({a.response.name!r} and {b.response.name!r}, or different values): "
            "densities of different things cannot be compared. To model a logarithm on the original scale, use "
            'family="lognormal".',
            topic="different-data",
        )
    if one.model.family.discrete != other.model.family.discrete:
        raise FitError(
            f"{one.family} gives {_kind(one)} and {other.family} {_kind(other)} of the same response: these cannot be "
            "compared. Take families of one kind.",
            topic="not-comparable",
        )


def _kind(found: LeaveOneOut) -> str:
    return "probabilities" if found.model.family.discrete else "densities"


def _frame(found: list[LeaveOneOut], names: list[str]) -> pd.DataFrame:
    from ...interop import arviz

    order = np.argsort([-one.elpd for one in found], kind="stable")
    weights = arviz.stacking_weights({name: one.elpd_data for name, one in zip(names, found, strict=True)})
    best = found[order[0]].frame["elpd"].to_numpy()
    rows = []
    for i in order:
        one, difference = found[i], found[i].frame["elpd"].to_numpy() - best
        rows.append(
            {
                "elpd": one.elpd,
                "se": one.se,
                "p_loo": one.p_loo,
                "elpd_diff": float(difference.sum()),
                "se_diff": float(np.sqrt(len(difference) * difference.var(ddof=1))),
                "weight": weights[names[i]],
                "bad_k": len(one.bad),
            }
        )
    return pd.DataFrame(rows, index=[names[i] for i in order])


def _names(found: list[LeaveOneOut]) -> list[str]:
    """The formulas; family, link, method where these do not tell the models apart, and numbers where nothing does."""
    labels = [one.formula for one in found]
    for further in ("family", "link", "method"):
        if len({getattr(one, further) for one in found}) > 1 and len(set(labels)) < len(labels):
            labels = [f"{label}, {getattr(one, further)}" for label, one in zip(labels, found, strict=True)]
    return numbered(labels)


def _words(found: Comparison) -> list[str]:
    frame = found.frame
    meaning = "elpd_diff is the model's elpd less that of the best; se_diff its standard error."
    lines: list[str] = [Told("leave-one-out", meaning)]
    others = frame.iloc[1:]
    close = others[(others["elpd_diff"].abs() < SMALL) | (others["elpd_diff"].abs() < 2 * others["se_diff"])]
    if len(close):
        lines.append(
            Told(
                "leave-one-out",
                f"Too close to the best to tell (a difference below {SMALL}, or below two of its standard errors): "
                f"{listed([repr(name) for name in close.index])}.",
            )
        )
    if found.left_out < FEW:
        lines.append(
            Told(
                "leave-one-out", f"With {found.left_out} left out the standard errors are rough, and usually too small."
            )
        )
    if found.misspecified:
        which = listed([repr(name) for name in found.misspecified])
        lines.append(
            Told(
                "effective-parameters",
                f"p_loo is above the number of parameters, which suggests misspecification: {which}.",
            )
        )
    if frame["bad_k"].any():
        lines.append(
            Told(
                "importance-sampling",
                "Importance sampling is unreliable where bad_k is not 0: print bm.loo(fit) of that model.",
            )
        )
    return lines
