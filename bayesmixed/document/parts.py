"""What does the page of a fit say, part by part?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..checks.diagnosis.diagnose import diagnose
from ..checks.predictive.pp_check import pp_check
from ..checks.predictive.residual_checks import residual_checks
from ..describe.description import description
from ..errors import BayesMixedError
from ..page import column, places
from ..page.columns import columns, said_once
from ..page.html import paragraphs, refused, table, unstyled
from ..summaries.report.write_up import report
from ..summaries.variance.icc import icc
from ..summaries.variance.r2 import r2
from .effects import effects
from .pictures import figure

if TYPE_CHECKING:
    from ..fits.base import Fit

MOST_FACTORS = 3  # grouping factors with pictures
MOST_LEVELS = 200  # of a factor whose coefficients are listed
SEED = 1  # of what is drawn for checks: a page written again says the same


@dataclass(frozen=True)
class Part:
    """One part of the page: its heading and what stands below it, as HTML; empty where it does not apply."""

    heading: str
    body: str


def parts(fit: Fit) -> Iterator[Part]:
    """The parts in the order in which they are read."""
    yield Part("Report", unstyled(report(fit).page))
    yield Part("Summary", unstyled(fit.summary()))
    yield Part("Diagnosis", _diagnosis(fit))
    yield Part("Effects", effects(fit))
    yield Part("Coefficients", _coefficients(fit))
    yield Part("Shares of variance", _shares(fit))
    yield from _groups(fit)
    yield Part("Predictive check", _predictive(fit))
    yield Part("Residuals", _residuals(fit))
    yield from _levels(fit)
    yield Part("Model and priors", unstyled(description(fit.model)))


def answer(verb: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """The page of a verb's answer, or the sentence in which it says why there is none."""
    try:
        return unstyled(verb(*arguments, **options).page)
    except BayesMixedError as error:
        return refused(error)


def _diagnosis(fit: Fit) -> str:
    """Without refits: they may take longer than all the rest."""
    return answer(diagnose, fit, refit=False, progress=False)


def _coefficients(fit: Fit) -> str:
    from ..plots import forest

    if not fit.model.design.coefficients:
        return ""
    return figure(forest, "Coefficients as dots, with their intervals as lines, one row each", fit)


def _shares(fit: Fit) -> str:
    if not fit.model.design.groups:
        return answer(r2, fit)
    within, explained = answer(icc, fit), answer(r2, fit)
    return within if within == explained else within + explained  # refused for one reason


def _groups(fit: Fit) -> Iterator[Part]:
    """Shrinkage and random effects of each grouping factor."""
    from ..plots import caterpillar, shrinkage

    factors = list(dict.fromkeys(term.factor for term in fit.model.design.groups))
    for factor in factors[:MOST_FACTORS]:
        if fit.model.has_scale:  # else there is nothing to draw an arrow from
            described = f"Estimates of every level of {factor} by itself, with arrows to those of the model"
            yield Part(f"Shrinkage of {factor}", figure(shrinkage, described, fit, factor))
        described = f"Random effects of every level of {factor} as dots, with their intervals as lines"
        yield Part(f"Random effects of {factor}", figure(caterpillar, described, fit, factor))


def _predictive(fit: Fit) -> str:
    from ..plots import pp_check as drawn

    described = "The observed response over replicates that the fitted model gives"
    return figure(drawn, described, fit, seed=SEED) + answer(pp_check, fit, seed=SEED)


def _residuals(fit: Fit) -> str:
    from ..plots import residuals as drawn

    described = "Residuals against fitted values, and their quantiles against normal ones"
    return figure(drawn, described, fit, seed=SEED) + answer(residual_checks, fit, seed=SEED)


def _levels(fit: Fit) -> Iterator[Part]:
    """Fixed plus random effects of every level."""
    for factor, found in fit.coef().items():
        shown = found.head(MOST_LEVELS)
        texts = pd.DataFrame({name: column(shown[name], places(found[name])) for name in shown}, index=shown.index)
        more = len(found) > len(shown)
        cut = (f"The first {len(shown)} of {len(found)} levels; fit.coef() has all.",) if more else ()
        varying, shared = said_once(columns(texts, index=True), also=map(str, texts))
        body = table(varying, "Fixed plus random effects") + paragraphs((*shared, *cut))
        yield Part(f"Coefficients of each level of {factor}", f'<div class="bayesmixed">{body}</div>')
