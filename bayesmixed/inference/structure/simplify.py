"""How much of the random part do the data support? One thing less at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...engines.base import Engine
from ...errors import BayesMixedWarning, FitError, warn, with_known_options
from ...fits.base import is_fit
from ...fits.point import PointFit
from ...messages import Told, retold
from ...model import Model
from ..lrt.comparable import refuse_other_than_likelihoods
from ..lrt.ratio import laws_in_words
from ..lrt.refits import fitted_quietly
from .path import SimplerStructure
from .rules import Rule, rule_of
from .walk import Walk, walk

IGNORED = Told(
    "after-a-search",
    "What follows does not know of the search: p-values and intervals of the chosen model are those of a model that "
    "was fixed beforehand. A fixed effect whose slopes were left out for lack of evidence gets too small a p where "
    "they are there all the same.",
)


@with_known_options
def simplify(
    model: Model, by: str = "lrt", alpha: float = 0.2, method: str | Engine = "ml", *, seed: int | None = 1
) -> SimplerStructure:
    """A simpler random part, one thing less at a time as long as the data do not object.

    Each step tries the models without the correlations of one bar (first with a simpler structure of them, where one
    applies); where none of these is good enough, those without one term of a bar, interactions before their parts;
    where none of these is either, those without a bar. Of the models that are good enough the best is taken. Fixed
    effects stay as they are.

    Parameters
    ----------
    model
        A model, most often one with the maximal structure of its design (`bm.maximal`).
    by
        "lrt": a step needs a p of its likelihood ratio above `alpha`, and takes the largest. "aic", "bic": a criterion
        that is no higher, and takes the lowest.
    alpha
        The level of the likelihood-ratio tests: 0.2 keeps more than 0.05 would, which guards the error rate of tests of
        fixed effects (Matuschek et al. 2017).
    method
        "ml", "reml" or an engine's value, such as ``bm.ML(quadrature=9)``.
    seed
        Of simulated laws of one variance.

    Returns
    -------
    SimplerStructure
        Prints the path; `model` and `fit` are the chosen ones, `before` the fit before the last step, `tried` all.

    Raises
    ------
    FitError
        For a method that draws or penalises; a model without bars.

    Warns
    -----
    BayesMixedWarning
        Where correlations with an intercept are left out while a column has its zero elsewhere than at its mean.

    Notes
    -----
    "No correlation" depends on the origin of the columns: intercept and slope that are uncorrelated at the mean of x
    are correlated elsewhere. p-values are as of `bm.drop1(fit, random=True)`: of a mixture where a variance is at its
    bound, upper bounds where several are.

    References
    ----------
    Bates, Kliegl, Vasishth & Baayen (2015), arXiv:1506.04967; Matuschek, Kliegl, Vasishth, Baayen & Bates (2017),
    J. Mem. Lang. 94, 305-315.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Reaction ~ Days + (center(Days) | Subject)", bm.load_data("sleepstudy"))
    >>> found = bm.simplify(model)
    >>> print(found.model.formula)
    Reaction ~ Days + (center(Days) | Subject)
    """
    rule = rule_of(by, alpha)
    found = walk(_first(model, method), rule, seed)
    for note in found.origins:
        warn(BayesMixedWarning(note, topic="arbitrary-origin"))
    fit = found.fit
    title = f"Simpler random parts by {rule.label}, {fit.engine.words(fit.model)}:"
    notes = (*_stopped(found, rule), *_of_the_tests(found), *found.notes, *found.origins, *_of_the_end(fit), IGNORED)
    before = found.steps[max(len(found.steps) - 2, 0)].fit
    return SimplerStructure(found.frame, pd.DataFrame(found.tried), fit, before, title, notes)


def _first(model: Any, method: str | Engine) -> PointFit:
    """The fit of the model given."""
    if is_fit(model):
        raise FitError(
            f"simplify takes a model: bm.simplify(fit.model, method={model.engine.name!r}).", topic="needs-a-model"
        )
    if not hasattr(model, "design"):
        raise FitError(
            f'simplify takes a model, such as bm.Model("y ~ x + (x | g)", data), not {model!r}.', topic="needs-a-model"
        )
    if not model.design.groups:
        raise FitError("This model has no random effects to leave out.", topic="no-random-effects")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesMixedWarning)
        fit: Any = fitted_quietly(model, method)
    refuse_other_than_likelihoods([fit], "simplify")
    return fit  # type: ignore[no-any-return]


def _stopped(found: Walk, rule: Rule) -> Iterator[str]:
    """Why it went no further."""
    if not found.last:
        yield Told("end-of-the-path", "Stopped: nothing is left to leave out.")
        return
    known = [one for one in found.last if not one.obstacle]
    if known:
        nearest = max(known, key=rule.score)
        yield Told(
            "end-of-the-path", f"Stopped: the next would be without {nearest.name}, {rule.words(nearest, found.fit)}."
        )
    for one in found.last:
        if one.obstacle:
            yield Told("end-of-the-path", f"Not taken: without {one.name}, {one.obstacle}")


def _of_the_tests(found: Walk) -> list[str]:
    """Which laws the p-values of the path are of."""
    tests = {
        f"({i})": replace(step.candidate.test, exact=np.nan)
        for i, step in enumerate(found.steps)
        if step.candidate is not None and step.candidate.test is not None
    }
    return laws_in_words(tests)


def _of_the_end(fit: PointFit) -> Iterator[str]:
    """What is doubtful of the model where the search ended."""
    yield from (retold(doubt, f"The chosen model: {doubt}") for doubt in fit.status.doubts)
    if fit.status.singular_scaled:
        yield Told("boundary", "The chosen model is singular all the same: bm.diagnose(fit) says in which direction.")
    if not fit.model.design.groups:
        yield (
            Told(
                "end-of-the-path",
                "No random effects are left: all rows count as independent. Where a treatment was given to whole "
                "groups keep their intercept, whatever its p.",
            )
        )
