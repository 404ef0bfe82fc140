"""Coefficients as ratios: of odds, of rates or means, of hazards, by the link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..degrees.methods import reference
from ..errors import FitError, with_known_options
from ..families import LINKS
from ..fits.caution import with_caution
from ..messages import Told
from .mean.question import MeanValues, check_fit
from .quantities import EXPONENTIAL, Linearised, Quantities, Sampled
from .returned import Effects

if TYPE_CHECKING:
    from ..families import Link
    from ..fits.base import Fit
    from ..model import Model


@with_known_options
def odds_ratios(fit: Fit, *, level: float = 0.95, ddf: str | float | None = None) -> Effects:
    """exp of the fixed effects with limits: odds ratios (logit), rate ratios (log), hazard ratios (cloglog).

    Those of a log-normal family are ratios of medians, and of means as well, since sigma is the same in all rows.

    A logit coefficient also has a reading in probabilities: divided by 4 it is the largest change of the probability
    that one unit can make (Gelman & Hill 2007, section 5.2). With guessing and lapse rates the ratios are of the odds
    between the asymptotes, and a quarter of the height between them takes the place of 1/4. All are conditional on the
    random effects: ratios for one group, not for the population.

    Parameters
    ----------
    fit
        Any fit of a model with a logit, log or cloglog link, or a log-normal family.
    level, ddf
        As in `emmeans`; limits are exp of those of the coefficients.

    Returns
    -------
    Effects
        `.frame`: coefficient, estimate, se (by the delta method), lower, upper, for point fits statistic and p of
        the coefficient (and df of a log-normal family); draws give the median, which is exp of the
        coefficient's.

    Raises
    ------
    FitError
        Another link.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"),
    ...                  family="binomial")
    >>> bm.odds_ratios(model.fit("ml")).frame.iloc[:, :3].round(2)
      coefficient  estimate    se
    0   Intercept      0.25  0.06
    1   period[2]      0.37  0.11
    2   period[3]      0.32  0.11
    3   period[4]      0.21  0.09
    """
    check_fit(fit, ddf)
    sampled, model = fit.sampled, fit.model
    if not model.family.ratios:
        known = ", ".join(sorted((name for name, link in LINKS.items() if link.ratios), reverse=True))
        raise FitError(
            f"The {model.family.scale} link has no ratios: they are for the links {known}. "
            "Use bm.comparisons(fit, ...) for differences of means.",
            topic="ratio-of-means",
        )
    names = list(model.coefficients)
    found: Quantities
    if sampled:
        found = Sampled(MeanValues.of(fit).beta, robust=True)
    else:
        judged_by = reference(fit, ddf)
        beta, root = MeanValues.of(fit, judged_by).beta[0], judged_by.root[: len(names)]
        found = Linearised(beta, np.eye(len(names)), root, judged_by, linear=True)
    title = model.family.ratios + between(model.family.link)
    keys = pd.DataFrame({"coefficient": names})
    return Effects(
        title, keys, found, with_caution(_notes(model), fit), scale=EXPONENTIAL, level=level,
        tested=True, ratio=EXPONENTIAL,
    )  # fmt: skip


def between(link: Link) -> str:
    """Which odds or hazards a ratio is of, where the link has asymptotes; else empty."""
    low, high = link.range
    if low in (0, -np.inf) and high in (1, np.inf):
        return ""
    return f" of the curve between the asymptotes {low:g} and {high:g}"


def _notes(model: Model) -> tuple[str, ...]:
    notes = []
    link = model.family.link
    if model.design.mu.has_intercept:
        notes.append(
            Told("reading-of-ratios", "Intercept: no ratio, but exp of the predictor where all columns are zero.")
        )
    if between(link):
        notes.append(
            Told(
                "reading-of-ratios",
                "Not ratios of the probabilities' own odds: those are bm.comparisons(comparison='odds_ratio').",
            )
        )
    if model.family.middle == "median":
        notes.append(Told("reading-of-ratios", "Ratios of means as well: sigma is the same in all rows."))
    if np.isfinite(link.steepest):
        low, high = link.range
        height = "" if (low, high) == (0.0, 1.0) else f" times {high - low:.4g}, the height between the asymptotes,"
        part = f"/ {1 / link.steepest:.3g}"
        notes.append(
            Told(
                "reading-of-ratios",
                f"A {link.name} coefficient{height} {part} is the most that one unit changes the probability.",
            )
        )
    if model.design.mu.groups:
        notes.append(
            Told(
                "random-effects-in-means",
                "Conditional on the random effects; bm.comparisons(fit, ..., kind='population') averages.",
            )
        )
    return tuple(notes)
