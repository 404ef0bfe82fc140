"""Which levels of a grouping factor rank above which, and how surely?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ...design.columns.factors import level_text
from ...errors import FitError, checked_level, with_known_options
from ...page import Page, Printed, Section, number
from ...prediction.thinning import positive
from ..answer import Answer
from .level_effects import Combination, combination, effect_draws, position

if TYPE_CHECKING:
    from ...fits.base import Fit
from ...fits.caution import with_caution
from ...messages import Told

DRAWS = 4000  # of a point fit
SHOWN = 20  # levels at each end of the printed table


@dataclass(frozen=True, eq=False, repr=False)
class Ranks(Printed):
    """The result of `ranks`; printing gives a page.

    Attributes
    ----------
    frame
        One row per level, best first: level, estimate (of the effect, deviation from the fixed part), lower, upper,
        rank (its mean over the draws), rank_lower, rank_upper, p_best (the probability to be among the best `k`).
    group, column, k, highest, level, method
        What was ranked and how: rank 1 is the highest effect, or with ``highest=False`` the lowest.
    levels
        The levels in the order of the data.
    draws
        Draws of the effects (n, levels), in the order of `levels`.
    notes
        What the draws are of, what is doubtful.
    """

    frame: pd.DataFrame
    group: str
    column: str
    k: int
    highest: bool
    level: float
    method: str
    levels: np.ndarray = field(repr=False)
    draws: np.ndarray = field(repr=False)
    notes: tuple[str, ...] = ()

    def difference(self, first: Any, second: Any) -> Answer:
        """How much higher one level's effect is than another's.

        Parameters
        ----------
        first, second
            Levels.

        Returns
        -------
        Answer
            Its `frame` has one row: estimate, lower, upper (of first minus second) and p_above, the probability that
            the first is higher.

        Raises
        ------
        FitError
            For a level that there is not.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
        >>> bool(bm.ranks(fit, column="Days", seed=1).difference("308", "309").frame["p_above"].iloc[0] > 0.99)
        True
        """
        found = [position(level, self.levels, self.group) for level in (first, second)]
        values = self.draws[:, found[0]] - self.draws[:, found[1]]
        lower, upper = np.quantile(values, _tails(self.level))
        above = np.mean(values > 0) + 0.5 * np.mean(values == 0)
        row = {"estimate": values.mean(), "lower": lower, "upper": upper, "p_above": above}
        name = " - ".join(level_text(self.levels[i]) for i in found)
        title = f"Difference of two levels of {self.group} ({self.column}), {self.method}"
        return Answer(title, pd.DataFrame([row], index=[name]), self.notes)

    @property
    def page(self) -> Page:
        """The page that is printed."""
        order = "highest" if self.highest else "lowest"
        head = f"Ranks of {self.group} by {self.column}, {self.method}; 1 is the {order}"
        cut = (Told("shortened", f"{len(self.frame) - 2 * SHOWN} levels between are left out; .frame has them all."),)
        lines = (*(cut if len(self.frame) > 2 * SHOWN else ()), *self.notes)
        return Page((Section(head, _shown(self), index=False), Section("", lines=lines)))


@with_known_options
def ranks(
    fit: Fit,
    group: str | None = None,
    column: str | Mapping[str, float] | None = None,
    *,
    k: int | None = None,
    highest: bool = True,
    level: float = 0.95,
    draws: int | None = None,
    seed: int | None = None,
) -> Ranks:
    """Ranks of the levels of a grouping factor by their random effects, with intervals.

    A rank is far less certain than an estimate: where levels are close, so are all their ranks, and an interval of one
    level at a time does not show it. Ranks are those of joint draws of all levels.

    Parameters
    ----------
    fit
        Any fit with random effects. Fits with draws use theirs; point fits draw from the joint normal distribution of
        the prediction errors of coefficients and effects, variances and dispersion held at their estimates.
    group
        Grouping factor; None for the first of the formula.
    column
        One column of the factor's bars; or weights of several, so that ``{"Intercept": 1, "Days": 5}`` ranks lines at
        day 5. None for the intercept, else the first column.
    k
        ``p_best`` is the probability to be among so many; None for a tenth of the levels, at least one.
    highest
        Whether rank 1 is the highest effect, or the lowest.
    level
        Coverage of intervals, equal-tailed.
    draws
        Number of draws: of a point fit 4000 unless given, of others all. A probability of 4000 draws has a standard
        error of 0.008 at most.
    seed
        Same seed, same draws of a point fit.

    Returns
    -------
    Ranks
        Prints as a table, `.frame` has the numbers, `.difference(a, b)` compares two levels, `bm.plot.ranks` draws it.

    Raises
    ------
    FitError
        A model without random effects; a group, column or option that does not exist.

    References
    ----------
    Goldstein & Spiegelhalter (1996), J. R. Stat. Soc. A 159, 385-443; Laird & Louis (1989), J. Educ. Stat. 14, 29-46.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> ranked = bm.ranks(fit, "Batch", k=2, seed=1)
    >>> ranked.frame[["level", "rank_lower", "rank_upper"]].head(2).to_numpy().tolist()
    [['E', 1, 2], ['C', 1, 4]]
    >>> bool(ranked.difference("E", "F").frame["p_above"].iloc[0] > 0.99)
    True
    """
    checked_level(level)
    asked = combination(fit, group, column)
    L = len(asked.levels)
    k = _among(k, L)
    values = effect_draws(fit, asked, None if draws is None else positive(draws), DRAWS, seed)
    estimate = asked.of(fit.parameters.mean())[0]
    frame = _frame(values, estimate, asked.levels, k, highest, level)
    return Ranks(
        frame=frame,
        group=asked.factor,
        column=asked.name,
        k=k,
        highest=highest,
        level=level,
        method=fit.label,
        levels=asked.levels,
        draws=values,
        notes=with_caution(_notes(fit, asked, values), fit),
    )


def _among(k: int | None, L: int) -> int:
    if k is None:
        return max(1, round(L / 10))
    if not isinstance(k, int | np.integer) or isinstance(k, bool) or not 1 <= k <= L:
        raise FitError(f"k={k!r}: give a whole number from 1 to the {L} levels that are ranked.", topic="whole-number")
    return int(k)


def _tails(level: float) -> list[float]:
    return [(1 - level) / 2, (1 + level) / 2]


def _frame(
    values: np.ndarray, estimate: np.ndarray, levels: np.ndarray, k: int, highest: bool, level: float
) -> pd.DataFrame:
    signed = -values if highest else values
    low, high = (rankdata(signed, method=method, axis=1) for method in ("min", "max"))
    # Ties, as of levels whose sd is zero, are broken at random: each order is as likely.
    best = np.clip((k - low + 1) / (high - low + 1), 0, 1).mean(axis=0)
    lower, upper = np.quantile(values, _tails(level), axis=0)
    first = np.quantile(low, _tails(level)[0], axis=0, method="inverted_cdf")
    last = np.quantile(high, _tails(level)[1], axis=0, method="inverted_cdf")
    columns = {
        "level": levels,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "rank": (low + high).mean(axis=0) / 2,
        "rank_lower": first.astype(int),
        "rank_upper": last.astype(int),
        "p_best": best,
    }
    return pd.DataFrame(columns).sort_values("rank", kind="stable", ignore_index=True)


def _notes(fit: Fit, asked: Combination, values: np.ndarray) -> tuple[str, ...]:
    held = "" if fit.sampled else "; estimated variances are held"
    notes: list[str] = [Told("ranks", f"{len(values)} draws of all levels together{held}.")]
    notes += asked.notes
    if not np.ptp(values, axis=1).any():
        notes.append(
            Told(
                "boundary", f"The sd of {asked.name} is 0: all levels are alike, and one order is as likely as another."
            )
        )
    if fit.model.family.link.inverse(np.array([0.5, 1.0])) @ [-1, 1] < 0:
        notes.append(Told("ranks", "The link falls: a higher effect is a lower mean."))
    return tuple(notes)


def _shown(ranked: Ranks) -> pd.DataFrame:
    frame = ranked.frame
    if len(frame) > 2 * SHOWN:
        frame = pd.concat([frame.head(SHOWN), frame.tail(SHOWN)])
    interval = f"{100 * ranked.level:g} %"
    best = "P(best)" if ranked.k == 1 else f"P(best {ranked.k})"
    return pd.DataFrame(
        {
            ranked.group: [level_text(value) for value in frame["level"]],
            "rank": frame["rank"].map(lambda value: number(value, 1)),
            interval: [f"{a} to {b}" for a, b in zip(frame["rank_lower"], frame["rank_upper"], strict=True)],
            best: frame["p_best"].map(lambda p: _share(p, len(ranked.draws))),
            "estimate": frame["estimate"].map(number),
            "lower": frame["lower"].map(number),
            "upper": frame["upper"].map(number),
        }
    )


def _share(p: float, n: int) -> str:
    """A probability as far as `n` draws tell it."""
    least = max(0.005, 1 / n)
    return f"<{least:.2g}" if p < least else f"{p:.2f}"
